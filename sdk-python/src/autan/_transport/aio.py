"""The async transport, on `grpc.aio`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, Generic

import grpc
import grpc.aio

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


class AioTransport:
    """Channels to one server.

    Channels are made when they are first needed, since those of `grpc.aio` belong to the event loop
    that is running then.
    """

    def __init__(self, options: TransportOptions) -> None:
        self.options = options
        self._budget = RetryBudget()
        self._pid = os.getpid()
        self._closed = False
        self._unary_channel: grpc.aio.Channel | None = None
        self._stream_channels: dict[grpc.aio.Channel, int] = {}

    async def unary(self, call: Call[T]) -> T:
        """Makes a call, with retries, and reads its response."""
        attempts = Attempts(self.options.retry, self._budget)
        while True:
            try:
                response = await self._attempt(call)
            except RpcError as error:
                delay = attempts.delay_after(error)
                if delay is None:
                    raise
                await self.sleep(delay)
            else:
                self._budget.succeeded()
                return call.decode(response)

    def stream(self, method: Method[Resp], request: Message) -> AioStream[Resp]:
        """Returns a stream that opens when it is entered."""
        self._check()
        return AioStream(self, method, request)

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Closes all channels; calls under way are cancelled."""
        self._closed = True
        channels = [*self._stream_channels]
        if self._unary_channel is not None:
            channels.append(self._unary_channel)
        self._unary_channel = None
        self._stream_channels.clear()
        for channel in channels:
            await channel.close()

    async def _attempt(self, call: Call[T]) -> Any:
        self._check()
        if self._unary_channel is None:
            self._unary_channel = self._connect()
        invoke = self._unary_channel.unary_unary(
            call.method.path,
            request_serializer=call.request.__class__.SerializeToString,
            response_deserializer=call.method.parse,
        )
        try:
            return await invoke(
                call.request,
                timeout=call.timeout or self.options.timeout,
                metadata=self.options.call_metadata(),
            )
        except grpc.aio.AioRpcError as error:
            raise _translate(error) from None

    def acquire_stream_channel(self) -> grpc.aio.Channel:
        """Returns a channel for one more stream."""
        self._check()
        for channel, streams in self._stream_channels.items():  # noqa: B007 - used after it
            if streams < STREAMS_PER_CHANNEL:
                break
        else:
            channel, streams = self._connect(), 0
        self._stream_channels[channel] = streams + 1
        return channel

    async def release_stream_channel(self, channel: grpc.aio.Channel) -> None:
        """Gives a channel back; one without streams is kept for the next, others are closed."""
        if channel not in self._stream_channels:
            return
        self._stream_channels[channel] -= 1
        idle = [c for c, streams in self._stream_channels.items() if streams == 0]
        for surplus in idle[1:]:
            del self._stream_channels[surplus]
            await surplus.close()

    def _connect(self) -> grpc.aio.Channel:
        target, options = self.options.target, self.options.channel_options()
        if target.tls is None:
            return grpc.aio.insecure_channel(target.address, options)
        return grpc.aio.secure_channel(target.address, target.tls.credentials(), options)

    def _check(self) -> None:
        if self._closed:
            raise ClientClosed("the client is closed")
        if os.getpid() != self._pid:
            raise ClientClosed("the client was made in another process: make one after the fork")


class AioStream(Generic[Resp]):
    """Messages of a server, read ahead by a task up to a limit."""

    def __init__(self, transport: AioTransport, method: Method[Resp], request: Message) -> None:
        self._transport = transport
        self._method = method
        self._request = request
        self._queue: asyncio.Queue[Resp | RpcError | None] = asyncio.Queue()

    async def __aenter__(self) -> AioStream[Resp]:
        self._channel = self._transport.acquire_stream_channel()
        invoke = self._channel.unary_stream(
            self._method.path,
            request_serializer=self._request.__class__.SerializeToString,
            response_deserializer=self._method.parse,
        )
        self._call = invoke(self._request, metadata=self._transport.options.call_metadata())
        self._reader = asyncio.create_task(self._read_ahead())
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._call.cancel()
        self._reader.cancel()
        # Not `await self._reader`: its being cancelled is not to be taken for ours.
        await asyncio.wait([self._reader])
        await self._transport.release_stream_channel(self._channel)

    async def read(self, timeout: float) -> Resp | None:
        """Returns the next message; None at the end of the stream.

        Raises:
            RpcError: The stream broke, or nothing came for `timeout` seconds.
        """
        try:
            item = await asyncio.wait_for(self._queue.get(), timeout)
        except asyncio.TimeoutError:
            raise silent(timeout) from None
        if isinstance(item, RpcError):
            raise item
        return item

    async def _read_ahead(self) -> None:
        end: RpcError | None = None
        try:
            # Each iteration awaits, so that a slow consumer gets its turn between messages.
            async for message in self._call:
                if self._queue.qsize() >= READ_AHEAD_MAX:
                    self._call.cancel()
                    break
                self._queue.put_nowait(message)
        except grpc.aio.AioRpcError as error:
            end = _translate(error)
        finally:
            # Also when the client was closed meanwhile, which shows as a cancellation here.
            self._queue.put_nowait(end)


def _translate(error: grpc.aio.AioRpcError) -> RpcError:
    return error_from_call(error.code(), error.details(), error.trailing_metadata())
