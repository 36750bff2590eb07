"""What waits to be sent over a stream."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from autan._core.frames import Frame

if TYPE_CHECKING:
    from google.protobuf.message import Message


class Outbox:
    """Gathers what is to be sent until gRPC has room for the next message.

    An iterator, for gRPC: it ends after `close`, once everything has been taken.
    """

    def __init__(self, first: Message) -> None:
        self._first: Message | None = first
        self._frame = Frame()
        self._ping = False
        self._closed = False
        self._changed = threading.Condition()

    def put(self, frame: Frame, *, ping: bool = False) -> None:
        """Adds something; with `ping` a message is sent even if it is empty."""
        with self._changed:
            self._frame.add(frame)
            self._ping = self._ping or ping
            self._changed.notify()

    def close(self) -> None:
        """Nothing more comes."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def discard(self) -> None:
        """Nothing more comes, and what waits is not sent."""
        with self._changed:
            self._frame = Frame()
            self._ping = False
            self._first = None
            self._closed = True
            self._changed.notify()

    def __iter__(self) -> Outbox:
        return self

    def __next__(self) -> Message:
        with self._changed:
            if self._first is not None:
                first, self._first = self._first, None
                return first
            while not (self._frame or self._ping or self._closed):
                self._changed.wait()
            if not self._frame and not self._ping:
                raise StopIteration
            self._ping = False
            return self._frame.take()
