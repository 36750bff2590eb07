"""The blocking transport, on `grpc`: the twin of `aio`, with threads for tasks."""

from __future__ import annotations

import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any, Generic

import grpc

from autan._core.call import Resp, T
from autan._transport.retry import Attempts, RetryBudget
from autan._transport.status import error_from_call
from autan._transport.stream import READ_AHEAD_MAX, STREAMS_PER_CHANNEL, silent
from autan.errors import ClientClosed, RpcError

if TYPE_CHECKING:
    from types import TracebackType

    from google.protobuf.message import Message

    from autan._core.call import Call, Method
    from autan._transport.options import TransportOptions


class BlockingTransport:
    """Channels to one server; safe between threads."""

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self._budget = RetryBudget()
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closed = False
        self._unary_channel: grpc.Channel | None = None
        self._stream_channels: dict[grpc.Channel, int] = {}

    def unary(self, call: Call[T]) -> T:
        """Makes a call, with retries, and reads its response."""
        attempts = Attempts(self.options.retry, self._budget)
        while True:
            try:
                response = self._attempt(call)
            except RpcError as error:
                delay = attempts.delay_after(error)
                if delay is None:
                    raise
                self.sleep(delay)
            else:
                self._budget.succeeded()
                return call.decode(response)

    def stream(self, method: Method[Resp], request: Message) -> BlockingStream[Resp]:
        """Returns a stream that opens when it is entered."""
        self._check()
        return BlockingStream(self, method, request)

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)

    def close(self) -> None:
        """Closes all channels; calls under way are cancelled."""
        with self._lock:
            self._closed = True
            channels = [*self._stream_channels]
            if self._unary_channel is not None:
                channels.append(self._unary_channel)
            self._unary_channel = None
            self._stream_channels.clear()
        for channel in channels:
            channel.close()

    def _attempt(self, call: Call[T]) -> Any:
        self._check()
        with self._lock:
            if self._unary_channel is None:
                self._unary_channel = self._connect()
            channel = self._unary_channel
        invoke = channel.unary_unary(
            call.method.path,
            request_serializer=call.request.__class__.SerializeToString,
            response_deserializer=call.method.parse,
        )
        try:
            return invoke(
                call.request,
                timeout=call.timeout or self.options.timeout,
                metadata=self.options.call_metadata(),
            )
        except grpc.RpcError as error:
            raise translate(error) from None

    def acquire_stream_channel(self) -> grpc.Channel:
        """Returns a channel for one more stream."""
        self._check()
        with self._lock:
            for channel, streams in self._stream_channels.items():  # noqa: B007 - used after it
                if streams < STREAMS_PER_CHANNEL:
                    break
            else:
                channel, streams = self._connect(), 0
            self._stream_channels[channel] = streams + 1
            return channel

    def release_stream_channel(self, channel: grpc.Channel) -> None:
        """Gives a channel back; one without streams is kept for the next, others are closed."""
        with self._lock:
            if channel not in self._stream_channels:
                return
            self._stream_channels[channel] -= 1
            idle = [c for c, streams in self._stream_channels.items() if streams == 0]
            for surplus in idle[1:]:
                del self._stream_channels[surplus]
        for surplus in idle[1:]:
            surplus.close()

    def _connect(self) -> grpc.Channel:
        return open_channel(self.options)

    def _check(self) -> None:
        if self._closed:
            raise ClientClosed("the client is closed")
        if os.getpid() != self._pid:
            raise ClientClosed("the client was made in another process: make one after the fork")


class BlockingStream(Generic[Resp]):
    """Messages of a server, read ahead by a thread up to a limit.

    The thread is what gives reading a timeout: the iterator of `grpc` has none. It ends with the
    call, which leaving the stream cancels.
    """

    def __init__(
        self, transport: BlockingTransport, method: Method[Resp], request: Message
    ) -> None:
        self._transport = transport
        self._method = method
        self._request = request
        self._queue: queue.SimpleQueue[Resp | RpcError | None] = queue.SimpleQueue()

    def __enter__(self) -> BlockingStream[Resp]:
        self._channel = self._transport.acquire_stream_channel()
        invoke = self._channel.unary_stream(
            self._method.path,
            request_serializer=self._request.__class__.SerializeToString,
            response_deserializer=self._method.parse,
        )
        self._call: Any = invoke(self._request, metadata=self._transport.options.call_metadata())
        self._reader = threading.Thread(target=self._read_ahead, name="autan-watch", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._call.cancel()
        self._reader.join()
        # The call is to die here (see `_read_ahead`).
        del self._call
        self._transport.release_stream_channel(self._channel)

    def read(self, timeout: float) -> Resp | None:
        """Returns the next message; None at the end of the stream.

        Raises:
            RpcError: The stream broke, or nothing came for `timeout` seconds.
        """
        try:
            item = self._queue.get(timeout=timeout)
        except queue.Empty:
            raise silent(timeout) from None
        if isinstance(item, RpcError):
            raise item
        return item

    def _read_ahead(self) -> None:
        end: RpcError | None = None
        try:
            for message in self._call:
                if self._queue.qsize() >= READ_AHEAD_MAX:
                    self._call.cancel()
                    break
                self._queue.put(message)
        except grpc.RpcError as error:
            end = translate(error)
            # What was raised is the call itself, and its traceback leads to it again: such a ring
            # would live until the interpreter ends. There the finalizer of the call waits for a
            # lock that a thread of `grpc` may hold, which no longer runs: it would wait for ever.
            error.__traceback__ = None
        self._queue.put(end)


def open_channel(options: TransportOptions) -> grpc.Channel:
    """Returns a channel."""
    target, settings = options.target, options.channel_options()
    if target.tls is None:
        return grpc.insecure_channel(target.address, settings)
    return grpc.secure_channel(target.address, target.tls.credentials(), settings)


def translate(error: Any) -> RpcError:
    # What `grpc` raises is a call, too; its type says so only behind the scenes.
    return error_from_call(error.code(), error.details(), error.trailing_metadata())
