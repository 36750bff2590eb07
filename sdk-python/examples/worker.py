"""Provides an action, until it is told to end.

Usage: python worker.py [ADDRESS]

The address of a running server is the argument, or AUTAN_SERVER, or localhost:7233:

    autan serve --dev &
    python worker.py &
    autan action run stock.reserve --input sku=lamp --input count=3
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from dataclasses import dataclass

from autan import ActionContext, Client, NonRetryable, Worker, action

STOCK = {"lamp": 5, "chair": 0}


@dataclass
class Reserve:
    """What is wanted."""

    sku: str
    count: int = 1


@dataclass
class Reserved:
    """What was reserved."""

    sku: str
    left: int


@action("stock.reserve", start_to_close=60, heartbeat=10)
async def reserve(wanted: Reserve, ctx: ActionContext) -> Reserved:
    """Reserves items, one after another."""
    if wanted.sku not in STOCK:
        raise NonRetryable(LookupError(f"there is no {wanted.sku}"))
    for number in range(wanted.count):
        ctx.heartbeat({"reserved": number})
        await asyncio.sleep(0.1)
    ctx.logger.info("reserved %d of %s", wanted.count, wanted.sku)
    return Reserved(wanted.sku, STOCK[wanted.sku] - wanted.count)


async def main(address: str) -> None:
    """Runs until a signal asks the program to end."""
    async with Client(address) as client:
        await Worker(client, actions=[reserve]).run()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    given = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("AUTAN_SERVER", "localhost:7233")
    asyncio.run(main(given))
