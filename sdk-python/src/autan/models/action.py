"""Actions, and action executions: attempts of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from autan.models.enums import ActionKind, ActionState
    from autan.models.execution import Failure
    from autan.models.worker import ActionLease
    from autan.models.workflow import Diagnostic, InputParameter


@dataclass(frozen=True, kw_only=True)
class ActionInfo:
    """An action: what a task does. Of an ad-hoc action, one revision.

    Attributes:
        project: Tenant; empty for built-in ones.
        namespace: Scope of the name inside the project; empty for built-in ones.
        name: Unique in the namespace; members of a workbook are called `workbook.member`.
        kind: Where it comes from.
        revision: Of an ad-hoc action: number of the revision, from 1.
        revision_hash: Of an ad-hoc action: hash of the revision's text, hexadecimal.
        source: Of an ad-hoc action: the document that holds it; FULL view only.
        description: Free text.
        tags: Tags from the document.
        input: Declared inputs in order.
        base: Of an ad-hoc action: name of the action that it wraps, as the document has it.
        asynchronous: Whether it ends only when somebody completes it from outside; of an ad-hoc
            action unknown.
        workbook: Of an ad-hoc action: workbook that it came with, if any.
        create_time: Of an ad-hoc action: when the first revision was created.
        update_time: Of an ad-hoc action: when this revision was created.
        etag: Of an ad-hoc action: changes with every revision; guards updates and deletions.
    """

    project: str
    namespace: str
    name: str
    kind: ActionKind
    revision: int
    revision_hash: str
    source: str
    description: str
    tags: tuple[str, ...]
    input: tuple[InputParameter, ...]
    base: str
    asynchronous: bool
    workbook: str
    create_time: datetime | None
    update_time: datetime | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class AppliedActions:
    """Result of creating or updating ad-hoc actions.

    Attributes:
        actions: The revisions in document order, FULL view.
        warnings: Warnings about the document.
    """

    actions: tuple[ActionInfo, ...]
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, kw_only=True)
class ActionExecution:
    """One attempt of a task, or of one of its items.

    Attributes:
        action_execution_id: Id, unique in the server.
        task_execution_id: Task execution that it belongs to.
        execution_uid: Uid of the execution that it belongs to.
        task_name: Name of the task.
        name: Full name of the action, or of the workflow.
        state: Its state.
        input: Input; FULL view only.
        output: Result or error result; FULL view only.
        accepted: Whether it counts for the result of the task: earlier attempts do not.
        item_index: Item of a with-items task, from 0.
        attempt: Number of the attempt, from 1.
        child_execution_id: Of a sub-workflow: uid of the child execution.
        create_time: When it was created.
        end_time: When it reached a final state.
        lease: Of one that workers run: what is known of its lease; None = nobody has taken it yet.
        failure: Of one that has failed in a worker: what went wrong; FULL view only.
    """

    action_execution_id: str
    task_execution_id: str
    execution_uid: str
    task_name: str
    name: str
    state: ActionState
    input: Any
    output: Any
    accepted: bool
    item_index: int
    attempt: int
    child_execution_id: str
    create_time: datetime | None
    end_time: datetime | None
    lease: ActionLease | None = None
    failure: Failure | None = None
