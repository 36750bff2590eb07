"""Action executions: attempts of tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from autan.models.enums import ActionState


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
