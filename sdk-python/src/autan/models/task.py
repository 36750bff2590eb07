"""Task executions: passes through the tasks of a workflow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from autan.models.enums import TaskState, TaskType


@dataclass(frozen=True, kw_only=True)
class TaskExecution:
    """One pass through a task of a workflow.

    Attributes:
        task_execution_id: Id, unique in the server.
        execution_uid: Uid of the execution that it belongs to.
        task_name: Name of the task.
        type: Action or sub-workflow.
        state: Its state.
        state_info: Why it is in that state, if there is something to say.
        result: Result of its action, or a list for with-items; FULL view only.
        published: Variables published to the tasks after it; FULL view only.
        published_global: Variables published to the whole execution; FULL view only.
        processed: Whether what follows from it was decided.
        attempts: Attempts so far.
        next_tasks: Names of the tasks that it led to.
        triggered_by: Tasks that led to it.
        tags: Tags from the document.
        create_time: When it was created.
        start_time: When it began.
        update_time: When it last changed.
        end_time: When it reached a final state.
        due_time: Until when it waits.
        timeout_time: When its timeout strikes.
        item_count: Items of a with-items task; 0 for others.
        undo_of: Of what undoes a task in a rollback: the task execution that it undoes, else empty.
        undone_by: The task execution that undoes this one, once that has begun, else empty.
        rolled_back: Whether it was rolled back: undone, or passed over as nothing was to undo.
    """

    task_execution_id: str
    execution_uid: str
    task_name: str
    type: TaskType
    state: TaskState
    state_info: str
    result: Any
    published: Any
    published_global: Any
    processed: bool
    attempts: int
    next_tasks: tuple[str, ...]
    triggered_by: tuple[str, ...]
    tags: tuple[str, ...]
    create_time: datetime | None
    start_time: datetime | None
    update_time: datetime | None
    end_time: datetime | None
    due_time: datetime | None
    timeout_time: datetime | None
    item_count: int
    undo_of: str = ""
    undone_by: str = ""
    rolled_back: bool = False
