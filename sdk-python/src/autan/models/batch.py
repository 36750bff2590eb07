"""One verb for many executions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from autan.models.enums import BatchState


@dataclass(frozen=True, kw_only=True)
class BatchVerb:
    """What a batch does to each execution; the base of the verbs."""

    name: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class BatchPause(BatchVerb):
    """Pauses it.

    Attributes:
        timeouts_run: Whether timeouts of tasks go on meanwhile.
    """

    name: ClassVar[str] = "pause"
    timeouts_run: bool = False


@dataclass(frozen=True, kw_only=True)
class BatchResume(BatchVerb):
    """Resumes it.

    Attributes:
        env: Changed variables of the environment.
    """

    name: ClassVar[str] = "resume"
    env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BatchCancel(BatchVerb):
    """Cancels it, with its actions and sub-workflows."""

    name: ClassVar[str] = "cancel"


@dataclass(frozen=True, kw_only=True)
class BatchTerminate(BatchVerb):
    """Ends it and all below it at once."""

    name: ClassVar[str] = "terminate"


@dataclass(frozen=True, kw_only=True)
class BatchRerun(BatchVerb):
    """Runs again what has ended it.

    Attributes:
        reset: Whether all items of with-items tasks run again.
        env: Changed variables of the environment.
    """

    name: ClassVar[str] = "rerun"
    reset: bool = False
    env: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class BatchRollback(BatchVerb):
    """Undoes what its tasks have done."""

    name: ClassVar[str] = "rollback"


@dataclass(frozen=True, kw_only=True)
class BatchDelete(BatchVerb):
    """Deletes it.

    Attributes:
        force: Whether in any state; one that is not finished is terminated first.
    """

    name: ClassVar[str] = "delete"
    force: bool = False


@dataclass(frozen=True, kw_only=True)
class BatchError:
    """Why the verb of a batch failed for one execution.

    Attributes:
        execution_id: Uid of the execution.
        reason: Reason, as in errors of single calls.
        message: What is wrong.
    """

    execution_id: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class BatchOperation:
    """One verb for many executions, under way or finished.

    Attributes:
        project: Tenant.
        batch_id: Given by the server.
        state: State.
        verb: What it does, such as "pause"; empty for a verb that this version does not know.
        filter: Which executions, if chosen by a filter.
        rate: Most executions a second.
        matched: Executions that it is about: of a filter, those that matched when it was accepted.
        done: Those that the verb was applied to.
        skipped: Those that it changed nothing for: they are so already, their state refuses it, or
            they are gone.
        failed: Those that it failed for.
        errors: The first failures, at most 20.
        reason: Why, as the caller said.
        identity: What its caller said of itself, see `Client`.
        cancelled_by: What who cancelled it said of itself; empty if nobody did.
        create_time: When it was accepted.
        update_time: When it last went on.
        end_time: When it reached a final state.
    """

    project: str
    batch_id: str
    state: BatchState
    verb: str
    filter: str
    rate: int
    matched: int
    done: int
    skipped: int
    failed: int
    errors: Sequence[BatchError]
    reason: str
    identity: str
    cancelled_by: str
    create_time: datetime | None
    update_time: datetime | None
    end_time: datetime | None


@dataclass(frozen=True, kw_only=True)
class BatchPreview:
    """What a batch would come to.

    Attributes:
        matched: Executions that match now.
        sample: Ids of some of them, at most 20.
    """

    matched: int
    sample: Sequence[str]
