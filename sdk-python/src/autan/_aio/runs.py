"""Single actions: one action that runs without a workflow."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeVar, overload

from autan import models
from autan._aio.executions import ExecutionHandle
from autan._core import tasks
from autan._core.outcome import outcome
from autan.errors import RpcError

if TYPE_CHECKING:
    from autan._core.actions import Ran
    from autan._core.call import Scope
    from autan._transport.aio import AioTransport

T = TypeVar("T")


class ActionRun(ExecutionHandle):
    """One run of an action: the handle of the execution behind it, which has one task.

    Attributes:
        action: The action as the call answered it, with payloads; None after `validate_only`.
        finished: Whether it was finished when the call answered.
    """

    def __init__(self, transport: AioTransport, scope: Scope, ran: Ran) -> None:
        super().__init__(transport, scope, ran.execution.execution_id, started=ran.started)
        self.action = ran.action
        self.finished = ran.finished
        self._execution = ran.execution

    @overload
    async def result(self, *, timeout: float | None = None) -> Any: ...

    @overload
    async def result(self, type: type[T], *, timeout: float | None = None) -> T: ...

    async def result(self, type: type[Any] | None = None, *, timeout: float | None = None) -> Any:
        """Waits until the action is finished, and returns its result.

        Args:
            type: What the converter is to make of the result, such as a dataclass; None = the
                decoded JSON.
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            ExecutionFailed: The action failed; `execution.output` is its error result.
            ExecutionCancelled: It was cancelled.
            DeadlineExceeded: It was not finished in time; it goes on.
            ExecutionNotFound: It was deleted meanwhile.
            PayloadError: The result is not of the type that was asked for.
        """
        # The only way for one that is not kept: there is nothing left to ask for.
        execution, action = self._execution, self.action
        if not self.finished or action is None:
            execution = await self.wait(timeout=timeout)
            action = await self._last_attempt()
        ended = dataclasses.replace(execution, output=action.output)
        return outcome(ended, type, self._scope.converter)

    async def _last_attempt(self) -> models.ActionExecution:
        last = ""
        async for attempt in self.actions():
            last = attempt.action_execution_id
        if not last:
            raise RpcError(f"execution {self.id!r} has no action")
        view = models.View.FULL
        return await self._transport.unary(
            tasks.get_action(self._scope, last, view=view, payloads=())
        )
