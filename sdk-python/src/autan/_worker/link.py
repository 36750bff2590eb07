"""The streams of a session: the one in use, the one that opens, and those that are left."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from autan._core import workers
from autan._transport.duplex import Duplex
from autan._worker.desk import NEVER
from autan._worker.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from autan._transport.options import TransportOptions
    from autan.errors import RpcError

LOG = logging.getLogger("autan.worker")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Times of a session, in seconds.

    Attributes:
        reconnect_first: Bound of the wait before the first reconnection; it doubles each time.
        reconnect_max: Greatest bound.
        healthy_after: How long a stream must have lived for its loss to count as the first one.
        open_timeout: How long the server may take to welcome.
        unary_after: How long to wait for a stream before results are sent by calls.
        close_timeout: How long results may take to be acknowledged, and a stream to end, when the
            worker stops.
        silent_intervals: After how many intervals without a message a stream is dead.
    """

    reconnect_first: float = 0.1
    reconnect_max: float = 10.0
    healthy_after: float = 60.0
    open_timeout: float = 10.0
    unary_after: float = 5.0
    close_timeout: float = 5.0
    silent_intervals: float = 3.0


class Stream:
    """One stream, from its hello to its end.

    Each has a channel of its own, and so a connection: what the last one met with is not met again.

    Args:
        options: Where the server is.
        first: The hello.
        now: The time.
        on_message: Told the stream and a message, on a thread of the stream.
        on_end: Told the stream and why it is over, on a thread of the stream.
    """

    def __init__(
        self,
        options: TransportOptions,
        first: Any,
        now: float,
        *,
        on_message: Callable[[Stream, Any], None],
        on_end: Callable[[Stream, RpcError | None], None],
    ) -> None:
        self.opened_at = now
        self.heard_at = now
        self.welcomed_at: float | None = None
        self.outbox = Outbox(first)
        self._duplex = Duplex(
            options,
            workers.CONNECT,
            self.outbox,
            lambda message: on_message(self, message),
            lambda error: on_end(self, error),
        )

    def finish(self) -> None:
        """Sends what waits, and then nothing more."""
        self.outbox.close()

    def close(self) -> None:
        """Ends it at once."""
        self.outbox.discard()
        self._duplex.close()


class Link:
    """Keeps a stream open, whatever becomes of each.

    Args:
        settings: Times.
        opens: Says hello over a new stream.
        lost: Told that the stream in use is gone.

    Attributes:
        current: The stream in use, which the server has welcomed; None = there is none.
        opening: The stream that is to be the next one.
        interval: How often the server says something, in seconds.
        lost_at: When the last stream in use was lost.
        since: Since when there is a stream in use, or none.
        last_error: Why there is none.
    """

    def __init__(
        self, settings: Settings, opens: Callable[[float], Stream], lost: Callable[[], None]
    ) -> None:
        self.current: Stream | None = None
        self.opening: Stream | None = None
        self.interval = 10.0
        self.lost_at = 0.0
        self.since = datetime.now(timezone.utc)
        self.last_error = ""
        self._settings = settings
        self._opens = opens
        self._lost = lost
        self._leaving: dict[Stream, float] = {}
        self._open_at = 0.0
        self._failures = 0
        self._finishing = False

    @property
    def silence(self) -> float:
        """After how many seconds without a message a stream is dead."""
        return self._settings.silent_intervals * self.interval

    @property
    def gone(self) -> bool:
        """Whether no stream is left."""
        return self.current is None and self.opening is None and not self._leaving

    def knows(self, stream: Stream) -> bool:
        """Whether a stream has not been given up."""
        return stream is self.current or stream is self.opening or stream in self._leaving

    def is_newest(self, stream: Stream) -> bool:
        """Whether it is the last one that said hello."""
        return stream is (self.current if self.opening is None else self.opening)

    def due(self) -> float:
        """When `on_time` has something to do."""
        times = [*self._leaving.values()]
        if self.current is not None:
            times.append(self.current.heard_at + self.silence)
        if self.opening is not None:
            times.append(self.opening.opened_at + self._settings.open_timeout)
        else:
            times.append(self._open_at)
        return min(times)

    def on_time(self, now: float) -> None:
        """Gives up what is dead, and opens a stream when it is time for one."""
        for stream in [s for s, end in self._leaving.items() if end <= now]:
            self._drop(stream)
        opening, current = self.opening, self.current
        if opening is not None and opening.opened_at + self._settings.open_timeout <= now:
            self.lose(opening, "the server does not welcome", now)
        if current is not None and current.heard_at + self.silence <= now:
            self.lose(current, f"nothing was heard for {self.silence:g} s", now)
        if self._open_at <= now and self.opening is None:
            self._open_at = NEVER
            self.opening = self._opens(now)

    def welcomed(self, stream: Stream, now: float) -> None:
        """The stream that opens is the one in use from now on."""
        previous, self.current, self.opening = self.current, stream, None
        stream.welcomed_at = now
        self.last_error = ""
        if previous is None:
            self.since = datetime.now(timezone.utc)
        else:
            previous.finish()
            self._leaving[previous] = now + self._settings.close_timeout

    def going_away(self, now: float, delay: float) -> None:
        """The stream in use ends soon: the next one is opened before."""
        LOG.info("the server is going away")
        self._open_at = min(self._open_at, now + delay)

    def ended(self, stream: Stream, error: RpcError | None, now: float) -> None:
        """A stream is over."""
        if stream in self._leaving:
            self._drop(stream)
        elif self.knows(stream):
            why = "the server has ended the stream" if error is None else str(error)
            self.lose(stream, why, now)

    def lose(self, stream: Stream, why: str, now: float) -> None:
        """Takes leave of the stream in use, or of the one that was to be used."""
        stream.close()
        if stream is self.opening:
            self.opening = None
        else:
            self.current = None
            self.lost_at = now
            self.since = datetime.now(timezone.utc)
            self._lost()
        if self._finishing:
            return
        delay = self._delay(stream, now)
        if self.opening is None:
            self._open_at = now + delay
        self.last_error = why
        LOG.warning("lost a stream to the server, the next one in %.1f s: %s", delay, why)

    def finish(self) -> None:
        """Sends what waits, and opens no more streams."""
        self._finishing = True
        self._open_at = NEVER
        if self.opening is not None:
            self.opening.close()
            self.opening = None
        if self.current is not None:
            self.current.finish()

    def close(self) -> None:
        """Ends all streams at once."""
        for stream in (self.current, self.opening, *self._leaving):
            if stream is not None:
                stream.close()
        self.current = self.opening = None
        self._leaving.clear()
        self.since = datetime.now(timezone.utc)

    def _delay(self, stream: Stream, now: float) -> float:
        settings = self._settings
        lived = 0.0 if stream.welcomed_at is None else now - stream.welcomed_at
        self._failures = 1 if lived >= settings.healthy_after else self._failures + 1
        doubled = settings.reconnect_first * 2.0 ** min(self._failures - 1, 32)
        return random.random() * min(settings.reconnect_max, doubled)

    def _drop(self, stream: Stream) -> None:
        self._leaving.pop(stream, None)
        stream.close()
