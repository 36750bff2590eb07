"""Batches: one verb for many executions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan._aio import pages
from autan._core import batches

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from autan import models
    from autan._core.call import Scope
    from autan._transport.aio import AioTransport


class Batches:
    """Verbs for many executions of the project, such as `BatchPause()`."""

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def start(
        self,
        verb: models.BatchVerb,
        *,
        filter: str = "",
        ids: Sequence[str] = (),
        rate: int = 0,
        reason: str = "",
    ) -> models.BatchOperation:
        """Begins to apply a verb to many executions; it goes on at the server.

        Args:
            verb: What to do, such as `models.BatchRerun(reset=True)`.
            filter: As of `executions.list`. Executions are found as it goes on: those that were
                started before and match when their turn comes; sub-workflows, too, unless it says
                otherwise. Either this or `ids`.
            ids: Ids or uids, at most 1000.
            rate: Most executions a second, 1 to 1000; 0 = 50.
            reason: Why, for the record of each execution.

        Raises:
            InvalidFilter: The filter does not parse, or names an unknown field.
            InvalidField: Neither or both of `filter` and `ids` are given, or the rate is odd.
        """
        return await self._transport.unary(
            batches.start(self._scope, verb, filter=filter, ids=ids, rate=rate, reason=reason)
        )

    async def preview(
        self, verb: models.BatchVerb, *, filter: str = "", ids: Sequence[str] = ()
    ) -> models.BatchPreview:
        """Says how many executions a batch would come to, and names some; changes nothing.

        Args:
            verb: As of `start`.
            filter: As of `start`.
            ids: As of `start`.

        Raises:
            InvalidFilter: The filter does not parse, or names an unknown field.
        """
        return await self._transport.unary(
            batches.preview(self._scope, verb, filter=filter, ids=ids)
        )

    async def get(self, batch_id: str) -> models.BatchOperation:
        """Returns how far a batch operation is. They are kept for 30 days after their end.

        Args:
            batch_id: Its id.

        Raises:
            BatchNotFound: There is no such operation.
        """
        return await self._transport.unary(batches.get(self._scope, batch_id))

    def list(self, *, page_size: int = 0) -> AsyncGenerator[models.BatchOperation, None]:
        """Yields batch operations, newest first, fetching pages as needed.

        Args:
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
        """
        return pages.items(self._transport, batches.list_(self._scope, page_size=page_size))

    async def cancel(self, batch_id: str) -> models.BatchOperation:
        """Ends a batch operation after the executions under way; what was done stays.

        Cancelling a finished one changes nothing.

        Args:
            batch_id: Its id.

        Raises:
            BatchNotFound: There is no such operation.
        """
        return await self._transport.unary(batches.cancel(self._scope, batch_id))

    async def wait(self, batch_id: str) -> models.BatchOperation:
        """Waits until a batch operation is finished.

        Args:
            batch_id: Its id.

        Raises:
            BatchNotFound: There is no such operation.
        """
        while True:
            batch = await self.get(batch_id)
            if batch.state.final:
                return batch
            await self._transport.sleep(batches.WAIT_INTERVAL)
