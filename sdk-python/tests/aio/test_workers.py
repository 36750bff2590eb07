"""Taking tasks by calls, workers and queues, against a scripted server."""

from __future__ import annotations

import pytest
from grpc import StatusCode

from autan import Client, errors, models
from autan._proto.v1 import payloads_pb2, tasks_pb2
from autan._proto.v1 import workers_pb2 as pb
from fake import FakeServer, Refusal
from messages import AT_ONCE, info, seconds

LOST = Refusal(StatusCode.FAILED_PRECONDITION, "late", [info("TASK_LEASE_LOST", why="expired")])


def client_of(fake: FakeServer) -> Client:
    return Client(fake.address, project="p", retry=AT_ONCE)


async def test_poll(fake: FakeServer) -> None:
    dealt = pb.WorkerTask(
        token="t1",
        action="stock.reserve",
        input=payloads_pb2.Payload(json='{"sku":"a"}'),
        attempt=2,
        delivery=1,
        progress=payloads_pb2.Payload(json='{"pct":50}'),
        heartbeat_timeout=seconds(5),
        execution_uid="e1",
    )
    answer = pb.PollTasksResponse(
        tasks=[dealt], lease_duration=seconds(30), heartbeat_interval=seconds(10)
    )
    fake.on("PollTasks", answer)
    spec = models.ActionSpec(
        name="stock.release",
        input=(models.InputParameter(name="sku", required=False, default_value="x"),),
        start_to_close=60,
    )
    async with client_of(fake) as client:
        polled = await client.poll_tasks(["stock.reserve", spec], queue="eu", max_tasks=3, wait=0.5)
        await client.poll_tasks(["stock.reserve"])
        with pytest.raises(TypeError):
            await client.poll_tasks("stock.reserve")
    (task,) = polled.tasks
    assert (task.input, task.progress, task.attempt) == ({"sku": "a"}, {"pct": 50}, 2)
    assert (task.heartbeat_timeout, task.deadline) == (5, None)
    assert (polled.lease_duration, polled.heartbeat_interval, polled.drained) == (30, 10, False)
    first, second = fake.requests["PollTasks"]
    (queue,) = first.queues
    assert (queue.queue, first.max_tasks, first.wait.ToMilliseconds()) == ("eu", 3, 500)
    assert [a.name for a in queue.actions] == ["stock.reserve", "stock.release"]
    assert queue.actions[1].input[0].default_value.json == '"x"'
    assert queue.actions[1].start_to_close_timeout.seconds == 60
    assert not queue.actions[1].HasField("heartbeat_timeout")
    # All calls of a client are those of one worker.
    assert first.worker.worker_id == second.worker.worker_id
    assert first.worker.sdk.startswith("autan-python")


async def test_heartbeats(fake: FakeServer) -> None:
    lease = pb.TaskHeartbeatResult(
        token="t1", status="LEASE_STATUS_CANCEL_REQUESTED", reason="enough"
    )
    fake.on("HeartbeatTasks", pb.HeartbeatTasksResponse(tasks=[lease], drained=True))
    async with client_of(fake) as client:
        renewed = await client.heartbeat_tasks({"t1": {"pct": 1}, "t2": None})
        await client.heartbeat_tasks(["t1"])
        with pytest.raises(TypeError):
            await client.heartbeat_tasks("t1")
        with pytest.raises(errors.PayloadError, match="65536"):
            await client.heartbeat_tasks({"t1": "x" * 70_000})
    assert renewed.tasks[0].status is models.LeaseStatus.CANCEL_REQUESTED
    assert (renewed.tasks[0].reason, renewed.drained) == ("enough", True)
    first, second = fake.requests["HeartbeatTasks"]
    said = [(t.token, t.HasField("progress"), t.progress.json) for t in first.tasks]
    assert said == [("t1", True, '{"pct":1}'), ("t2", False, "")]
    assert [t.token for t in second.tasks] == ["t1"]


async def test_ends(fake: FakeServer) -> None:
    fake.on("CompleteTask", pb.CompleteTaskResponse(), pb.CompleteTaskResponse(), LOST)
    fake.on("FailTask", pb.FailTaskResponse())
    fake.on("ReleaseTask", pb.ReleaseTaskResponse())
    async with client_of(fake) as client:
        await client.complete_task("t1", {"n": 1})
        await client.defer_task("t2")
        with pytest.raises(errors.TaskLeaseLost) as caught:
            await client.complete_task("t3")
        await client.fail_task("t4", "no", type="Full", details=[1], retry_after=1.5)
        await client.fail_task("t5", "never", non_retryable=True)
        await client.release_task("t6")
    assert (caught.value.reason, caught.value.metadata) == ("TASK_LEASE_LOST", {"why": "expired"})
    completed = [(r.token, r.result.json, r.deferred) for r in fake.requests["CompleteTask"]]
    assert completed == [("t1", '{"n":1}', False), ("t2", "", True), ("t3", "null", False)]
    first, second = [r.failure for r in fake.requests["FailTask"]]
    assert (first.failure.type, first.failure.message) == ("Full", "no")
    assert (first.failure.details.json, first.retry_after.ToMilliseconds()) == ("[1]", 1500)
    assert (second.non_retryable, second.HasField("retry_after")) == (True, False)
    assert [r.token for r in fake.requests["ReleaseTask"]] == ["t6"]


async def test_workers(fake: FakeServer) -> None:
    one = pb.Worker(
        worker=pb.WorkerIdentity(worker_id="w1", identity="host:1", labels={"zone": "a"}),
        queues=["default"],
        actions=["stock.reserve"],
        connected=True,
        leased=2,
    )
    fake.on("ListWorkers", pb.ListWorkersResponse(workers=[one]))
    fake.on("GetWorker", pb.GetWorkerResponse(worker=one))
    missing = Refusal(StatusCode.NOT_FOUND, "who?", [info("WORKER_NOT_FOUND")])
    fake.on("DrainWorker", pb.DrainWorkerResponse(leased=2), missing)
    async with client_of(fake) as client:
        (listed,) = [w async for w in client.workers.list(page_size=7)]
        assert listed == await client.workers.get("w1")
        assert await client.workers.drain("w1", reason="old") == 2
        with pytest.raises(errors.WorkerNotFound):
            await client.workers.drain("w2")
    assert (listed.worker_id, listed.identity, listed.labels) == ("w1", "host:1", {"zone": "a"})
    assert (listed.actions, listed.connected, listed.leased) == (("stock.reserve",), True, 2)
    assert fake.requests["ListWorkers"][0].page_size == 7
    assert fake.requests["DrainWorker"][0].reason == "old"


async def test_queues(fake: FakeServer) -> None:
    one = pb.Queue(
        queue="eu",
        limits=pb.QueueLimits(concurrency=5),
        action_limits={"a": pb.QueueLimits(rate_per_second=0.5, burst=2)},
        backlog=3,
        etag="x",
    )
    fake.on("ListQueues", pb.ListQueuesResponse(queues=[one]))
    fake.on("GetQueue", pb.GetQueueResponse(queue=one))
    fake.on("UpdateQueue", pb.UpdateQueueResponse(queue=one))
    async with client_of(fake) as client:
        (listed,) = [q async for q in client.queues.list()]
        assert listed == await client.queues.get("eu")
        limits = {"a": models.QueueLimits(concurrency=1)}
        await client.queues.update("eu", paused=True, action_limits=limits, etag=listed.etag)
        await client.queues.update("eu", paused=False, limits=models.QueueLimits(burst=9))
        await client.queues.update("eu", limits=models.QueueLimits())
    assert (listed.limits.concurrency, listed.backlog) == (5, 3)
    assert listed.action_limits["a"] == models.QueueLimits(rate_per_second=0.5, burst=2)
    changes = fake.requests["UpdateQueue"]
    assert [(r.HasField("paused"), r.paused) for r in changes] == [
        (True, True),
        (True, False),
        (False, False),
    ]
    assert [r.HasField("limits") for r in changes] == [False, True, True]
    assert (changes[0].action_limits["a"].concurrency, changes[0].etag) == (1, "x")


async def test_action_execution_of_a_worker(fake: FakeServer) -> None:
    failure = payloads_pb2.Failure(
        type="Outer", message="outer", cause=payloads_pb2.Failure(type="Inner", stack="at x")
    )
    lease = tasks_pb2.ActionLease(
        worker_id="w1", queue="eu", progress=payloads_pb2.Payload(json="7")
    )
    found = tasks_pb2.ActionExecution(action_execution_id="a1", lease=lease, failure=failure)
    fake.on("GetActionExecution", tasks_pb2.GetActionExecutionResponse(action_execution=found))
    async with client_of(fake) as client:
        action = await client.action_executions.get("a1")
    assert action.lease is not None
    assert (action.lease.queue, action.lease.progress, action.lease.expire_time) == ("eu", 7, None)
    inner = models.Failure(type="Inner", message="", stack="at x")
    assert action.failure == models.Failure(type="Outer", message="outer", cause=inner)
