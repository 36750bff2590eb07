"""From what a function raises to the failure that the server is told of."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from pathlib import Path

from autan import models
from autan._worker.context import CancelCause
from autan.errors import NonRetryable, RetryAfter

MESSAGE_BYTES_MAX = 4096
STACK_BYTES_MAX = 16_384
CAUSES_MAX = 8
_MARK = "\n  … cut …\n"
_OURS = str(Path(__file__).parent)


def from_exception(error: BaseException) -> models.TaskFailure:
    """Describes an exception with its causes."""
    non_retryable = isinstance(error, NonRetryable)
    retry_after = error.delay if isinstance(error, RetryAfter) else None
    if not isinstance(error, (NonRetryable, RetryAfter)):
        return models.TaskFailure(failure=_describe(error, CAUSES_MAX, set()))
    if error.error is not None:
        failure = _describe(error.error, CAUSES_MAX, {id(error)})
        # An exception that was made but never raised has no stack of its own.
        stack = failure.stack if error.error.__traceback__ is not None else _stack(error)
        failure = replace(failure, stack=stack)
    else:
        failure = replace(_describe(error, CAUSES_MAX, set()), message=_cut_end(error.message))
    return models.TaskFailure(
        failure=replace(failure, type=error.type or failure.type, details=error.details),
        non_retryable=non_retryable,
        retry_after=retry_after,
    )


def invalid_input(message: str) -> models.TaskFailure:
    """Says that the input does not fit the function."""
    return lasting("InvalidInput", message)


def lasting(type: str, message: str) -> models.TaskFailure:
    """Makes a failure that another attempt would meet again."""
    failure = models.Failure(type=type, message=_cut_end(message))
    return models.TaskFailure(failure=failure, non_retryable=True)


def cancelled(
    cause: CancelCause, reason: str, error: BaseException | None = None
) -> models.TaskFailure:
    """Says that a function has ended because it was cancelled."""
    named = "Timeout" if cause is CancelCause.DEADLINE else "Cancelled"
    text = "the attempt took too long" if cause is CancelCause.DEADLINE else "cancelled"
    inner = None
    if error is not None and not isinstance(error, asyncio.CancelledError):
        inner = _describe(error, CAUSES_MAX - 1, set())
    message = f"{text}: {reason}" if reason else text
    failure = models.Failure(type=named, message=_cut_end(message), cause=inner)
    return models.TaskFailure(failure=failure)


def _describe(error: BaseException, depth: int, seen: set[int]) -> models.Failure:
    seen.add(id(error))
    follows = error.__cause__
    if follows is None and not error.__suppress_context__:
        follows = error.__context__
    cause = None
    # Whoever raises exceptions from one another in a circle is not to catch us in it.
    if follows is not None and depth > 0 and id(follows) not in seen:
        cause = _describe(follows, depth - 1, seen)
    return models.Failure(
        type=type(error).__name__, message=_message(error), stack=_stack(error), cause=cause
    )


def _message(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - it is the program's own code that fails here.
        text = "(no message: the exception cannot be printed)"
    return _cut_end(text)


def _stack(error: BaseException) -> str:
    trace = error.__traceback__
    # Nobody wants to read how we call functions.
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OURS):
        trace = trace.tb_next
    if trace is None:
        return ""
    return _cut_middle("".join(traceback.format_tb(trace)))


def _cut_end(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= MESSAGE_BYTES_MAX:
        return data.decode()
    end = "…".encode()
    return data[: MESSAGE_BYTES_MAX - len(end)].decode("utf-8", "ignore") + end.decode()


def _cut_middle(text: str) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= STACK_BYTES_MAX:
        return data.decode()
    half = (STACK_BYTES_MAX - len(_MARK.encode())) // 2
    head = data[:half].decode("utf-8", "ignore")
    return head + _MARK + data[-half:].decode("utf-8", "ignore")
