"""A server in this process that answers from a script, through the generated servicers.

It runs on threads, so that the same one serves the async and the blocking client.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc import status_pb2

from autan._proto.v1 import (
    actions_pb2,
    actions_pb2_grpc,
    environments_pb2,
    environments_pb2_grpc,
    executions_pb2,
    executions_pb2_grpc,
    system_pb2,
    system_pb2_grpc,
    tasks_pb2,
    tasks_pb2_grpc,
    workbooks_pb2,
    workbooks_pb2_grpc,
    workers_pb2,
    workers_pb2_grpc,
    workflows_pb2,
    workflows_pb2_grpc,
)

SERVICES = [
    (actions_pb2, actions_pb2_grpc, "ActionService"),
    (environments_pb2, environments_pb2_grpc, "EnvironmentService"),
    (executions_pb2, executions_pb2_grpc, "ExecutionService"),
    (system_pb2, system_pb2_grpc, "SystemService"),
    (tasks_pb2, tasks_pb2_grpc, "TaskService"),
    (workbooks_pb2, workbooks_pb2_grpc, "WorkbookService"),
    (workers_pb2, workers_pb2_grpc, "WorkerAdminService"),
    (workers_pb2, workers_pb2_grpc, "WorkerService"),
    (workflows_pb2, workflows_pb2_grpc, "WorkflowService"),
]

HANG = object()
"""In the script of a stream: sends nothing more until the client goes away."""


@dataclass(frozen=True)
class Refusal:
    """An error of the server, with details."""

    code: grpc.StatusCode
    message: str = "refused"
    details: Sequence[Message] = ()

    def raise_in(self, context: grpc.ServicerContext) -> None:
        if self.details:
            status = status_pb2.Status(code=self.code.value[0], message=self.message)
            for detail in self.details:
                status.details.add().Pack(detail)
            trailers = (("grpc-status-details-bin", status.SerializeToString()),)
            context.set_trailing_metadata(trailers)
        context.abort(self.code, self.message)


Reply = Any
"""A message, a Refusal, a list of those and HANG for a stream, or a function of the request."""


class FakeServer:
    """Answers each method with its replies in turn; the last one is repeated."""

    def __init__(self) -> None:
        self.requests: dict[str, list[Any]] = defaultdict(list)
        self.left = threading.Event()
        """Set when a stream is over, by whatever end."""
        self.headers: list[dict[str, str | bytes]] = []
        self._script: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(8))
        for messages, stubs, name in SERVICES:
            self._add(messages.DESCRIPTOR.services_by_name[name], stubs, name)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def on(self, method: str, *replies: Reply) -> None:
        """Sets the script of a method."""
        self._script[method] = list(replies)

    def stop(self) -> None:
        self._server.stop(None).wait()

    def _add(self, service: Any, stubs: Any, name: str) -> None:
        methods: dict[str, Callable[..., Any]] = {}
        for method in service.methods:
            methods[method.name] = self._handler(method.name, streams=method.server_streaming)
        servicer = type(name, (getattr(stubs, f"{name}Servicer"),), methods)
        getattr(stubs, f"add_{name}Servicer_to_server")(servicer(), self._server)

    def _handler(self, method: str, *, streams: bool) -> Callable[..., Any]:
        def unary(_self: object, request: Message, context: grpc.ServicerContext) -> Any:
            reply = self._next(method, request, context)
            if isinstance(reply, Refusal):
                reply.raise_in(context)
            return reply

        def stream(_self: object, request: Message, context: grpc.ServicerContext) -> Iterator[Any]:
            context.add_callback(self.left.set)
            reply = self._next(method, request, context)
            parts: Iterable[Any] = [reply] if isinstance(reply, Refusal) else reply
            for part in parts:
                if isinstance(part, Refusal):
                    part.raise_in(context)
                elif part is HANG:
                    gone = threading.Event()
                    if context.add_callback(gone.set):
                        gone.wait()
                else:
                    yield part

        return stream if streams else unary

    def _next(self, method: str, request: Message, context: grpc.ServicerContext) -> Reply:
        with self._lock:
            self.requests[method].append(request)
            self.headers.append(dict(context.invocation_metadata()))
            replies = self._script.get(method)
            if not replies:
                return Refusal(grpc.StatusCode.UNIMPLEMENTED, f"no script for {method}")
            reply = replies.pop(0) if len(replies) > 1 else replies[0]
        return reply(request) if callable(reply) else reply
