"""Provides the actions of the scenarios for workers through the Python SDK.

Those of the other languages provide the same; `tests/workers/README.md` says what they do. Prints
"ready" when the server has welcomed it, logs to stderr, and drains on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import math
import os
from pathlib import Path
from typing import Any

from autan import (
    ActionContext,
    AutanError,
    CancelCause,
    Client,
    Deferred,
    NonRetryable,
    RetryAfter,
    Worker,
)
from autan import action as provided


class Flaky(Exception):
    """An error that passes."""


class Outer(Exception):
    """An error with a cause."""


class Inner(Exception):
    """The cause of an error."""


@provided("test.echo")
def echo(value: Any) -> Any:
    return value


@provided("test.add")
def add(a: Any, b: Any) -> Any:
    return a + b


@provided("test.sum_list")
def sum_list(items: list[Any]) -> Any:
    return sum(items)


@provided("test.fail_n_times")
def fail_n_times(n: int, ctx: ActionContext, message: str = "flaky") -> dict[str, int]:
    if ctx.attempt <= n:
        raise Flaky(message)
    return {"attempt": ctx.attempt}


@provided("test.non_retryable")
def non_retryable(message: str = "never") -> None:
    raise NonRetryable(message)


@provided("test.retry_after")
def retry_after(seconds: float, ctx: ActionContext) -> int:
    if ctx.attempt == 1:
        raise RetryAfter(seconds, "not yet")
    return ctx.attempt


@provided("test.slow")
async def slow(seconds: float, heartbeat_every: float, ctx: ActionContext) -> dict[str, Any]:
    steps = max(1, math.ceil(seconds / heartbeat_every))
    for step in range(1, steps + 1):
        await asyncio.sleep(heartbeat_every)
        ctx.heartbeat({"step": step})
    return {"steps": steps, "earlier": ctx.progress}


@provided("test.until_cancelled")
async def until_cancelled(ctx: ActionContext) -> None:
    begun()
    try:
        await asyncio.Event().wait()
    finally:
        if ctx.cancel_cause is CancelCause.REQUESTED:
            note(f"cancelled {ctx.idempotency_key}")


def note(line: str) -> None:
    log = os.environ.get("AUTAN_TEST_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def begun() -> None:
    log = os.environ.get("AUTAN_TEST_LOG")
    if log:
        Path(f"{log}.begun").touch()


@provided("test.block")
def block(file: str, ctx: ActionContext) -> str:
    begun()
    while not Path(file).exists():
        ctx.wait_cancelled(0.02)
        ctx.check()
    return Path(file).read_text(encoding="utf-8")


@provided("test.big")
def big(bytes: int) -> str:
    return "x" * bytes


@provided("test.raise_with_cause")
def raise_with_cause() -> None:
    raise Outer("outer") from Inner("inner")


@provided("test.deferred")
def deferred(ctx: ActionContext) -> Deferred:
    return ctx.defer()


@provided("test.context")
def context(ctx: ActionContext) -> dict[str, Any]:
    names = (
        "project execution_uid workflow_name task_name task_execution_id action_execution_id "
        "item_index action queue attempt delivery idempotency_key required_version affinity_key"
    )
    return {name: getattr(ctx, name) for name in names.split()}


@provided("test.where", queue="second", version="2")
def where(ctx: ActionContext) -> dict[str, Any]:
    return context(ctx)


@provided("test.die")
def die(ctx: ActionContext) -> dict[str, int]:
    if ctx.delivery == 1:
        # Not even the interpreter is to clean up.
        os._exit(9)
    return {"delivery": ctx.delivery}


def calling(client: Client) -> list[Any]:
    """Actions that end their tasks by calls."""

    @provided("test.complete_twice")
    async def complete_twice(ctx: ActionContext) -> str:
        for _ in range(2):
            await client.complete_task(ctx.token, "by call")
        return "by return"

    @provided("test.late")
    async def late(file: str, ctx: ActionContext) -> str:
        while not Path(file).exists():  # noqa: ASYNC240 - a local file.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)
        try:
            await client.complete_task(ctx.token, "late")
            note("late")
        except AutanError as error:
            note(f"late {error.reason}")
        return "late"

    return [complete_twice, late]


ACTIONS = [
    echo,
    add,
    sum_list,
    fail_n_times,
    non_retryable,
    retry_after,
    slow,
    until_cancelled,
    block,
    big,
    raise_with_cause,
    deferred,
    context,
    where,
    die,
]


async def work() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    env = os.environ.get
    parser.add_argument("--server", default=env("AUTAN_SERVER", ""), help="address of the server")
    parser.add_argument("--project", default=env("AUTAN_PROJECT", ""), help="tenant")
    parser.add_argument("--queue", default="default", help="queue to take tasks from")
    parser.add_argument("--max-tasks", type=int, default=50, help="functions at the same time")
    parser.add_argument("--drain-timeout", type=float, default=30.0, help="seconds, at the end")
    options = parser.parse_args()
    logging.basicConfig(
        level=logging.DEBUG, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    async with Client(options.server, project=options.project) as client:
        worker = Worker(
            client,
            options.queue,
            actions=ACTIONS + calling(client),
            max_tasks=options.max_tasks,
            drain_timeout=options.drain_timeout,
            labels={"language": "python"},
        )
        running = asyncio.create_task(worker.run())
        # The task begins when this one waits.
        await asyncio.sleep(0)
        ready = asyncio.create_task(announce(worker))
        await running
        ready.cancel()


async def announce(worker: Worker) -> None:
    await worker.wait_connected()
    print("ready", flush=True)  # noqa: T201 - the scenario waits for it.


if __name__ == "__main__":
    asyncio.run(work())
