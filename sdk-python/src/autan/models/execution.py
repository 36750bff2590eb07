"""Executions: running and finished workflows, and single actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autan.models.enums import ExecutionKind, ExecutionState


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why an execution, or an action that a worker ran, ended in ERROR.

    Attributes:
        type: Kind of failure, such as "task_error", "expression_error"; of an action that a worker
            ran what the worker calls it, such as the name of an exception.
        message: Text for people.
        details: What the action or workflow gave as its error result, if anything.
        stack: Where in its program a worker has failed.
        cause: What it was caused by.
        limit: The limit that was hit, if `type` is "limit_exceeded".
    """

    type: str
    message: str
    details: Any = None
    stack: str = ""
    cause: Failure | None = None
    limit: LimitHit | None = None


@dataclass(frozen=True, kw_only=True)
class LimitHit:
    """A limit that was hit.

    Attributes:
        name: Which one, such as "tasks_per_execution_max".
        allowed: What it allows, in the unit of the limit.
    """

    name: str
    allowed: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Numbers of task executions by state.

    Attributes:
        total: All task executions so far.
        active: In IDLE, WAITING, RUNNING, DELAYED or PAUSED.
        success: In SUCCESS.
        error: In ERROR.
        cancelled: In CANCELLED.
        skipped: In SKIPPED.
        rolled_back: Rolled back: they count in `total` and in no other field.
        undoing: What undoes tasks and is under way; counts in no other field, also not in `total`.
        undo_failed: What undoes tasks and has failed or was cancelled.
        running_actions: Action executions that run; sub-workflows count as one each.
    """

    total: int = 0
    active: int = 0
    success: int = 0
    error: int = 0
    cancelled: int = 0
    skipped: int = 0
    rolled_back: int = 0
    undoing: int = 0
    undo_failed: int = 0
    running_actions: int = 0


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One run of a workflow, or of one action by itself, as it was when the server answered.

    Payloads (`input`, `output`, `params`, `published_global`) are decoded JSON, and None where the
    view does not carry them. Integers are exact.

    Attributes:
        project: Tenant.
        execution_id: Chosen by the client, or the uid.
        uid: UUID given by the server; another one if an id is used again.
        kind: What it runs.
        workflow_name: Full name of the workflow; of kind ACTION, name of the action.
        workflow_namespace: Namespace that the workflow was found in.
        workflow_revision: Number of the revision that it runs; 0 of kind ACTION.
        state: Its state.
        state_info: Why it is in that state, if there is something to say.
        run: 1, and one more for each rerun in place.
        last_sequence: Number of the last history event in this snapshot.
        input: Input with defaults filled in; FULL view only.
        output: Output, when finished; FULL view only.
        params: Start parameters; FULL view only.
        error: What went wrong, in state ERROR; in CANCELLED if it was terminated.
        labels: Labels for filtering.
        description: Free text.
        create_time: When it was accepted.
        update_time: When it last changed.
        end_time: When it reached a final state.
        parent_task_execution_id: Of a sub-workflow: the task that started it.
        root_execution_id: Uid of the execution that was started from outside.
        item_index: Of a sub-workflow of a with-items task: which item, from 0.
        progress: Numbers of tasks by state.
        published_global: Variables published to the whole execution; FULL view only.
        source_execution_id: Uid of the execution that this one repeats, of a restart.
        expire_time: When retention deletes it, unless it is run again before; None while it is not
            finished, where nothing is deleted by itself, and of a sub-workflow.
        etag: Changes with labels and description, and with nothing else: guards updates.
    """

    project: str
    execution_id: str
    uid: str
    kind: ExecutionKind
    workflow_name: str
    workflow_namespace: str
    workflow_revision: int
    state: ExecutionState
    state_info: str
    run: int
    last_sequence: int
    input: Any
    output: Any
    params: Any
    error: Failure | None
    labels: Mapping[str, str]
    description: str
    create_time: datetime | None
    update_time: datetime | None
    end_time: datetime | None
    parent_task_execution_id: str
    root_execution_id: str
    item_index: int
    progress: Progress
    published_global: Any
    source_execution_id: str = ""
    expire_time: datetime | None = None
    etag: str = ""


@dataclass(frozen=True, kw_only=True)
class Count:
    """A number of executions.

    Attributes:
        total: All that match.
        groups: By state word or by workflow name, if asked for; at most 1000 groups.
    """

    total: int
    groups: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Events that can no longer be had, because the history was trimmed.

    Attributes:
        after_sequence: The last event that was delivered.
        resumed_after_sequence: The next event that will be delivered comes after this one.
        execution: The execution as it was at `resumed_after_sequence`.
    """

    after_sequence: int
    resumed_after_sequence: int
    execution: Execution
