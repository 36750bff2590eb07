"""How the events of an execution are followed across connections, without any waiting itself.

**Invariant:** events come out numbered n+1, n+2, … with none left out and none twice, whatever the
connections do. What the server may no longer have is reported (`on_gap`, or `HistoryTrimmed`).

    request() -> receive()* -> lost() or an `end` message -> delay() -> request() -> …

A connection is given up and the watch resumed after the last event that was delivered when: it
breaks; it ends without an `end`; it is silent for three heartbeats; a number is missing; or the
server asks for it (GOING_AWAY, MAX_AGE, SLOW_CONSUMER).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from autan import models
from autan._core import decode, events
from autan._proto.v1 import executions_pb2 as pb
from autan._proto.v1 import watch_pb2
from autan.errors import (
    Code,
    DeadlineExceeded,
    ExecutionNotFound,
    HistoryTrimmed,
    Internal,
    RpcError,
    Unavailable,
    Unimplemented,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from autan._core.call import Scope
    from autan._proto.v1 import history_pb2
    from autan._transport.retry import RetryPolicy

HEARTBEATS_MISSED_MAX = 3
HEARTBEAT_MIN, HEARTBEAT_MAX = 5.0, 60.0
HOLES_MAX = 3
"""Times in a row that a number may be missing before the server is not believed any more."""
ODD_FAILURES_MAX = 5
"""Times in a row that a watch may fail in a way that is usually a proxy's fault, but not always."""
FALLBACK_AFTER = 3
"""Times in a row that a watch may fail before waiting is done by other means."""

# Without a reason of ours these come from proxies, from HTTP/2, or from a server that was killed.
ODD_CODES = frozenset(
    {Code.CANCELLED, Code.UNKNOWN, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED}
)


class WatchUnusableError(Exception):
    """Watching does not work here; `WaitExecution` may. Never leaves the SDK."""


class Deadline:
    """A point in time by which something must be done; None = never."""

    def __init__(self, seconds: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        if seconds is not None and seconds < 0:
            raise ValueError(f"timeout must not be negative: {seconds}")
        self._seconds = seconds
        self._clock = clock
        self._until = None if seconds is None else clock() + seconds

    def cap(self, seconds: float) -> float:
        """Returns `seconds`, or what is left if that is less."""
        return (
            seconds if self._until is None else max(0.0, min(seconds, self._until - self._clock()))
        )

    def check(self) -> None:
        """Raises `DeadlineExceeded` if the time is up."""
        if self._until is not None and self._clock() >= self._until:
            raise DeadlineExceeded(
                f"the execution was not finished after {self._seconds:g} s",
                code=Code.DEADLINE_EXCEEDED,
            )


@dataclass(frozen=True, kw_only=True)
class WatchOptions:
    """Where a watch starts and what it carries."""

    after_sequence: int = 0
    start: models.WatchStart = models.WatchStart.BEGINNING
    heartbeat_interval: float = 15.0
    include_payloads: bool = False

    def __post_init__(self) -> None:
        if self.after_sequence < 0:
            raise ValueError(f"after_sequence must not be negative: {self.after_sequence}")
        if not HEARTBEAT_MIN <= self.heartbeat_interval <= HEARTBEAT_MAX:
            raise ValueError(
                f"heartbeat_interval must be {HEARTBEAT_MIN:g} to {HEARTBEAT_MAX:g} s, "
                f"not {self.heartbeat_interval:g}"
            )


class Watch:
    """One watch over any number of connections.

    Attributes:
        connected: Whether the present connection is worth reading from.
        ended: Whether the execution is finished and all was delivered.
        execution: With `ended`: the finished execution, if the server sent it.
    """

    def __init__(
        self,
        scope: Scope,
        execution_id: str,
        options: WatchOptions,
        policy: RetryPolicy,
        *,
        on_gap: Callable[[models.Gap], None] | None = None,
        deadline: Deadline | None = None,
        may_fall_back: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.connected = False
        self.ended = False
        self.execution: models.Execution | None = None
        self._scope = scope
        self._execution_id = execution_id
        self._options = options
        self._policy = policy
        self._on_gap = on_gap
        self._deadline = deadline or Deadline(None)
        self._may_fall_back = may_fall_back
        self._clock = clock
        self._start = options.start
        # The last number delivered, or None while the server has not said where "now" is.
        from_number = options.after_sequence > 0 or self._start in (
            models.WatchStart.UNSPECIFIED,
            models.WatchStart.BEGINNING,
        )
        self._last = options.after_sequence if from_number else None
        self._gap_after: int | None = None
        self._failures = 0
        self._holes = 0
        self._fresh = True
        self._heard_ever = False
        self._heard_at = clock()
        self._asked_delay = 0.0

    @property
    def read_timeout(self) -> float:
        """How long to wait for the next message, in seconds."""
        return self._deadline.cap(HEARTBEATS_MISSED_MAX * self._options.heartbeat_interval)

    def request(self) -> pb.WatchExecutionRequest:
        """Begins a connection."""
        self._deadline.check()
        self.connected = True
        self._fresh = True
        self._asked_delay = 0.0
        heartbeat = Duration()
        heartbeat.FromNanoseconds(int(self._options.heartbeat_interval * 1e9))
        start = models.WatchStart.BEGINNING if self._last is not None else self._start
        return pb.WatchExecutionRequest(
            project=self._scope.project,
            execution_id=self._execution_id,
            after_sequence=self._last or 0,
            start_at=start.wire_name,
            heartbeat_interval=heartbeat,
            include_payloads=self._options.include_payloads,
        )

    def receive(self, message: pb.WatchExecutionResponse) -> list[models.HistoryEvent]:
        """Takes a message; returns the events to deliver."""
        self._deadline.check()
        kind = message.WhichOneof("message")
        if kind == "end":
            self._end(message.end)
            return []
        self._heard()
        if kind == "snapshot":
            self._snapshot(decode.execution(message.snapshot))
        elif kind == "events":
            return self._events(message.events.events)
        elif kind == "heartbeat":
            self._sent_up_to(message.heartbeat.last_sequence)
        # A kind of message that this version does not know is a sign of life all the same.
        return []

    def lost(self, error: RpcError | None) -> None:
        """Takes note of a connection that broke, or (None) ended without saying so.

        Raises:
            RpcError: Resuming is pointless.
            WatchUnusableError: Waiting should be done by other means.
        """
        self.connected = False
        self._deadline.check()
        error = error or Unavailable(
            "the stream ended without an end", code=Code.UNAVAILABLE, retryable=True
        )
        if isinstance(error, HistoryTrimmed) and self._on_gap is not None:
            self._gap_after, self._last = self._last or 0, None
            self._start = models.WatchStart.SNAPSHOT
            return
        self._failures += 1
        if self._may_fall_back:
            self._consider_fallback(error)
        odd = error.code in ODD_CODES and not error.reason
        if not error.retryable and not odd:
            raise error
        if odd and not error.retryable and self._failures >= ODD_FAILURES_MAX:
            raise error
        if self._clock() - self._heard_at > self._policy.resume_for:
            raise error
        self._asked_delay = error.retry_delay or 0.0

    def delay(self) -> float:
        """Returns how many seconds to wait before the next connection."""
        backoff = self._policy.backoff(self._failures) if self._failures else 0.0
        return self._deadline.cap(self._asked_delay + backoff)

    def _consider_fallback(self, error: RpcError) -> None:
        # A proxy that holds streams back lets nothing through, ever; no need to be shown thrice.
        held_back = error.code == Code.UNAVAILABLE and self._silent_from_the_start()
        if (
            isinstance(error, Unimplemented)
            or held_back
            or (self._failures >= FALLBACK_AFTER and error.code != Code.NOT_FOUND)
        ):
            raise WatchUnusableError from error

    def _silent_from_the_start(self) -> bool:
        waited = self._clock() - self._heard_at
        silence = HEARTBEATS_MISSED_MAX * self._options.heartbeat_interval
        return not self._heard_ever and waited >= silence

    def _heard(self) -> None:
        self._failures = 0
        self._fresh = False
        self._heard_ever = True
        self._heard_at = self._clock()

    def _snapshot(self, execution: models.Execution) -> None:
        if self._last is not None:
            return
        self._last = execution.last_sequence
        if self._gap_after is not None and self._on_gap is not None:
            gap = models.Gap(
                after_sequence=self._gap_after,
                resumed_after_sequence=self._last,
                execution=execution,
            )
            self._gap_after = None
            self._on_gap(gap)

    def _events(self, batch: Iterable[history_pb2.HistoryEvent]) -> list[models.HistoryEvent]:
        found: list[models.HistoryEvent] = []
        for message in batch:
            if self._last is not None and message.sequence <= self._last:
                continue
            if self._last is not None and message.sequence > self._last + 1:
                self._hole(message.sequence)
                break
            found.append(events.event(message))
            self._last = message.sequence
            self._holes = 0
        return found

    def _sent_up_to(self, sequence: int) -> None:
        if self._last is None:
            self._last = sequence
        elif sequence > self._last:
            self._hole(sequence)

    def _hole(self, sequence: int) -> None:
        """Gives up a connection that left something out; asking again fetches it."""
        self.connected = False
        self._holes += 1
        self._failures = self._holes
        if self._holes >= HOLES_MAX:
            raise Internal(
                f"the server went on to event {sequence} without the one after {self._last}",
                code=Code.INTERNAL,
            )

    def _end(self, end: pb.WatchEnd) -> None:
        self.connected = False
        if end.reason == watch_pb2.WATCH_END_REASON_DELETED:
            raise ExecutionNotFound(
                f"the execution {self._execution_id!r} was deleted while it was watched",
                code=Code.NOT_FOUND,
                reason="EXECUTION_NOT_FOUND",
                metadata={"execution_id": self._execution_id},
            )
        if end.reason == watch_pb2.WATCH_END_REASON_TERMINAL:
            if self._last is not None and end.resume_after_sequence > self._last:
                self._hole(end.resume_after_sequence)
                return
            self.ended = True
            if end.HasField("execution"):
                self.execution = decode.execution(end.execution)
            return
        # A server that ends every connection at once must not be asked again at once.
        self._failures = self._failures + 1 if self._fresh else 0
        self._heard_ever = True
        if self._failures and self._clock() - self._heard_at > self._policy.resume_for:
            raise Unavailable(
                "the server keeps ending the watch", code=Code.UNAVAILABLE, retryable=True
            )
        self._asked_delay = max(0.0, end.retry_delay.seconds + end.retry_delay.nanos / 1e9)
