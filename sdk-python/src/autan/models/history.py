"""History: what happened to an execution, one class for each kind of event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from datetime import datetime

    from autan.models.enums import ActionState, ExecutionState, LeaseLoss, TaskState, TimerKind


@dataclass(frozen=True, kw_only=True)
class ExecutionStarted:
    """The execution was accepted. `input` is None unless payloads were asked for."""

    workflow_name: str
    workflow_revision: int
    input: Any
    parent_task_execution_id: str
    source_execution_id: str


@dataclass(frozen=True, kw_only=True)
class ExecutionStateChanged:
    """The execution changed its state. `output` is None unless payloads were asked for."""

    previous_state: ExecutionState
    state: ExecutionState
    state_info: str
    output: Any


@dataclass(frozen=True, kw_only=True)
class TaskCreated:
    """A task execution was created; `triggered_by` names the tasks that led here.

    Of what undoes a task in a rollback, `undo_of` is the task execution that it undoes.
    """

    state: TaskState
    triggered_by: tuple[str, ...]
    undo_of: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskStateChanged:
    """A task execution changed its state."""

    previous_state: TaskState
    state: TaskState
    state_info: str


@dataclass(frozen=True, kw_only=True)
class ActionStarted:
    """An action execution began. Items count from 0, attempts from 1."""

    action_execution_id: str
    action_name: str
    item_index: int
    attempt: int
    input: Any


@dataclass(frozen=True, kw_only=True)
class ActionStateChanged:
    """An action execution changed its state. `output` is None unless payloads were asked for."""

    action_execution_id: str
    state: ActionState
    output: Any


@dataclass(frozen=True, kw_only=True)
class VariablesPublished:
    """A task published variables: names for the tasks after it, and for the whole execution."""

    branch: tuple[str, ...]
    global_: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TimerStarted:
    """A task waits until `due_time`."""

    kind: TimerKind
    due_time: datetime | None


@dataclass(frozen=True, kw_only=True)
class TimerFired:
    """The time came."""

    kind: TimerKind


@dataclass(frozen=True, kw_only=True)
class ChildStarted:
    """A sub-workflow was started; `child_execution_id` is its uid."""

    child_execution_id: str
    workflow_name: str
    item_index: int


@dataclass(frozen=True, kw_only=True)
class VerbApplied:
    """Someone paused, resumed, cancelled, … the execution."""

    verb: str
    reason: str
    request_id: str


@dataclass(frozen=True, kw_only=True)
class EnvironmentChanged:
    """Variables of the environment were changed."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ResultIgnored:
    """A late or repeated result was refused, or only kept for the record."""

    action_execution_id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ExecutionDrained:
    """Nothing runs any more in the paused execution, nor below it."""


@dataclass(frozen=True, kw_only=True)
class TaskInputChanged:
    """Fields of the input of a task were replaced, for its first attempt of a rerun."""

    names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ActionLeaseLost:
    """A worker had an action execution, and its lease has ended before the action did.

    It is handed out again, unless the action execution ends in the next event. `worker` is for
    people; `delivery` tells how often it was handed out by then.
    """

    action_execution_id: str
    worker: str
    delivery: int
    reason: LeaseLoss


@dataclass(frozen=True, kw_only=True)
class UnknownEvent:
    """An event of a kind that this version of the SDK does not know.

    Attributes:
        field_number: Number of its field in `autan.v1.HistoryEvent`; 0 if it carries none.
        data: Its protobuf encoding.
    """

    field_number: int
    data: bytes


EventData = Union[
    ExecutionStarted,
    ExecutionStateChanged,
    TaskCreated,
    TaskStateChanged,
    ActionStarted,
    ActionStateChanged,
    VariablesPublished,
    TimerStarted,
    TimerFired,
    ChildStarted,
    VerbApplied,
    EnvironmentChanged,
    ResultIgnored,
    ExecutionDrained,
    TaskInputChanged,
    ActionLeaseLost,
    UnknownEvent,
]


@dataclass(frozen=True, kw_only=True)
class HistoryEvent:
    """Something that happened to an execution.

    Attributes:
        sequence: Number within the execution: 1, 2, 3 … without holes.
        time: When it happened, by the server's clock, in UTC.
        run: The run that it belongs to, see `Execution.run`.
        task_execution_id: The task execution that it is about, if any.
        task_name: Name of that task.
        principal: Who caused it, for verbs; empty for the engine itself.
        identity: What the caller of a verb or a start said of itself, see `Client`.
        type: Kind of event, such as "task_state_changed"; "unknown" for `UnknownEvent`.
        data: What happened, one class for each kind.
    """

    sequence: int
    time: datetime | None
    run: int
    task_execution_id: str
    task_name: str
    principal: str
    identity: str
    type: str
    data: EventData
