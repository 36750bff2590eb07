"""Running one action without a server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import leases
from autan._core.payload import decode, encode_object
from autan._worker.actions import definition_of
from autan._worker.calls import ActionCall
from autan._worker.context import CancelCause, TaskState
from autan.converter import DefaultConverter

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from autan._worker.actions import Definition
    from autan.converter import Converter


@dataclass(frozen=True, kw_only=True)
class ActionOutcome:
    """How an action has ended.

    Attributes:
        output: Its result, as the workflow gets it; None if it has none.
        failure: What the server would be told; None if it has not failed.
        deferred: Whether somebody is to complete it later.
        heartbeats: What it has said of its progress, in order. A worker leaves some out if there
            are many.
    """

    output: Any
    failure: models.TaskFailure | None
    deferred: bool
    heartbeats: tuple[Any, ...]


class ActionTester:
    """Runs one action without a server, as a worker would: for tests of the action.

        outcome = ActionTester(reserve).run({"sku": "a"}, attempt=2)
        assert outcome.output == {"reserved": True}

    Args:
        action: A function decorated with `autan.action` or with `Worker.action`.
        converter: As that of the client.

    Raises:
        TypeError: The function is not decorated.
    """

    def __init__(self, action: object, *, converter: Converter | None = None) -> None:
        self._definition: Definition = definition_of(action)
        self._converter = converter or DefaultConverter()
        self._state = TaskState()
        self._interrupt: Callable[[], None] = lambda: None

    def cancel(
        self, cause: CancelCause = CancelCause.REQUESTED, reason: str = "cancelled by a test"
    ) -> None:
        """Cancels the run that is under way; from any thread, or from `on_heartbeat`."""
        if self._state.cancel(cause, reason):
            self._interrupt()

    def run(self, input: object = None, **options: Any) -> ActionOutcome:
        """Runs the action, an async one on an event loop of its own.

        Args:
            input: Its input: what becomes a JSON object; None = an empty one.
            options: As of `run_async`.
        """
        if self._definition.asynchronous:
            return asyncio.run(self.run_async(input, **options))
        call, said = self._prepare(input, **options)
        return self._outcome(call.run(), said)

    async def run_async(self, input: object = None, **options: Any) -> ActionOutcome:
        """Runs the action on the event loop that is running, a plain function in a thread.

        Args:
            input: Its input: what becomes a JSON object; None = an empty one.
            options: Of these any: `attempt` and `delivery`, from 1; `progress`, what an earlier
                attempt has said last; `cancel`, a `CancelCause` with which it is cancelled at once;
                `deadline`, a datetime; `idempotency_key`; `on_heartbeat`, called with each
                progress.
        """
        call, said = self._prepare(input, **options)
        if not self._definition.asynchronous:
            return self._outcome(await asyncio.to_thread(call.run), said)
        task = asyncio.create_task(call.run_async())
        loop = asyncio.get_running_loop()
        self._interrupt = lambda: _soon(loop, task)
        if self._state.cause is not None:
            # After its first step, since one that has not begun is not there to be interrupted.
            loop.call_soon(task.cancel)
        try:
            return self._outcome(await task, said)
        finally:
            self._interrupt = lambda: None

    def _prepare(
        self,
        input: object,
        *,
        attempt: int = 1,
        delivery: int = 1,
        progress: object = None,
        cancel: CancelCause | None = None,
        deadline: datetime | None = None,
        idempotency_key: str = "test",
        on_heartbeat: Callable[[Any], None] | None = None,
    ) -> tuple[ActionCall, list[Any]]:
        said: list[Any] = []

        def hear() -> None:
            value = decode(state.take_said())
            said.append(value)
            if on_heartbeat is not None:
                on_heartbeat(value)

        self._state = state = TaskState(tell=hear)
        name = self._definition.spec.name
        task = models.WorkerTask(
            token="test",  # noqa: S106 - it names a lease.
            action=name,
            # Through JSON and back, as everything that comes from a workflow.
            input=decode(encode_object({} if input is None else input, self._converter, "input")),
            attempt=attempt,
            delivery=delivery,
            idempotency_key=idempotency_key,
            progress=progress,
            deadline=deadline,
            heartbeat_timeout=self._definition.spec.heartbeat,
            execution_uid="test",
            workflow_name=name,
            task_name=name,
            task_execution_id="test",
            action_execution_id="test",
        )
        if cancel is not None:
            state.cancel(cancel, "cancelled by a test")
        call = ActionCall(self._definition, task, self._converter, state, runs_cancelled=True)
        return call, said

    def _outcome(self, ended: Any, said: list[Any]) -> ActionOutcome:
        if self._state.cause is CancelCause.REQUESTED:
            ended = leases.cancelled(ended, self._state.reason)
        output, failure, deferred = leases.outcome(ended)
        return ActionOutcome(
            output=output, failure=failure, deferred=deferred, heartbeats=tuple(said)
        )


def _soon(loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
    loop.call_soon_threadsafe(task.cancel)
