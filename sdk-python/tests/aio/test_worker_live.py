"""Workers against a real server, started for each test by `autan.testing`.

Without a binary these are skipped, loudly; in CI they fail.
"""

from __future__ import annotations

import dataclasses
import queue
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from autan import (
    ActionContext,
    CancelCause,
    Client,
    Deferred,
    ExecutionCancelled,
    ExecutionFailed,
    NonRetryable,
    Task,
    Worker,
    Workflow,
    action,
    errors,
    models,
)
from live import local_server

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 60.0


@dataclasses.dataclass
class Order:
    sku: str
    count: int = 1


@action("stock.reserve", start_to_close=60)
def reserve(order: Order, ctx: ActionContext) -> dict[str, Any]:
    """Reserves an item."""
    return {"sku": order.sku, "count": order.count, "attempt": ctx.attempt, "task": ctx.task_name}


@action("stock.flaky")
def flaky(ctx: ActionContext) -> dict[str, Any]:
    if ctx.attempt < 3:
        raise LookupError("not yet")
    return {"attempt": ctx.attempt, "key": ctx.idempotency_key}


@action("stock.never")
def never() -> None:
    raise NonRetryable(ValueError("no such item"), details={"sku": "?"})


RESERVE = Workflow(
    "reserve",
    input=["sku"],
    output={"reserved": "<% $.reserved %>"},
    tasks=[
        Task(
            "ask",
            action="stock.reserve",
            input={"sku": "<% $.sku %>"},
            publish={"reserved": "<% task().result %>"},
        )
    ],
)
RETRIED = """
version: '2.0'
retried:
  tasks:
    flaky:
      action: stock.flaky
      retry: count=5 delay=0
      publish:
        got: <% task().result %>
  output:
    got: <% $.got %>
refused:
  tasks:
    never:
      action: stock.never
      retry: count=5 delay=0
"""


async def attempts_of(client: Client, execution_id: str) -> list[models.ActionExecution]:
    """Returns the attempts of the only task, with everything that is known of them."""
    found = [a.action_execution_id async for a in client.execution(execution_id).actions()]
    return [await client.action_executions.get(each) for each in found]


async def test_workflow() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.workflows.create(RESERVE)
        # The task waits for a worker.
        run = await client.start("reserve", {"sku": "lamp"})
        async with Worker(client, actions=[reserve]) as worker:
            await worker.wait_connected(PATIENCE)
            expected = {"sku": "lamp", "count": 1, "attempt": 1, "task": "ask"}
            assert await run.result(timeout=PATIENCE) == {"reserved": expected}
            (attempt,) = await attempts_of(client, run.id)
            assert attempt.lease is not None
            assert attempt.lease.worker_id == worker.worker_id
            listed = {w.worker_id: w async for w in client.workers.list()}
            assert listed[worker.worker_id].actions == ("stock.reserve",)
            assert worker.health().connected


async def test_failures() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.workflows.create(RETRIED)
        async with Worker(client, actions=[flaky, never, reserve]):
            run = await client.start("retried")
            got = (await run.result(timeout=PATIENCE))["got"]
            assert got["attempt"] == 3
            failed = [a.failure for a in await attempts_of(client, run.id)][:2]
            assert [f and f.type for f in failed] == ["LookupError", "LookupError"]

            run = await client.start("refused")
            with pytest.raises(ExecutionFailed):
                await run.result(timeout=PATIENCE)
            (attempt,) = await attempts_of(client, run.id)
            assert attempt.failure is not None
            assert (attempt.failure.type, attempt.output) == ("ValueError", {"sku": "?"})
            assert "test_worker_live.py" in attempt.failure.stack

            run = await client.run_action("stock.reserve", {"sku": 1})
            with pytest.raises(ExecutionFailed, match=r"input\.sku: expected str"):
                await run.result(timeout=PATIENCE)


async def test_deferred() -> None:
    begun: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    @action("stock.later")
    def later(ctx: ActionContext) -> Deferred:
        begun.put((ctx.token, ctx.action_execution_id))
        return ctx.defer()

    async with local_server() as server, Client(server.address) as client:
        async with Worker(client, actions=[later]) as worker:
            await worker.wait_connected(PATIENCE)
            first = await client.run_action("stock.later")
            _, action_execution_id = begun.get(timeout=PATIENCE)
            second = await client.run_action("stock.later")
            token, _ = begun.get(timeout=PATIENCE)
        # The worker is gone, and nobody misses it.
        await client.action_executions.complete(action_execution_id, {"by": "id"})
        assert await first.result(timeout=PATIENCE) == {"by": "id"}
        await client.complete_task(token, {"by": "token"})
        assert await second.result(timeout=PATIENCE) == {"by": "token"}


async def test_cancel() -> None:
    begun = threading.Event()
    causes: list[CancelCause | None] = []

    @action("stock.wait")
    def wait(ctx: ActionContext) -> None:
        begun.set()
        ctx.wait_cancelled(PATIENCE)
        causes.append(ctx.cancel_cause)

    async with (
        local_server() as server,
        Client(server.address) as client,
        Worker(client, actions=[wait]) as worker,
    ):
        await worker.wait_connected(PATIENCE)
        run = await client.run_action("stock.wait")
        assert begun.wait(PATIENCE)
        await run.cancel(reason="enough")
        with pytest.raises(ExecutionCancelled):
            await run.result(timeout=PATIENCE)
    # The worker has ended, and so has the function.
    assert causes == [CancelCause.REQUESTED]


async def test_calls() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.queues.update("stock", paused=False)
        # Whoever asks for work of an action makes it known.
        assert not (await client.poll_tasks(["stock.polled"], queue="stock", wait=0)).tasks
        run = await client.run_action("stock.polled", {"sku": "lamp"})
        polled = await client.poll_tasks(["stock.polled"], queue="stock", wait=10)
        (task,) = polled.tasks
        assert (task.input, task.attempt) == ({"sku": "lamp"}, 1)
        renewed = await client.heartbeat_tasks({task.token: {"pct": 50}})
        assert renewed.tasks[0].status is models.LeaseStatus.HELD
        (attempt,) = await attempts_of(client, run.id)
        assert attempt.lease is not None
        assert attempt.lease.progress == {"pct": 50}
        await client.release_task(task.token)
        with pytest.raises(errors.TaskLeaseLost):
            await client.complete_task(task.token, "late")
        polled = await client.poll_tasks(["stock.polled"], queue="stock", wait=10)
        (again,) = polled.tasks
        assert (again.idempotency_key, again.progress) == (task.idempotency_key, {"pct": 50})
        await client.complete_task(again.token, "done")
        # Repeating it is the same.
        await client.complete_task(again.token, "done")
        assert await run.result(timeout=PATIENCE) == "done"


async def test_queue() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.queues.update("stock", paused=True)
        async with Worker(client, "stock", actions=[reserve]) as worker:
            await worker.wait_connected(PATIENCE)
            run = await client.run_action("stock.reserve", {"sku": "lamp"})
            with pytest.raises(errors.DeadlineExceeded):
                await run.wait(timeout=0.2)
            stock = await client.queues.get("stock")
            assert (stock.paused, stock.backlog, stock.workers) == (True, 1, 1)
            await client.queues.update("stock", paused=False, etag=stock.etag)
            assert (await run.result(timeout=PATIENCE))["sku"] == "lamp"
            with pytest.raises(errors.QueueNotFound):
                await client.queues.get("missing")
            with pytest.raises(errors.WorkerNotFound):
                await client.workers.get(str(uuid.uuid4()))


async def test_server_that_is_killed(tmp_path: Path) -> None:
    begun, go = threading.Event(), threading.Event()

    @action("stock.long")
    def long(ctx: ActionContext) -> int:
        begun.set()
        go.wait(PATIENCE)
        return ctx.delivery

    async with local_server(data_dir=tmp_path) as server, Client(server.address) as client:
        # The next server is to be found at the same address.
        port = int(server.address.rpartition(":")[2])
        async with Worker(client, actions=[long]) as worker:
            await worker.wait_connected(PATIENCE)
            run = await client.run_action("stock.long", id="long")
            begun.wait(PATIENCE)
            server.kill()
            go.set()
            async with local_server(data_dir=tmp_path, port=port) as second:
                assert second.address == server.address
                # The function has run once: its worker has kept the result.
                assert await client.execution(run.id).wait(timeout=PATIENCE)
                (attempt,) = await attempts_of(client, run.id)
                assert attempt.output == 1
                worker.stop()
