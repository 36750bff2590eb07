"""What is found by looking into an execution: what it waits for, and its tree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from autan.models.enums import ActionState, ExecutionState, TaskState
    from autan.models.execution import Execution
    from autan.models.history import HistoryEvent


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Something that an execution waits for.

    Attributes:
        kind: "action", "timer", "join", "child", "items", "paused", "held", "steps" or "unknown";
            empty for a kind that this version of the SDK does not know.
        text: The cause in one sentence.
        task_execution_id: The task that waits; empty if the execution does as a whole.
        task_name: Name of that task.
        undo: Whether it undoes another task execution of its name, in a rollback.
        since_time: Since when.
        until_time: Until when, if that is known.
        details: The fields of its kind as in the contract, such as `action_execution_id` or
            `missing`; states are their words.
        causes: Of a child: what it waits for.
    """

    kind: str
    text: str
    task_execution_id: str = ""
    task_name: str = ""
    undo: bool = False
    since_time: datetime | None = None
    until_time: datetime | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    causes: Sequence[Cause] = ()


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Why an execution is not finished.

    Attributes:
        uid: Uid of the execution.
        state: Its state.
        state_info: Why it is in that state, if there is something to say.
        causes: What it waits for; nothing if it is finished.
        truncated: Whether causes were left out.
    """

    uid: str
    state: ExecutionState
    state_info: str
    causes: Sequence[Cause]
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class ActionNode:
    """An action execution in a graph.

    Attributes:
        action_execution_id: Its id.
        action_name: Name of the action, or of the workflow.
        state: State.
        attempt: Number of the attempt, from 1.
        item_index: Item of a with-items task, from 0.
    """

    action_execution_id: str
    action_name: str
    state: ActionState
    attempt: int
    item_index: int


@dataclass(frozen=True, kw_only=True)
class TaskNode:
    """A task execution in a graph.

    Attributes:
        task_execution_id: Its id.
        task_name: Name of the task.
        state: State.
        state_info: Why it is in that state, if there is something to say.
        triggered_by: Ids of the task executions that led to it.
        attempts: Attempts so far.
        item_count: Items of a with-items task; 0 for others.
        actions: Its action executions, in the order of their creation.
        children: Its sub-workflow executions.
        undo_of: Of what undoes a task in a rollback: the task execution that it undoes; else empty.
        rolled_back: Whether it was rolled back: undone, or passed over because there was nothing
            to undo.
    """

    task_execution_id: str
    task_name: str
    state: TaskState
    state_info: str
    triggered_by: Sequence[str]
    attempts: int
    item_count: int
    actions: Sequence[ActionNode]
    children: Sequence[ExecutionNode]
    undo_of: str
    rolled_back: bool


@dataclass(frozen=True, kw_only=True)
class ExecutionNode:
    """An execution in a graph.

    Attributes:
        execution_id: Id that the client chose, or the uid.
        uid: Uid.
        workflow_name: Full name of its workflow.
        state: State.
        state_info: Why it is in that state, if there is something to say.
        tasks: Its task executions, in the order of their creation.
        truncated: Whether tasks were left out.
    """

    execution_id: str
    uid: str
    workflow_name: str
    state: ExecutionState
    state_info: str
    tasks: Sequence[TaskNode]
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class ExecutionGraph:
    """The tree of an execution.

    Attributes:
        root: The execution with its tasks; None if only the counts were asked for.
        statistics: Counts of the whole tree: "executions", "tasks", and tasks by state.
        truncated: Whether something was left out.
    """

    root: ExecutionNode | None
    statistics: Mapping[str, int]
    truncated: bool


@dataclass(frozen=True, kw_only=True)
class DeletedExecution:
    """An execution that was deleted.

    Attributes:
        execution_id: Id that the client chose, or the uid.
        uid: Uid.
        reason: Why, as its deletion said; "retention" if it was old enough.
        principal: Who deleted it; empty for the server itself, and where callers are not known.
        identity: What its caller said of itself, see `Client`.
    """

    execution_id: str
    uid: str
    reason: str = ""
    principal: str = ""
    identity: str = ""


@dataclass(frozen=True, kw_only=True)
class ExecutionChange:
    """A change that a watch of many executions tells: of `execution`, or that one was `deleted`.

    Attributes:
        execution: An execution that has changed, as it was then or later, without payloads.
        deleted: An execution that was deleted.
        event: What happened to `execution`, in a watch of events.
        earliest_sequence: Not 0 if events of `execution` that belong here are not kept any more
            (`history_events_kept`): the first one that is. Then there may be no `event`.
        resume_token: Where a later watch of the same filter may go on. What it tells first may be
            known already, but nothing is left out. Empty while the server has told none yet.
    """

    execution: Execution | None = None
    deleted: DeletedExecution | None = None
    event: HistoryEvent | None = None
    earliest_sequence: int = 0
    resume_token: str
