"""One call of a function: its input, what it raises, and what is to be sent of its end."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from autan._core import leases
from autan._worker import failures
from autan._worker.context import (
    ActionContext,
    CancelCause,
    Deferred,
    TaskState,
    describe,
    ids_of,
)
from autan.errors import ActionCancelled, PayloadError

if TYPE_CHECKING:
    from autan import models
    from autan._worker.actions import Definition
    from autan.converter import Converter

LOG = logging.getLogger("autan.worker")


class ActionCall:
    """A call of a function for a task.

    Attributes:
        definition: The action.
        task: The task.
        state: What the function and the worker tell each other.
        context: What the function is told.
    """

    def __init__(
        self,
        definition: Definition,
        task: models.WorkerTask,
        converter: Converter,
        state: TaskState,
        bytes_max: int = 0,
        *,
        runs_cancelled: bool = False,
    ) -> None:
        self.definition = definition
        self.task = task
        self.state = state
        self.context = ActionContext(task, converter, state)
        self._converter = converter
        self._bytes_max = bytes_max
        # In a test a function is to meet the cancellation itself.
        self._runs_cancelled = runs_cancelled

    def run(self) -> Any:
        """Calls a plain function; returns the end of the task, ready to be sent. Never raises."""
        try:
            args, kwargs = self._arguments()
            if self.context.cancelled and not self._runs_cancelled:
                return self._ended_early(None)
            value = self.definition.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - nothing that it raises ends the worker.
            return self._raised(error)
        return self._returned(value)

    async def run_async(self) -> Any:
        """Calls an async function; returns the end of the task, ready to be sent. Never raises."""
        try:
            args, kwargs = self._arguments()
            if self.context.cancelled and not self._runs_cancelled:
                return self._ended_early(None)
            value = await self.definition.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - nothing that it raises ends the loop.
            return self._raised(error)
        return self._returned(value)

    def never_ran(self) -> Any:
        """Returns the end of a task whose function was cancelled before it began."""
        return self._ended_early(None)

    def _arguments(self) -> tuple[list[Any], dict[str, Any]]:
        try:
            return self.definition.signature.bind(self.task.input, self.context, self._converter)
        except PayloadError as error:
            raise _InputError(error.message) from error

    def _returned(self, value: object) -> Any:
        token = self.task.token
        if isinstance(value, Deferred):
            return leases.deferred(token)
        try:
            return leases.succeeded(token, value, self._converter, self._bytes_max)
        except PayloadError as error:
            failed = failures.lasting(error.reason or "InvalidOutput", error.message)
        except Exception as error:  # noqa: BLE001 - it is a converter or an iterator that fails.
            text = f"result: {type(error).__name__}: {error}"
            failed = failures.lasting("InvalidOutput", text)
        self._log(logging.ERROR, "its result cannot be sent: %s", failed.failure.message)
        return self._failed(failed)

    def _raised(self, error: BaseException) -> Any:
        if isinstance(error, _InputError):
            self._log(logging.ERROR, "its input does not fit: %s", error)
            return self._failed(failures.invalid_input(str(error)))
        if isinstance(error, (asyncio.CancelledError, ActionCancelled)) and self.context.cancelled:
            return self._ended_early(error)
        self._log(logging.WARNING, "failed: %s", type(error).__name__, exc_info=error)
        return self._failed(failures.from_exception(error))

    def _ended_early(self, error: BaseException | None) -> Any:
        cause = self.context.cancel_cause or CancelCause.REQUESTED
        inner = None if isinstance(error, ActionCancelled) else error
        return self._failed(failures.cancelled(cause, self.context.cancel_reason, inner))

    def _failed(self, failed: models.TaskFailure) -> Any:
        return leases.failed(self.task.token, failed, self._converter, self._bytes_max)

    def _log(
        self, level: int, text: str, *args: object, exc_info: BaseException | None = None
    ) -> None:
        ids = ids_of(self.task)
        text = f"action %s {text} %s"
        LOG.log(level, text, self.task.action, *args, describe(ids), exc_info=exc_info, extra=ids)


class _InputError(Exception):
    """The input does not fit the function."""
