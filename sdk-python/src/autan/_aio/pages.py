"""Lists that fetch their next page when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from autan._core.call import Call, Page, T
    from autan._transport.aio import AioTransport


async def items(
    transport: AioTransport, page: Callable[[str], Call[Page[T]]]
) -> AsyncGenerator[T, None]:
    """Yields the items of all pages; a page may be short or empty without being the last."""
    token = ""
    while True:
        answer = await transport.unary(page(token))
        for item in answer.items:
            yield item
        token = answer.next_token
        if not token:
            return
