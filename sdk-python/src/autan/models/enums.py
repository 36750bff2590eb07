"""The enumerations of the contract, open to values that this version does not know."""

from __future__ import annotations

import enum
import re


class OpenEnum(enum.IntEnum):
    """An enumeration that keeps unknown numbers instead of refusing them.

    A newer server may send a value that this version of the SDK has no name for. It becomes a
    member named `UNRECOGNIZED_<number>` that equals its number, so that nothing is lost and no
    answer fails to decode.
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNRECOGNIZED_{value}"
        member._value_ = value
        return member

    @property
    def recognized(self) -> bool:
        """Whether this version of the SDK has a name for the value."""
        return self._name_ in type(self).__members__

    @property
    def wire_name(self) -> str:
        """The name in the contract, such as `EXECUTION_STATE_SUCCESS`.

        Raises:
            ValueError: The value is not recognized, so it has no name.
        """
        if not self.recognized:
            raise ValueError(f"{type(self).__name__} has no value {self._value_}")
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).upper()
        return f"{prefix}_{self._name_}"

    def __str__(self) -> str:
        return self._name_

    def __format__(self, spec: str) -> str:
        return format(self._name_, spec)


class ExecutionState(OpenEnum):
    """State of an execution."""

    UNSPECIFIED = 0
    IDLE = 1
    RUNNING = 2
    PAUSED = 3
    SUCCESS = 4
    ERROR = 5
    CANCELLED = 6
    ROLLING_BACK = 7
    ROLLED_BACK = 8

    @property
    def final(self) -> bool:
        """Whether the execution is finished, unless it is rerun."""
        return self in (
            ExecutionState.SUCCESS,
            ExecutionState.ERROR,
            ExecutionState.CANCELLED,
            ExecutionState.ROLLED_BACK,
        )


class TaskState(OpenEnum):
    """State of a task execution."""

    UNSPECIFIED = 0
    IDLE = 1
    WAITING = 2
    RUNNING = 3
    DELAYED = 4
    PAUSED = 5
    SUCCESS = 6
    ERROR = 7
    CANCELLED = 8
    SKIPPED = 9

    @property
    def final(self) -> bool:
        """Whether the task is finished, unless it is rerun."""
        return self in (
            TaskState.SUCCESS,
            TaskState.ERROR,
            TaskState.CANCELLED,
            TaskState.SKIPPED,
        )


class ActionState(OpenEnum):
    """State of an action execution: one attempt of a task, or of one of its items."""

    UNSPECIFIED = 0
    RUNNING = 1
    PAUSED = 2
    SUCCESS = 3
    ERROR = 4
    CANCELLED = 5

    @property
    def final(self) -> bool:
        """Whether the action is finished."""
        return self in (ActionState.SUCCESS, ActionState.ERROR, ActionState.CANCELLED)


class BatchState(OpenEnum):
    """State of a batch operation."""

    UNSPECIFIED = 0
    PENDING = 1
    RUNNING = 2
    DONE = 3
    CANCELLED = 4

    @property
    def final(self) -> bool:
        """Whether the operation is finished."""
        return self in (BatchState.DONE, BatchState.CANCELLED)


class TaskType(OpenEnum):
    """What a task runs."""

    UNSPECIFIED = 0
    ACTION = 1
    WORKFLOW = 2


class ExecutionKind(OpenEnum):
    """What an execution runs."""

    UNSPECIFIED = 0
    WORKFLOW = 1
    ACTION = 2
    """One action by itself."""


class ActionKind(OpenEnum):
    """Where an action comes from."""

    UNSPECIFIED = 0
    """In lists: all of them."""
    SYSTEM = 1
    """Built into the server."""
    ADHOC = 2
    """Defined by a document, over another action."""
    WORKER = 3
    """Provided by workers."""


class LeaseLoss(OpenEnum):
    """Why a lease has ended before its action."""

    UNSPECIFIED = 0
    EXPIRED = 1
    """Its worker did not renew it."""
    SILENT = 2
    """The action has said nothing of itself for longer than it may."""
    RELEASED = 3
    """Its worker gave it back."""


class LeaseStatus(OpenEnum):
    """What became of the lease of a task."""

    UNSPECIFIED = 0
    HELD = 1
    """It is held."""
    CANCEL_REQUESTED = 2
    """It is held, but the result is no longer wanted: end the action soon."""
    LOST = 3
    """It has ended. What the action still does counts for nothing."""


class ExpressionLanguage(OpenEnum):
    """How the text of an expression is to be read."""

    UNSPECIFIED = 0
    """As in a document: expressions in `<% %>` or `{{ }}`, with or without text around them."""
    YAQL = 1
    """One YAQL expression without `<% %>`."""
    JINJA = 2
    """One Jinja2 expression without `{{ }}`."""


class TimerKind(OpenEnum):
    """What a timer is for."""

    UNSPECIFIED = 0
    WAIT_BEFORE = 1
    WAIT_AFTER = 2
    RETRY = 3
    TIMEOUT = 4


class View(OpenEnum):
    """How much of a resource an answer carries."""

    UNSPECIFIED = 0
    """What the method says: BASIC in lists, FULL elsewhere."""
    BASIC = 1
    """Without payloads and source texts."""
    FULL = 2
    """Everything."""


class DocumentKind(OpenEnum):
    """Which of the three documents of the language a text is."""

    UNSPECIFIED = 0
    WORKFLOWS = 1
    """`version` and one or more workflows at the top level."""
    WORKBOOK = 2
    """`version`, `name`, `workflows`, `actions`."""
    ACTIONS = 3
    """`version` and one or more ad-hoc actions at the top level."""


class Severity(OpenEnum):
    """How serious a diagnostic is."""

    UNSPECIFIED = 0
    ERROR = 1
    """The document is refused."""
    WARNING = 2
    """The document is accepted, but probably does not do what its author thinks."""


class IdConflictPolicy(OpenEnum):
    """What a start does if an execution of the given id exists."""

    UNSPECIFIED = 0
    USE_EXISTING = 1
    """Answer with the existing execution, unchanged."""
    FAIL = 2
    """Raise `ExecutionAlreadyExists`."""


class CountGroup(OpenEnum):
    """By what executions are counted."""

    UNSPECIFIED = 0
    """One total."""
    STATE = 1
    WORKFLOW_NAME = 2


class WatchStart(OpenEnum):
    """Where the events of an execution begin."""

    UNSPECIFIED = 0
    BEGINNING = 1
    """With the first event."""
    SNAPSHOT = 2
    """With the event after the current state."""
    LATEST = 3
    """With the next event."""
