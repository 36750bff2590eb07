"""Every exception of the SDK: one tree, rooted in `AutanError`.

A call that the server refuses raises an `RpcError`: one class a family (the gRPC code), and under
it one class a reason that programs commonly react to. A workflow that failed is not an error of a
call; only `ExecutionHandle.result` turns it into an `ExecutionError`.

Tell errors apart by class or by `reason`, never by text.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from autan.models.execution import Execution


class Code(enum.IntEnum):
    """The codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True)
class Violation:
    """One fault of a request.

    Attributes:
        field: What is at fault: a field such as "input.order_id", or the subject of a precondition.
        description: What is wrong with it, for people.
        reason: Machine-readable reason, if the server gave one.
    """

    field: str
    description: str
    reason: str = ""


class AutanError(Exception):
    """Root of all exceptions of the SDK.

    Attributes:
        message: Text for people.
        code: Code of gRPC, if the error has to do with a call; otherwise None.
        reason: Stable reason, such as "EXECUTION_NOT_FOUND"; empty if there is none.
        metadata: The changing parts of the message, by name.
        retryable: Whether the same call may succeed later. The SDK has retried it already.
        violations: Faults of the request, at most 20.
    """

    def __init__(
        self,
        message: str,
        *,
        code: Code | None = None,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        retryable: bool = False,
        violations: Sequence[Violation] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.retryable = retryable
        self.violations = tuple(violations)

    def __str__(self) -> str:
        label = self.reason or (self.code.name if self.code is not None else "")
        lines = [f"{label}: {self.message}" if label else self.message]
        lines += [
            f"  {v.field}: {v.description}" if v.field else f"  {v.description}"
            for v in self.violations
        ]
        return "\n".join(lines)


class PayloadError(AutanError, ValueError):
    """A value cannot be sent as JSON, or a result is not of the type that was asked for."""


class DefinitionError(AutanError, ValueError):
    """A workflow that was put together in code cannot be written as a document."""


class ClientClosed(AutanError):
    """The client was used after it was closed, or in a process forked from its own."""


# Errors of executions


class ExecutionError(AutanError):
    """An execution did not end in SUCCESS.

    Attributes:
        execution: The finished execution, FULL view.
    """

    def __init__(self, message: str, *, execution: Execution) -> None:
        super().__init__(message)
        self.execution = execution


class ExecutionFailed(ExecutionError):
    """The execution ended in ERROR; `execution.error` and `execution.output` say more."""


class ExecutionCancelled(ExecutionError):
    """The execution was cancelled; `execution.state_info` says why."""


class ExpressionError(AutanError):
    """An expression that was tried out has no value.

    Attributes:
        syntax: Whether the text does not parse; otherwise its evaluation failed.
        offset: Where the fault begins, in characters from 0.
        length: Its length in characters; 0 if only the beginning is known.
        line: Its line, from 1.
        column: Its column in characters, from 1.
        excerpt: The line with carets below, several lines of text.
    """

    def __init__(
        self,
        message: str,
        *,
        syntax: bool,
        offset: int,
        length: int,
        line: int,
        column: int,
        excerpt: str,
    ) -> None:
        super().__init__(message)
        self.syntax = syntax
        self.offset = offset
        self.length = length
        self.line = line
        self.column = column
        self.excerpt = excerpt

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


# Errors of actions that a worker runs


class NonRetryable(AutanError):
    """Raise it in an action whose further attempts would be of no use.

    Args:
        error: What went wrong: an exception, whose name and message are taken, or a message.
        type: Kind of failure; empty = the name of the exception.
        details: What the workflow sees as the error result, as JSON; None = the message.
    """

    def __init__(
        self, error: BaseException | str, *, type: str = "", details: object = None
    ) -> None:
        super().__init__(str(error))
        self.error = error if isinstance(error, BaseException) else None
        self.type = type
        self.details = details


class RetryAfter(AutanError):
    """Raise it in an action that knows when its next attempt is worth while.

    It is for the `retry` of the task to say whether there is one.

    Args:
        delay: How long to wait before the next attempt, in seconds or as a timedelta.
        error: What went wrong: an exception, whose name and message are taken, or a message.
        type: Kind of failure; empty = the name of the exception.
        details: What the workflow sees as the error result, as JSON; None = the message.

    Raises:
        ValueError: The delay is negative.
    """

    def __init__(
        self,
        delay: float | timedelta,
        error: BaseException | str = "",
        *,
        type: str = "",
        details: object = None,
    ) -> None:
        seconds = delay.total_seconds() if isinstance(delay, timedelta) else float(delay)
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"delay must be a number of seconds from 0 on, not {delay}")
        super().__init__(str(error) or f"to be tried again after {seconds:g} s")
        self.delay = seconds
        self.error = error if isinstance(error, BaseException) else None
        self.type = type
        self.details = details


class ActionCancelled(AutanError):
    """Nobody waits for the result of the action any more; see `ActionContext.check`."""


# Errors of calls, by family


class RpcError(AutanError):
    """A call failed. Also the class of codes without a family of their own.

    Attributes:
        retry_delay: How long the server asked to wait before the next attempt, in seconds, or None.
    """

    retry_delay: float | None = None
    family: ClassVar[Code | None] = None


class InvalidArgument(RpcError):
    """The request is wrong, whatever the state of the server; `violations` name the fields."""

    family = Code.INVALID_ARGUMENT


class NotFound(RpcError):
    """There is no such thing."""

    family = Code.NOT_FOUND


class AlreadyExists(RpcError):
    """There is such a thing already."""

    family = Code.ALREADY_EXISTS


class FailedPrecondition(RpcError):
    """The thing is in the wrong state for this call."""

    family = Code.FAILED_PRECONDITION


class Aborted(RpcError):
    """Someone else changed the thing meanwhile: read it again and decide again."""

    family = Code.ABORTED


class OutOfRange(RpcError):
    """The position does not exist, or not any more."""

    family = Code.OUT_OF_RANGE


class ResourceExhausted(RpcError):
    """A quota is used up, or the server sheds load."""

    family = Code.RESOURCE_EXHAUSTED


class Unavailable(RpcError):
    """The server cannot be reached, or cannot serve; nothing was changed by this attempt."""

    family = Code.UNAVAILABLE


class DeadlineExceeded(RpcError):
    """The time was up. Whether a change was made is unknown."""

    family = Code.DEADLINE_EXCEEDED


class PermissionDenied(RpcError):
    """The caller may not do this."""

    family = Code.PERMISSION_DENIED


class Unauthenticated(RpcError):
    """The caller did not say who they are, or not believably."""

    family = Code.UNAUTHENTICATED


class Unimplemented(RpcError):
    """The server does not have this part of the API."""

    family = Code.UNIMPLEMENTED


class Internal(RpcError):
    """A fault of the server, or of something between it and the client."""

    family = Code.INTERNAL


# Errors of calls, by reason


class InvalidDefinition(InvalidArgument):
    """The document has errors; `violations` are the first 20, validating it returns all."""


class InvalidFilter(InvalidArgument):
    """The filter does not parse, or names an unknown field."""


class PayloadRefused(InvalidArgument):
    """The server refuses a payload: bad JSON, too deep, or too large."""


class RequestIdReused(InvalidArgument):
    """The same request id was used with another request."""


class InputMismatch(InvalidArgument):
    """The input does not fit the workflow; metadata `missing` and `unexpected`."""


class ExpressionFailed(InvalidArgument):
    """An expression of the workflow that is evaluated at the start fails with this input.

    Nothing was started; metadata `field`, `kind`, `expression`, and `start` and `end` of the
    faulty part, in characters from 0, where they are known.
    """


class WorkflowNotFound(NotFound):
    """There is no such workflow or revision."""


class WorkbookNotFound(NotFound):
    """There is no such workbook."""


class ActionNotFound(NotFound):
    """There is no such action or revision."""


class EnvironmentNotFound(NotFound):
    """There is no such environment."""


class BatchNotFound(NotFound):
    """There is no such batch operation."""


class ExecutionNotFound(NotFound):
    """There is no such execution."""


class TaskExecutionNotFound(NotFound):
    """There is no such task execution."""


class ActionExecutionNotFound(NotFound):
    """There is no such action execution."""


class WorkflowAlreadyExists(AlreadyExists):
    """A workflow of that name exists in the namespace."""


class WorkbookAlreadyExists(AlreadyExists):
    """A workbook of that name exists in the namespace."""


class ActionAlreadyExists(AlreadyExists):
    """An ad-hoc action of that name exists in the namespace."""


class EnvironmentAlreadyExists(AlreadyExists):
    """An environment of that name exists in the project."""


class ExecutionAlreadyExists(AlreadyExists):
    """An execution of that id exists; metadata `state` and `uid`."""


class WrongExecutionState(FailedPrecondition):
    """The verb is not allowed in the state of the execution; metadata `state` and `verb`."""


class WrongActionState(FailedPrecondition):
    """The action execution is completed already, or is not asynchronous; metadata `state`."""


class ActionIsSystem(FailedPrecondition):
    """The action is built in: no document may define, change or delete it."""


class DefinitionInUse(FailedPrecondition):
    """Executions of the definition are running; metadata `executions`."""


class LimitExceeded(FailedPrecondition):
    """The execution would pass a limit of its size; metadata `limit` names it."""


class TaskLeaseLost(FailedPrecondition):
    """The lease of the task has ended, or its result is not wanted any more; metadata `why`."""


class WorkerNotFound(NotFound):
    """There is no such worker, or it was not heard of for long."""


class QueueNotFound(NotFound):
    """There is no such queue."""


class EtagMismatch(Aborted):
    """The etag does not match."""


class HistoryTrimmed(OutOfRange):
    """The history before `earliest_sequence` is gone."""

    @property
    def earliest_sequence(self) -> int:
        """Number of the first event that is still there; 0 if the server did not say."""
        text = self.metadata.get("earliest_sequence", "")
        return int(text) if text.isdecimal() else 0


REASONS: Mapping[str, type[RpcError]] = {
    "INVALID_FIELD": InvalidArgument,
    "INVALID_DEFINITION": InvalidDefinition,
    "INVALID_FILTER": InvalidFilter,
    "INVALID_PAGE_TOKEN": InvalidArgument,
    "PAYLOAD_INVALID": PayloadRefused,
    "PAYLOAD_TOO_LARGE": PayloadRefused,
    "DEFINITION_TOO_LARGE": InvalidDefinition,
    "REQUEST_ID_REUSED": RequestIdReused,
    "INPUT_MISMATCH": InputMismatch,
    "EXPRESSION_FAILED": ExpressionFailed,
    "WORKFLOW_NOT_FOUND": WorkflowNotFound,
    "WORKBOOK_NOT_FOUND": WorkbookNotFound,
    "EXECUTION_NOT_FOUND": ExecutionNotFound,
    "TASK_EXECUTION_NOT_FOUND": TaskExecutionNotFound,
    "ACTION_EXECUTION_NOT_FOUND": ActionExecutionNotFound,
    "WORKFLOW_ALREADY_EXISTS": WorkflowAlreadyExists,
    "WORKBOOK_ALREADY_EXISTS": WorkbookAlreadyExists,
    "EXECUTION_ALREADY_EXISTS": ExecutionAlreadyExists,
    "EXECUTION_STATE": WrongExecutionState,
    "ACTION_STATE": WrongActionState,
    "DEFINITION_IN_USE": DefinitionInUse,
    "ETAG_MISMATCH": EtagMismatch,
    "HISTORY_TRIMMED": HistoryTrimmed,
    "OVERLOADED": ResourceExhausted,
    "STORE_UNAVAILABLE": Unavailable,
    "SHUTTING_DOWN": Unavailable,
    "OWNER_UNAVAILABLE": Unavailable,
    "DEADLINE": DeadlineExceeded,
    "NOT_SUPPORTED": Unimplemented,
    "INTERNAL": Internal,
    "LIMIT_EXCEEDED": LimitExceeded,
    "ACTION_NOT_FOUND": ActionNotFound,
    "ACTION_ALREADY_EXISTS": ActionAlreadyExists,
    "ACTION_IS_SYSTEM": ActionIsSystem,
    "BATCH_NOT_FOUND": BatchNotFound,
    "ENVIRONMENT_NOT_FOUND": EnvironmentNotFound,
    "ENVIRONMENT_ALREADY_EXISTS": EnvironmentAlreadyExists,
    "TASK_LEASE_LOST": TaskLeaseLost,
    "WORKER_NOT_FOUND": WorkerNotFound,
    "QUEUE_NOT_FOUND": QueueNotFound,
}
"""Class by reason, for every reason of the contract."""

FAMILIES: Mapping[Code, type[RpcError]] = {
    family.family: family for family in RpcError.__subclasses__() if family.family is not None
}
"""Class by code."""


def class_of(code: Code, reason: str) -> type[RpcError]:
    """Returns the exception class for an answer of the server.

    The code decides the family: if a reason ever came with another code than documented, callers
    that catch the family must still catch it.
    """
    family = FAMILIES.get(code, RpcError)
    by_reason = REASONS.get(reason, family)
    return by_reason if issubclass(by_reason, family) else family
