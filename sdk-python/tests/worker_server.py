"""WorkerService in this process: tests take the sessions of workers, and script them.

It runs on threads. Whatever a test waits for has the same patience, which only a failing test uses
up.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import grpc

from autan._proto.v1 import payloads_pb2, workers_pb2_grpc
from autan._proto.v1 import workers_pb2 as pb
from messages import seconds

PATIENCE = 30.0
T = TypeVar("T")


def task(token: str, action: str, input: str = "{}", **fields: Any) -> pb.WorkerTask:
    fields.setdefault("attempt", 1)
    fields.setdefault("delivery", 1)
    fields.setdefault("idempotency_key", "k-" + token)
    fields.setdefault("queue", "default")
    fields.setdefault("execution_uid", "e1")
    fields.setdefault("task_execution_id", "x1")
    return pb.WorkerTask(
        token=token, action=action, input=payloads_pb2.Payload(json=input), **fields
    )


class Session:
    """One stream of a worker.

    Attributes:
        hello: What the worker has said first.
        frames: All that it has said, in order, the first one included.
    """

    def __init__(self, hello: pb.ConnectRequest, server: WorkerServer) -> None:
        self.hello = hello.hello
        self.frames = [hello]
        self.half_closed = False
        self.over = False
        self._server = server
        self._out: queue.SimpleQueue[pb.ConnectResponse | grpc.StatusCode | None] = (
            queue.SimpleQueue()
        )
        self._changed = threading.Condition()

    # What the test says

    def welcome(self, *, lost: tuple[str, ...] = (), payload_bytes_max: int = 0) -> Session:
        message = pb.Welcome(
            session_id="s",
            lease_duration=seconds(self._server.lease),
            heartbeat_interval=seconds(self._server.interval),
            lost_tokens=lost,
            payload_bytes_max=payload_bytes_max,
        )
        self.send(welcome=message)
        return self

    def send(self, **parts: Any) -> None:
        self._out.put(pb.ConnectResponse(**parts))

    def deal(self, *tasks: pb.WorkerTask) -> None:
        self.send(tasks=tasks)

    def ack(self, token: str, reason: str = "", *, retryable: bool = False) -> None:
        ack = pb.TaskResultAck(
            token=token, error_reason=reason, error_message="said", retryable=retryable
        )
        self.send(results=[ack])

    def lease(self, token: str, status: str, reason: str = "") -> None:
        news = pb.TaskHeartbeatResult(token=token, status=f"LEASE_STATUS_{status}", reason=reason)
        self.send(leases=[news])

    def cut(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Ends the stream badly."""
        self._out.put(code)

    def end(self) -> None:
        """Ends the stream well."""
        self._out.put(None)

    # What the worker has said

    @property
    def accepts(self) -> list[str]:
        return [token for frame in self.frames for token in frame.accepts]

    @property
    def releases(self) -> list[str]:
        return [token for frame in self.frames for token in frame.releases]

    @property
    def results(self) -> dict[str, pb.TaskResult]:
        return {r.token: r for frame in self.frames for r in frame.results}

    @property
    def heartbeats(self) -> list[tuple[str, str]]:
        """Tokens with what was said of the progress."""
        return [(h.token, h.progress.json) for frame in self.frames for h in frame.heartbeats]

    @property
    def credits(self) -> int:
        return sum(c.count for frame in self.frames for c in frame.credits)

    @property
    def drained(self) -> bool:
        return any(frame.HasField("drain") for frame in self.frames)

    def until(self, condition: Callable[[Session], T]) -> T:
        """Waits for something to be so; returns what the condition gave."""
        with self._changed:
            self._changed.wait_for(lambda: condition(self), PATIENCE)
            found = condition(self)
        assert found, f"it did not come to that; the worker has said: {self.frames}"
        return found

    def result(self, token: str) -> pb.TaskResult:
        """Waits for the end of a task."""
        self.until(lambda s: token in s.results)
        return self.results[token]

    # The server's side

    def heard(self, frame: pb.ConnectRequest) -> None:
        with self._changed:
            self.frames.append(frame)
            self._changed.notify_all()
        if self._server.answers:
            for result in frame.results:
                self.ack(result.token)
            for heartbeat in frame.heartbeats:
                self.lease(heartbeat.token, "HELD")
            if not frame.results and not frame.heartbeats:
                self.send()

    def ended(self, *, half_closed: bool) -> None:
        with self._changed:
            self.half_closed = self.half_closed or half_closed
            self.over = self.over or not half_closed
            self._changed.notify_all()
        if half_closed:
            self.end()

    def messages(self, context: grpc.ServicerContext) -> Iterator[pb.ConnectResponse]:
        while (message := self._out.get()) is not None:
            if isinstance(message, grpc.StatusCode):
                context.abort(message, "cut by the test")
            else:
                yield message


class WorkerServer:
    """The service.

    Attributes:
        answers: Whether results are acknowledged, heartbeats answered, and empty frames, by itself.
        ends: Requests of unary calls that have ended tasks.
        refusals: What unary calls are refused with, one after another.
    """

    def __init__(self) -> None:
        self.lease = 60.0
        self.interval = 20.0
        self.answers = True
        self.ends: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.refusals: list[grpc.StatusCode] = []
        self.refuse_hello: grpc.StatusCode | None = None
        self._sessions: queue.SimpleQueue[Session] = queue.SimpleQueue()
        self._open: list[Session] = []
        self._server = grpc.server(ThreadPoolExecutor(32))
        add: Any = workers_pb2_grpc.add_WorkerServiceServicer_to_server
        add(self._servicer(), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def session(self) -> Session:
        """Waits for a worker to connect."""
        return self._sessions.get(timeout=PATIENCE)

    def stop(self) -> None:
        for session in self._open:
            session.end()
        self._server.stop(None).wait()

    def _servicer(self) -> Any:
        server = self

        class Servicer(workers_pb2_grpc.WorkerServiceServicer):
            def Connect(  # noqa: N802 - the names are those of the contract.
                self, requests: Iterator[pb.ConnectRequest], context: grpc.ServicerContext
            ) -> Iterator[pb.ConnectResponse]:
                return server._connect(requests, context)

            def CompleteTask(  # noqa: N802
                self, request: Any, context: grpc.ServicerContext
            ) -> Any:
                server._unary(request, context)
                return pb.CompleteTaskResponse()

            def FailTask(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
                server._unary(request, context)
                return pb.FailTaskResponse()

        return Servicer()

    def _unary(self, request: Any, context: grpc.ServicerContext) -> None:
        self.ends.put(request)
        if self.refusals:
            context.abort(self.refusals.pop(0), "refused")

    def _connect(
        self, requests: Iterator[pb.ConnectRequest], context: grpc.ServicerContext
    ) -> Iterator[pb.ConnectResponse]:
        try:
            first = next(requests)
        except (grpc.RpcError, StopIteration):
            return
        if self.refuse_hello is not None:
            context.abort(self.refuse_hello, "refused")
        session = Session(first, self)
        self._open.append(session)
        threading.Thread(target=self._read, args=(session, requests), daemon=True).start()
        context.add_callback(lambda: session.ended(half_closed=False))
        self._sessions.put(session)
        yield from session.messages(context)

    def _read(self, session: Session, requests: Iterator[pb.ConnectRequest]) -> None:
        try:
            for frame in requests:
                session.heard(frame)
        except Exception:  # noqa: BLE001 - gRPC raises different things when the worker is gone.
            return
        session.ended(half_closed=True)
