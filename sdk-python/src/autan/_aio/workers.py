"""Looking after workers and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan._aio import pages
from autan._core import workers

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from autan import models
    from autan._core.call import Scope
    from autan._transport.aio import AioTransport


class Workers:
    """Programs that provide actions, as the server knows them."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    def list(self, *, page_size: int = 0) -> AsyncGenerator[models.WorkerInfo, None]:
        """Yields the workers that were heard of lately, by their ids.

        Args:
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
        """
        return pages.items(self._transport, workers.list_workers(self._scope, page_size=page_size))

    async def get(self, worker_id: str) -> models.WorkerInfo:
        """Returns one worker.

        Args:
            worker_id: Its id.

        Raises:
            WorkerNotFound: There is none, or it was not heard of for long.
        """
        return await self._transport.unary(workers.get_worker(self._scope, worker_id))

    async def drain(self, worker_id: str, *, reason: str = "") -> int:
        """Gives a worker no more tasks; returns how many it still has, which stay with it.

        Args:
            worker_id: Its id.
            reason: Why, for the log; at most 4 KiB.

        Raises:
            WorkerNotFound: There is none, or it was not heard of for long.
        """
        return await self._transport.unary(workers.drain(self._scope, worker_id, reason=reason))


class Queues:
    """Where tasks wait for workers."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    def list(self, *, page_size: int = 0) -> AsyncGenerator[models.QueueInfo, None]:
        """Yields the queues that workers serve, that have work, or that were changed, by name.

        Args:
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
        """
        return pages.items(self._transport, workers.list_queues(self._scope, page_size=page_size))

    async def get(self, queue: str) -> models.QueueInfo:
        """Returns one queue.

        Args:
            queue: Its name.

        Raises:
            QueueNotFound: There is none of that name.
        """
        return await self._transport.unary(workers.get_queue(self._scope, queue))

    async def update(
        self,
        queue: str,
        *,
        paused: bool | None = None,
        limits: models.QueueLimits | None = None,
        action_limits: Mapping[str, models.QueueLimits] | None = None,
        etag: str = "",
    ) -> models.QueueInfo:
        """Pauses a queue, lets it go on, or changes its limits. What workers have stays with them.

        Args:
            queue: Its name; it need not exist.
            paused: Pauses it, or lets it go on; None = as it is.
            limits: Limits of all its tasks together; None = as they are.
            action_limits: Limits of single actions, by name; those that are not named stay as they
                are, empty ones go.
            etag: The etag that was read; empty = whatever it is.

        Raises:
            EtagMismatch: The queue was changed meanwhile.
            InvalidArgument: A limit is negative, or a name is too long.
        """
        return await self._transport.unary(
            workers.update_queue(
                self._scope,
                queue,
                paused=paused,
                limits=limits,
                action_limits=action_limits or {},
                etag=etag,
            )
        )
