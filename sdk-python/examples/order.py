"""Defines a workflow, starts it, follows it, and prints its result.

Usage: python order.py [ADDRESS]

The address of a running server is the argument, or AUTAN_SERVER, or localhost:7233:

    autan serve --dev &
    python order.py
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from decimal import Decimal

from autan import Client, ExecutionFailed, Fail, Go, Input, Retry, Task, Workflow


@dataclass
class Line:
    """Something ordered."""

    sku: str
    count: int


@dataclass
class Order:
    """What the workflow is started with."""

    order_id: int
    total: Decimal
    lines: list[Line]


@dataclass
class Shipment:
    """What the workflow results in."""

    order_id: int
    receipt: str
    parcels: list[str]


WORKFLOW = Workflow(
    "example_order",
    description="Charges an order, packs each of its lines, and ships them.",
    input=["order_id", "total", "lines", Input("currency", default="EUR")],
    output={
        "order_id": "<% $.order_id %>",
        "receipt": "<% $.receipt %>",
        "parcels": "<% $.parcels %>",
    },
    tasks=[
        Task(
            "check",
            on_success=[
                Go("charge", when="<% $.lines.len() > 0 %>"),
                Fail("the order is empty", when="<% $.lines.len() = 0 %>"),
            ],
        ),
        Task(
            "charge",
            action="std.echo",
            input={"output": "charged <% $.total %> <% $.currency %>"},
            publish={"receipt": "<% task().result %>"},
            retry=Retry(count=3, delay=1),
            on_success="pack",
        ),
        Task(
            "pack",
            action="std.echo",
            with_items="line in <% $.lines %>",
            input={"output": "<% $.line.count %> x <% $.line.sku %>"},
            publish={"parcels": "<% task().result %>"},
        ),
    ],
)


async def main(address: str) -> int:
    """Runs the example; returns the exit code."""
    async with Client(address) as client:
        applied = await client.workflows.create(WORKFLOW, allow_existing=True)
        print(f"{applied.workflows[0].name}, revision {applied.workflows[0].revision}")

        # An order is charged once, however often this is called: the id makes the start safe to
        # repeat, and a second run of this example shows the result of the first.
        order = Order(42, Decimal("19.90"), [Line("tea", 2), Line("cup", 1)])
        run = await client.start("example_order", order, id=f"order-{order.order_id}")
        print(f"execution {run.id} {'started' if run.started else 'was there already'}")

        async for event in run.events():
            print(f"{event.sequence:4} {event.type:24} {event.task_name}")

        try:
            shipment = await run.result(Shipment, timeout=60)
        except ExecutionFailed as failure:
            print(f"failed: {failure}", file=sys.stderr)
            return 1
        print(f"{shipment.receipt}; parcels: {', '.join(shipment.parcels)}")

        tasks = [f"{t.task_name} {t.state}" async for t in run.tasks()]
        print("tasks:", ", ".join(tasks))
        return 0


if __name__ == "__main__":
    server = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("AUTAN_SERVER", "localhost:7233")
    sys.exit(asyncio.run(main(server)))
