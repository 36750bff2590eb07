"""Workers against a scripted server, over real connections."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest

from autan import (
    ActionContext,
    CancelCause,
    Client,
    SyncClient,
    SyncWorker,
    Worker,
    action,
    errors,
)
from autan._proto.v1 import workers_pb2 as pb
from autan._worker.link import Settings
from messages import seconds
from worker_server import PATIENCE, Session, WorkerServer, task

QUICK = Settings(reconnect_first=0.001, reconnect_max=0.01, unary_after=0.0)


@action("add")
def add(a: int, b: int = 1) -> int:
    return a + b


@dataclasses.dataclass
class Gate:
    """An action that a test holds up."""

    begun: threading.Event = dataclasses.field(default_factory=threading.Event)
    go: threading.Event = dataclasses.field(default_factory=threading.Event)
    cancelled: threading.Event = dataclasses.field(default_factory=threading.Event)
    causes: list[CancelCause | None] = dataclasses.field(default_factory=list)

    def actions(self) -> list[Any]:
        @action("held", version="2", heartbeat=9, start_to_close=60)
        def held(ctx: ActionContext) -> str:
            """Waits for the test."""
            self.begun.set()
            assert self.go.wait(PATIENCE)
            return f"cancelled {ctx.cancelled}"

        @action("until_cancelled")
        def until_cancelled(ctx: ActionContext) -> str:
            self.begun.set()
            assert ctx.wait_cancelled(PATIENCE)
            self.causes.append(ctx.cancel_cause)
            self.cancelled.set()
            return "too late"

        @action("until_interrupted")
        async def until_interrupted(ctx: ActionContext) -> None:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.causes.append(ctx.cancel_cause)
                self.cancelled.set()

        return [add, held, until_cancelled, until_interrupted]


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.go.set()


def worker_of(
    server: WorkerServer, gate: Gate, settings: Settings = QUICK, **options: Any
) -> SyncWorker:
    options.setdefault("actions", gate.actions())
    worker = SyncWorker(SyncClient(server.address, project="p", token="secret"), **options)
    worker._settings = settings
    return worker


@contextmanager
def stopped(worker: SyncWorker) -> Iterator[None]:
    """Stops a worker in a thread: for tests that script the end."""
    thread = threading.Thread(target=worker.__exit__, args=(None, None, None))
    thread.start()
    yield
    thread.join(PATIENCE)
    assert not thread.is_alive()


# Sessions


def test_hello(server: WorkerServer, gate: Gate) -> None:
    labels = {"zone": "a"}
    options: dict[str, Any] = {
        "identity": "me",
        "build_id": "7",
        "labels": labels,
        "max_outstanding_bytes": 9,
    }
    with worker_of(server, gate, queue="eu", max_tasks=3, **options) as worker:
        session = server.session().welcome()
        worker.wait_connected(PATIENCE)
        hello = session.hello
        (queue,) = hello.queues
        assert (hello.project, queue.queue, queue.credits) == ("p", "eu", 3)
        assert (hello.worker.identity, hello.worker.build_id) == ("me", "7")
        assert (dict(hello.worker.labels), hello.max_outstanding_bytes) == (labels, 9)
        assert hello.worker.worker_id == worker.worker_id
        assert hello.worker.sdk.startswith("autan-python")
        found = {a.name: a for a in queue.actions}
        assert [*found] == ["add", "held", "until_cancelled", "until_interrupted"]
        assert found["held"].description == "Waits for the test."
        assert (found["held"].version, found["add"].version) == ("2", "")
        assert found["held"].heartbeat_timeout.seconds == 9
        assert found["held"].start_to_close_timeout.seconds == 60
        assert not found["held"].HasField("schedule_to_start_timeout")
        assert [p.name for p in found["add"].input] == ["a", "b"]


def test_queues(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate, actions=(), max_tasks=3, queue_limits={"gpu": 1})

    @worker.action("render", queue="gpu")
    def render(ctx: ActionContext) -> str:
        assert gate.go.wait(PATIENCE)
        return f"{ctx.required_version} for {ctx.affinity_key}"

    @worker.action("where", queue=["", "eu"])
    def where(ctx: ActionContext) -> str:
        return ctx.queue

    assert (render.__name__, where.__name__) == ("render", "where")
    with worker:
        session = server.session().welcome()
        told = [(q.queue, [a.name for a in q.actions], q.credits) for q in session.hello.queues]
        assert told == [("default", ["where"], 3), ("eu", ["where"], 3), ("gpu", ["render"], 1)]
        of = {"queue": "gpu", "required_version": "2", "affinity_key": "picture 7"}
        # The one queue is full, and the other is not.
        session.deal(task("g1", "render", **of), task("g2", "render", **of), task("t1", "where"))
        session.until(lambda s: s.releases == ["g2"])
        assert session.result("t1").result.json == '"default"'
        gate.go.set()
        assert session.result("g1").result.json == '"2 for picture 7"'
        session.until(lambda s: s.credits == 2)
        granted = [(c.queue, c.count) for frame in session.frames for c in frame.credits]
        assert sorted(granted) == [("default", 1), ("gpu", 1)]
    with pytest.raises(ValueError, match="no action is called from queue 'gpu'"):
        worker_of(server, gate, queue_limits={"gpu": 1}).run()


def test_tasks(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate, max_tasks=2):
        session = server.session().welcome()
        session.deal(task("t1", "held"))
        assert gate.begun.wait(PATIENCE)
        # It is accepted before its function has ended, and the other one has a thread of its own.
        session.until(lambda s: s.accepts == ["t1"])
        session.deal(task("t2", "add", '{"a": 1}'), task("t3", "add", '{"a": 1}'))
        assert session.result("t2").result.json == "2"
        # There was no credit for the third one, unless the second had ended before it came.
        session.until(lambda s: {"t3"} <= {*s.releases, *s.results})
        gate.go.set()
        assert session.result("t1").result.json == '"cancelled False"'
        ended = len(session.results)
        assert session.until(lambda s: s.credits) == ended
        for frame in session.frames:
            # Credits come with the results that they belong to.
            assert sum(c.count for c in frame.credits) == len(frame.results)


def test_failures(server: WorkerServer, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "add", '{"a": "x"}'), task("t2", "missing"))
        failures = [session.result(token).failure for token in ("t1", "t2")]
        assert [f.failure.type for f in failures] == ["InvalidInput", "UnknownAction"]
        assert all(f.non_retryable for f in failures)
        session.until(lambda s: s.credits == 2)
    (record,) = [r for r in caplog.records if "does not fit" in r.getMessage()]
    assert "[execution=e1 task=x1]" in record.getMessage()
    assert (vars(record)["execution_uid"], vars(record)["action"]) == ("e1", "add")


def test_unreadable_task(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "add", "{"), task("t2", "add", '{"a": 1}'))
        failure = session.result("t1").failure
        assert (failure.failure.type, failure.non_retryable) == ("InvalidInput", True)
        assert session.result("t2").result.json == "2"
        session.until(lambda s: s.credits == 2)


def test_duplicate_task_runs_once(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "held"), task("t1", "held"))
        session.until(lambda s: s.accepts == ["t1", "t1"])
        gate.go.set()
        session.result("t1")
        assert session.credits == 1


def test_refused_hello(server: WorkerServer, gate: Gate) -> None:
    server.refuse_hello = grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(errors.InvalidArgument):
        worker_of(server, gate).run()
    worker = worker_of(server, gate)
    with pytest.raises(errors.InvalidArgument), worker:
        worker.wait_connected(PATIENCE)
    with pytest.raises(RuntimeError, match="runs once"):
        worker.run()
    assert not worker.health().connected


def test_no_server_is_waited_for(gate: Gate) -> None:
    # A port that is taken, but not listened on.
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    worker = SyncWorker(SyncClient(f"127.0.0.1:{taken.getsockname()[1]}"), actions=gate.actions())
    worker._settings = QUICK
    with taken, worker:
        with pytest.raises(TimeoutError):
            worker.wait_connected(0.05)
        health = worker.health()
        assert (health.connected, health.running) == (False, 0)


def test_actions_are_added_before(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate) as worker, pytest.raises(RuntimeError, match="before"):
        worker.action("late")(add)


# Leases


def test_renewals(server: WorkerServer, gate: Gate) -> None:
    server.interval = 0.02
    patient = dataclasses.replace(QUICK, silent_intervals=10_000)
    with worker_of(server, gate, patient):
        session = server.session().welcome()
        session.until(lambda s: len(s.frames) > 3)
        session.deal(task("t1", "held"))
        session.until(lambda s: s.heartbeats.count(("t1", "")) > 3)
        gate.go.set()
        session.result("t1")


def test_blocked_loop_stops_no_heartbeats(server: WorkerServer) -> None:
    server.interval = 0.02
    go = threading.Event()

    @action("block")
    async def block() -> None:
        # As a program would that has forgotten an await.
        assert go.wait(PATIENCE)

    worker = SyncWorker(SyncClient(server.address), actions=[block])
    worker._settings = dataclasses.replace(QUICK, silent_intervals=10_000)
    with worker:
        session = server.session().welcome()
        session.deal(task("t1", "block"))
        session.until(lambda s: s.heartbeats.count(("t1", "")) > 3)
        go.set()
        session.result("t1")


def test_progress(server: WorkerServer) -> None:
    @action("say")
    def say(ctx: ActionContext) -> object:
        ctx.heartbeat({"step": 1})
        assert ctx.wait_cancelled(PATIENCE)
        return None

    worker = SyncWorker(SyncClient(server.address), actions=[say])
    with worker:
        session = server.session().welcome()
        session.deal(task("t1", "say"))
        session.until(lambda s: ("t1", '{"step":1}') in s.heartbeats)
        session.lease("t1", "CANCEL_REQUESTED")
        session.result("t1")


CANCELLED = [
    ("until_cancelled", "CANCEL_REQUESTED", CancelCause.REQUESTED),
    ("until_interrupted", "CANCEL_REQUESTED", CancelCause.REQUESTED),
    ("until_cancelled", "LOST", CancelCause.LEASE_LOST),
    ("until_interrupted", "LOST", CancelCause.LEASE_LOST),
]


@pytest.mark.parametrize(("name", "status", "cause"), CANCELLED)
def test_cancel(
    server: WorkerServer, gate: Gate, name: str, status: str, cause: CancelCause
) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", name))
        assert gate.begun.wait(PATIENCE)
        session.lease("t1", status, "enough")
        assert gate.cancelled.wait(PATIENCE)
        assert gate.causes == [cause]
        session.until(lambda s: s.credits == 1)
        if cause is CancelCause.REQUESTED:
            failure = session.result("t1").failure
            assert (failure.failure.type, failure.failure.message) == (
                "Cancelled",
                "cancelled: enough",
            )
        else:
            # What it has returned counts for nothing, and is not sent.
            assert not session.results


@pytest.mark.parametrize("name", ["until_cancelled", "until_interrupted"])
def test_deadline(server: WorkerServer, gate: Gate, name: str) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        # The clock of the server is another one: only the difference counts.
        dealt = task("t1", name)
        dealt.lease_expire_time.seconds = 1_000_000
        dealt.deadline.seconds = 1_000_000 - int(server.lease)
        dealt.deadline.nanos = 100_000_000
        session.deal(dealt)
        # On a busy machine it may not have begun by then.
        failed = session.result("t1").failure.failure.type == "Timeout"
        assert gate.causes == [CancelCause.DEADLINE] or failed


def test_lease_that_is_not_renewed(server: WorkerServer, gate: Gate) -> None:
    server.lease = 0.1
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "until_cancelled"))
        session.until(lambda s: s.credits == 1)
        assert not session.results
        # On a busy machine it may not have begun by then.
        assert gate.causes == ([CancelCause.LEASE_LOST] if gate.begun.is_set() else [])


# Results


def test_late_and_refused_results(
    server: WorkerServer, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = False
    with worker_of(server, gate):
        session = server.session().welcome()
        tokens = ("late", "busy", "large")
        session.deal(*(task(token, "add", '{"a": 1}') for token in tokens))
        for token in tokens:
            session.result(token)
        session.ack("late", "TASK_LEASE_LOST")
        session.ack("busy", "STORE_UNAVAILABLE", retryable=True)
        session.ack("large", "PAYLOAD_TOO_LARGE")
        session.until(lambda s: s.results["large"].HasField("failure"))
        failure = session.results["large"].failure
        assert (failure.failure.type, failure.non_retryable) == ("PAYLOAD_TOO_LARGE", True)

        def times(token: str) -> Callable[[Session], bool]:
            return lambda s: [r.token for f in s.frames for r in f.results].count(token) == 2

        session.until(times("busy"))
        session.ack("busy")
        session.ack("large")
    assert [r.levelno for r in caplog.records if "too late" in r.getMessage()] == [logging.WARNING]
    assert [r.token for f in session.frames for r in f.results].count("late") == 1


def test_too_large_a_result(server: WorkerServer) -> None:
    @action("big")
    def big(bytes: int) -> str:
        return "x" * bytes

    with SyncWorker(SyncClient(server.address), actions=[big]):
        session = server.session().welcome(payload_bytes_max=1000)
        session.deal(task("t1", "big", '{"bytes": 10}'), task("t2", "big", '{"bytes": 2000}'))
        assert session.result("t1").HasField("result")
        failure = session.result("t2").failure
        assert (failure.failure.type, failure.non_retryable) == ("PAYLOAD_TOO_LARGE", True)


def test_deferred(server: WorkerServer) -> None:
    @action("later")
    def later(ctx: ActionContext) -> object:
        return ctx.defer()

    with SyncWorker(SyncClient(server.address), actions=[later]):
        session = server.session().welcome()
        session.deal(task("t1", "later"))
        assert session.result("t1").HasField("deferred")


# Lost streams


def test_lost_stream_ends_no_function(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate, max_tasks=3) as worker:
        session = server.session().welcome()
        worker.wait_connected(PATIENCE)
        session.deal(task("t1", "held"))
        assert gate.begun.wait(PATIENCE)
        session.cut()
        session = server.session()
        assert (list(session.hello.held_tokens), session.hello.queues[0].credits) == (["t1"], 2)
        assert not worker.health().connected
        assert "cut by the test" in worker.health().last_error
        gate.go.set()
        session.welcome()
        session.result("t1")
        session.until(lambda s: s.credits == 1)
        assert worker.health().connected
        assert worker.health().last_error == ""


def test_lost_while_away(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "until_cancelled"))
        assert gate.begun.wait(PATIENCE)
        session.cut()
        session = server.session().welcome(lost=("t1",))
        assert gate.cancelled.wait(PATIENCE)
        assert gate.causes == [CancelCause.LEASE_LOST]
        session.until(lambda s: s.credits == 1)
        assert not session.results


def test_result_is_sent_over_the_next_stream(server: WorkerServer, gate: Gate) -> None:
    server.answers = False
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "add", '{"a": 1}'))
        session.result("t1")
        # Was it recorded? Nobody knows.
        session.cut()
        session = server.session().welcome(lost=("t1",))
        assert session.result("t1").result.json == "2"
        assert list(session.hello.held_tokens) == ["t1"]
        session.ack("t1")


def test_silent_server(server: WorkerServer, gate: Gate) -> None:
    server.answers = False
    server.interval = 0.02
    with worker_of(server, gate):
        session = server.session().welcome()
        session.deal(task("t1", "held"))
        gate.begun.wait(PATIENCE)
        again = server.session()
        assert list(again.hello.held_tokens) == ["t1"]
        session.until(lambda s: s.over)
        gate.go.set()
        server.interval = 20.0
        server.answers = True
        again.welcome()
        again.result("t1")


def test_server_that_does_not_welcome(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate, dataclasses.replace(QUICK, open_timeout=0.05)):
        first = server.session()
        second = server.session()
        first.until(lambda s: s.over)
        assert second.hello.worker == first.hello.worker


def test_result_by_a_call(server: WorkerServer, gate: Gate) -> None:
    """Without a stream results are sent by calls: when leases are about to end, or the worker."""
    server.refusals = [grpc.StatusCode.INTERNAL]
    never = dataclasses.replace(QUICK, reconnect_first=1000.0, reconnect_max=1000.0)
    worker = worker_of(server, gate, never)
    with worker:
        session = server.session().welcome()
        session.deal(task("t1", "held"))
        assert gate.begun.wait(PATIENCE)
        session.cut()
        gate.go.set()
    # The first call fails, and is made again.
    sent = [server.ends.get(timeout=PATIENCE) for _ in range(2)]
    assert {request.token for request in sent} == {"t1"}
    assert sent[0].worker_id == worker.worker_id


# The server goes away


def test_going_away(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate, max_tasks=3):
        old = server.session().welcome()
        old.deal(task("t1", "held"))
        assert gate.begun.wait(PATIENCE)
        old.send(going_away=pb.GoingAway(reconnect_delay=seconds(0.01)))
        new = server.session()
        # The old one is in use until the new one is.
        assert not old.half_closed
        assert (list(new.hello.held_tokens), new.hello.queues[0].credits) == (["t1"], 2)
        old.deal(task("t2", "add", '{"a": 1}'))
        old.until(lambda s: "t2" in s.results)
        new.welcome()
        old.until(lambda s: s.half_closed)
        gate.go.set()
        new.result("t1")


# Stopping


def test_drain(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate)
    worker.__enter__()
    session = server.session().welcome()
    session.deal(task("t1", "held"))
    assert gate.begun.wait(PATIENCE)
    with stopped(worker):
        session.until(lambda s: s.drained)
        # What comes now is not accepted.
        session.deal(task("t2", "add", '{"a": 1}'))
        gate.go.set()
        session.until(lambda s: s.half_closed)
    assert ([*session.results], session.accepts, session.credits) == (["t1"], ["t1"], 0)
    assert not worker.health().connected


@pytest.mark.parametrize("name", ["until_cancelled", "until_interrupted"])
def test_drain_gives_back_what_takes_too_long(server: WorkerServer, gate: Gate, name: str) -> None:
    with worker_of(server, gate, drain_timeout=0.01):
        session = server.session().welcome()
        session.deal(task("t1", name))
        assert gate.begun.wait(PATIENCE)
    assert gate.cancelled.wait(PATIENCE)
    assert gate.causes == [CancelCause.SHUTDOWN]
    session.until(lambda s: s.releases == ["t1"])
    session.until(lambda s: s.half_closed)
    assert not session.results


def test_drain_waits_for_acknowledgements(server: WorkerServer, gate: Gate) -> None:
    server.answers = False
    worker = worker_of(server, gate)
    worker.__enter__()
    session = server.session().welcome()
    session.deal(task("t1", "add", '{"a": 1}'))
    session.result("t1")
    with stopped(worker):
        session.until(lambda s: s.drained)
        assert not session.half_closed
        session.ack("t1")
        session.until(lambda s: s.half_closed)


def test_drain_survives_a_lost_stream(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate)
    worker.__enter__()
    session = server.session().welcome()
    session.deal(task("t1", "held"))
    assert gate.begun.wait(PATIENCE)
    with stopped(worker):
        session.until(lambda s: s.drained)
        session.cut()
        session = server.session()
        assert (session.drained, session.hello.queues[0].credits) == (True, 0)
        session.welcome()
        gate.go.set()
        session.result("t1")


def test_signals(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate)
    before = signal.getsignal(signal.SIGTERM)

    def script() -> None:
        session = server.session().welcome()
        session.deal(task("t1", "held"))
        gate.begun.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGTERM)
        session.until(lambda s: s.drained)
        gate.go.set()

    thread = threading.Thread(target=script)
    thread.start()
    worker.run()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


def test_second_signal(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate)

    def script() -> None:
        session = server.session().welcome()
        session.deal(task("t1", "held"))
        gate.begun.wait(PATIENCE)
        os.kill(os.getpid(), signal.SIGINT)
        session.until(lambda s: s.drained)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=script)
    thread.start()
    # The function is never let go.
    worker.run()
    thread.join()
    assert not gate.go.is_set()


def test_stop_from_a_thread(server: WorkerServer, gate: Gate) -> None:
    worker = worker_of(server, gate)

    def script() -> None:
        server.session().welcome()
        worker.wait_connected(PATIENCE)
        worker.stop()
        worker.stop()

    threading.Timer(0, script).start()
    # The worker may not have been started yet when the thread begins: it waits for its session.
    worker.run(handle_signals=False)


def test_two_workers_in_a_process(server: WorkerServer, gate: Gate) -> None:
    with worker_of(server, gate), worker_of(server, Gate()):
        first, second = server.session().welcome(), server.session().welcome()
        assert first.hello.worker.worker_id != second.hello.worker.worker_id
        first.deal(task("t1", "add", '{"a": 1}'))
        second.deal(task("t1", "add", '{"a": 2}'))
        assert first.result("t1").result.json == "2"
        assert second.result("t1").result.json == "3"


# In an async program


async def test_async_worker(server: WorkerServer) -> None:
    loop = asyncio.get_running_loop()
    threads = []

    async with Client(server.address) as client:
        worker = Worker(client, max_tasks=3)

        @worker.action("where")
        async def where() -> bool:
            threads.append(threading.get_ident())
            return asyncio.get_running_loop() is loop

        @worker.action("plain")
        def plain_function() -> None:
            threads.append(threading.get_ident())

        running = asyncio.create_task(worker.run(handle_signals=False))
        session = await asyncio.to_thread(lambda: server.session().welcome())
        await worker.wait_connected(PATIENCE)
        session.deal(task("t1", "where"), task("t2", "plain"))
        first = await asyncio.to_thread(session.result, "t1")
        await asyncio.to_thread(session.result, "t2")
        assert first.result.json == "true"
        assert threading.get_ident() in threads
        assert len(set(threads)) == 2
        assert worker.health().connected
        worker.stop()
        await asyncio.wait_for(running, PATIENCE)
        assert session.drained


async def test_async_function_is_interrupted(server: WorkerServer, gate: Gate) -> None:
    async with (
        Client(server.address) as client,
        Worker(client, actions=gate.actions(), drain_timeout=0.01),
    ):
        session = await asyncio.to_thread(lambda: server.session().welcome())
        session.deal(task("t1", "until_interrupted"))
        assert await asyncio.to_thread(gate.begun.wait, PATIENCE)
    # Its clean-up has run before the worker ended.
    assert gate.causes == [CancelCause.SHUTDOWN]
    await asyncio.to_thread(session.until, lambda s: s.releases == ["t1"])


async def test_cancelled_run_gives_back(server: WorkerServer, gate: Gate) -> None:
    async with Client(server.address) as client:
        worker = Worker(client, actions=gate.actions(), drain_timeout=1000)
        running = asyncio.create_task(worker.run())
        session = await asyncio.to_thread(lambda: server.session().welcome())
        session.deal(task("t1", "until_interrupted"))
        assert await asyncio.to_thread(gate.begun.wait, PATIENCE)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, PATIENCE)
        await asyncio.to_thread(session.until, lambda s: s.releases == ["t1"])
        assert gate.causes == [CancelCause.SHUTDOWN]


async def test_async_worker_that_is_refused(server: WorkerServer, gate: Gate) -> None:
    server.refuse_hello = grpc.StatusCode.UNAUTHENTICATED
    async with Client(server.address) as client:
        with pytest.raises(errors.Unauthenticated):
            await Worker(client, actions=gate.actions()).run()
