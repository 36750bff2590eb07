"""Task executions, and action executions that run outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan import models
from autan._aio import pages
from autan._core import tasks

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from autan._core.call import Scope
    from autan._transport.aio import AioTransport


class Tasks:
    """Task executions. Those of one execution are listed by its handle."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def get(
        self,
        task_execution_id: str,
        *,
        view: models.View = models.View.FULL,
        payloads: Sequence[str] = (),
    ) -> models.TaskExecution:
        """Returns one task execution.

        Args:
            task_execution_id: Its id.
            view: How much to return.
            payloads: Only these payloads of the FULL view, of result, published and
                published_global;
                empty = all. For what would be too large together.

        Raises:
            TaskExecutionNotFound: There is none of that id.
        """
        return await self._transport.unary(
            tasks.get_task(self._scope, task_execution_id, view=view, payloads=payloads)
        )

    async def skip(
        self, task_execution_id: str, *, result: object = None, reason: str = ""
    ) -> models.TaskExecution:
        """Skips a failed task: what would have followed its success, follows.

        Args:
            task_execution_id: Its id.
            result: What counts as its result; None = what its actions gave stays.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            TaskExecutionNotFound: There is none of that id.
            WrongExecutionState: It has not failed, or an execution above it succeeded or is
                paused.
            PayloadError: The result cannot be sent as JSON.
        """
        return await self._transport.unary(
            tasks.skip(self._scope, task_execution_id, result=result, reason=reason)
        )

    async def retry(self, task_execution_id: str, *, reason: str = "") -> models.TaskExecution:
        """Lets a task go on now that waits for its next attempt, or for another time.

        Args:
            task_execution_id: Its id.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            TaskExecutionNotFound: There is none of that id.
            WrongExecutionState: It does not wait for time, or its execution does not run.
        """
        return await self._transport.unary(
            tasks.retry(self._scope, task_execution_id, reason=reason)
        )


class ActionExecutions:
    """Action executions: attempts of tasks. The asynchronous ones are completed from outside."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def get(
        self,
        action_execution_id: str,
        *,
        view: models.View = models.View.FULL,
        payloads: Sequence[str] = (),
    ) -> models.ActionExecution:
        """Returns one action execution.

        Args:
            action_execution_id: Its id.
            view: How much to return.
            payloads: Only these payloads of the FULL view, of input and output;
                empty = all. For what would be too large together.

        Raises:
            ActionExecutionNotFound: There is none of that id.
        """
        return await self._transport.unary(
            tasks.get_action(self._scope, action_execution_id, view=view, payloads=payloads)
        )

    def list(
        self,
        task_execution_id: str,
        *,
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.ActionExecution, None]:
        """Yields the action executions of a task execution, in order of their creation.

        Args:
            task_execution_id: Id of the task execution.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.

        Raises:
            TaskExecutionNotFound: There is no such task execution.
        """
        return pages.items(
            self._transport,
            tasks.list_actions(
                self._scope,
                task_execution_id=task_execution_id,
                page_size=page_size,
                view=view,
            ),
        )

    async def complete(
        self, action_execution_id: str, result: object = None
    ) -> models.ActionExecution:
        """Completes an action execution that runs outside, with its result.

        Args:
            action_execution_id: Its id.
            result: Anything that the converter turns into JSON, or `Binary`; at most 1 MiB.

        Raises:
            ActionExecutionNotFound: There is none of that id.
            WrongActionState: It is completed already.
            PayloadError: The result cannot be sent as JSON.
            PayloadRefused: The result is too large.
        """
        return await self._transport.unary(tasks.complete(self._scope, action_execution_id, result))

    async def fail(self, action_execution_id: str, error: object) -> models.ActionExecution:
        """Completes an action execution that runs outside, with an error.

        Args:
            action_execution_id: Its id.
            error: The error result: any value, often a text; at most 1 MiB.

        Raises:
            ActionExecutionNotFound: There is none of that id.
            WrongActionState: It is completed already.
            PayloadError: The error cannot be sent as JSON.
        """
        return await self._transport.unary(tasks.fail(self._scope, action_execution_id, error))

    async def update(
        self, action_execution_id: str, state: models.ActionState, *, reason: str = ""
    ) -> models.ActionExecution:
        """Pauses, resumes or cancels an asynchronous action execution.

        Args:
            action_execution_id: Its id.
            state: RUNNING, PAUSED or CANCELLED.
            reason: Why, for the record; at most 4 KiB.

        Raises:
            ActionExecutionNotFound: There is none of that id.
            WrongActionState: It is completed already, or is not asynchronous.
            InvalidArgument: It cannot be brought into that state.
        """
        return await self._transport.unary(
            tasks.update(self._scope, action_execution_id, state=state, reason=reason)
        )
