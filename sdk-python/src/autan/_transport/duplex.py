"""A stream in both directions, on threads and a channel of its own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic

import grpc

from autan._core.call import Resp
from autan._transport.blocking import open_channel, translate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

    from autan._core.call import Method
    from autan._transport.options import TransportOptions
    from autan.errors import RpcError

_JOIN = 5.0


class Duplex(Generic[Resp]):
    """A stream that is open until either side ends it.

    A channel of its own leads to another server if the last one is gone, and finds a new address.

    Args:
        options: Where the server is.
        method: What is called.
        requests: What is sent; gRPC takes the next one on a thread of its own, when there is room.
        on_message: Told each message, on a thread of the stream.
        on_end: Told once that nothing more comes, and why if it was not meant to end.
    """

    def __init__(
        self,
        options: TransportOptions,
        method: Method[Resp],
        requests: Iterator[Message],
        on_message: Callable[[Resp], None],
        on_end: Callable[[RpcError | None], None],
    ) -> None:
        self._on_message = on_message
        self._on_end = on_end
        self._channel = open_channel(options)
        invoke = self._channel.stream_stream(
            method.path,
            request_serializer=_serialize,
            response_deserializer=method.parse,
        )
        self._call: Any = invoke(requests, metadata=options.call_metadata())
        self._reader = threading.Thread(target=self._read, name="autan-worker-in", daemon=True)
        self._reader.start()

    def cancel(self) -> None:
        """Ends the stream at once."""
        self._call.cancel()

    def close(self) -> None:
        """Ends the stream and frees what it had. `requests` must have ended."""
        self._call.cancel()
        self._reader.join(_JOIN)
        # The call is to die here: see `BlockingStream`.
        del self._call
        self._channel.close()

    def _read(self) -> None:
        end: RpcError | None = None
        try:
            for message in self._call:
                self._on_message(message)
        except grpc.RpcError as error:
            end = translate(error)
            # See `BlockingStream`: the error and its traceback would be a ring that holds the call.
            error.__traceback__ = None
        self._on_end(end)


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
