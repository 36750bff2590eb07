"""The leases that a worker holds, and what is to be said about them.

Waits for nothing and sends nothing: it is told what happens, and what time it is.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from autan import models
from autan._core.frames import Frame
from autan._worker.context import CancelCause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autan._core.frames import Ack

LEASE_LOST = "TASK_LEASE_LOST"
NEVER = float("inf")
_DEADLINE = "deadline"

# Seconds after its deadline at which a function is cancelled without a word of the server, which
# ends the attempt by itself: were it sooner, what the function says of it could come first.
_DEADLINE_GRACE = 1.0
"""Why the server ends a lease of an attempt that takes too long."""
_RESEND_FIRST = 0.1
_RESEND_MAX = 5.0


class Cancel(NamedTuple):
    """A function that is to be cancelled."""

    token: str
    cause: CancelCause
    reason: str


class Refused(NamedTuple):
    """A result that the server does not take."""

    token: str
    reason: str
    message: str


@dataclass
class Lease:
    """A lease, until its function has ended and its result is acknowledged.

    Attributes:
        until: When it ends, as far as is known here.
        queue: Where its task came from.
        ends_at: When the attempt fails because it takes too long.
        silence_max: How long the action may say nothing of itself.
        take_said: Returns what the action has said since, encoded; None = nothing.
        running: Whether the function runs.
        lost: Whether what becomes of it counts for nothing.
        cancelled: Why nobody waits for its result.
        result: How it has ended, ready to be sent.
        sent_at: When the result was sent over the present stream.
        retry_at: When to send it again.
        tries: How often the server could not take it.
        replaced: Whether the result stands for one that was refused.
        renewals: When the renewals were sent that are not answered.
        said_at: When something was sent last that the action has said.
        last_said: What that was.
    """

    until: float
    queue: str
    ends_at: float = NEVER
    silence_max: float = NEVER
    take_said: Callable[[], Any] = lambda: None
    running: bool = True
    lost: bool = False
    cancelled: Cancel | None = None
    result: Any = None
    sent_at: float | None = None
    retry_at: float = 0.0
    tries: int = 0
    replaced: bool = False
    renewals: deque[float] = field(default_factory=deque)
    said_at: float = -NEVER
    last_said: Any = None


class Desk:
    """The leases of a worker.

    Args:
        limits: How many functions may run at the same time, of each queue.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.limits = dict(limits)
        self.lease_duration = 30.0
        self.heartbeat_interval = 10.0
        self.draining = False
        self._leases: dict[str, Lease] = {}
        self._frame = Frame()
        # Of each queue.
        self._running = dict.fromkeys(limits, 0)
        # Credits of each queue that are owed to the server since the last hello; arrivals by an
        # older stream were not paid for, and make it negative.
        self._owed = dict.fromkeys(limits, 0)
        self._unsent: set[str] = set()
        self._saying: set[str] = set()

    @property
    def running(self) -> int:
        """How many functions run, also those whose results count for nothing."""
        return sum(self._running.values())

    @property
    def unacknowledged(self) -> int:
        """How many results are still to be sent, or to be acknowledged."""
        return sum(1 for lease in self._leases.values() if lease.result is not None)

    def wanted(self) -> int:
        """How many functions run whose results count."""
        return sum(1 for lease in self._leases.values() if lease.running and not lease.lost)

    def tokens(self) -> list[str]:
        """Tokens of the leases that are held."""
        return [token for token, lease in self._leases.items() if not lease.lost]

    # Streams

    def hello(self) -> tuple[list[str], dict[str, int]]:
        """A stream opens: returns the tokens that are held, and the credits of each queue."""
        # What they say is said by the hello itself.
        self._frame.accepts.clear()
        self._frame.credits.clear()
        self._owed = dict.fromkeys(self.limits, 0)
        free = {queue: max(0, limit - self._running[queue]) for queue, limit in self.limits.items()}
        return self.tokens(), dict.fromkeys(free, 0) if self.draining else free

    def welcomed(self, sent_at: float, lost_tokens: tuple[str, ...]) -> list[Cancel]:
        """A stream has opened, by a hello of that time: everything else goes over it now."""
        self.disconnected()
        for token, lease in self._leases.items():
            lease.until = max(lease.until, sent_at + self.lease_duration)
            if lease.running and not lease.lost and lease.last_said is not None:
                # It may have gone down with the last stream.
                self._frame.heartbeats[token] = lease.last_said
        found = [self._lose(token, "the lease has ended meanwhile") for token in lost_tokens]
        return [cancel for cancel in found if cancel is not None]

    def disconnected(self) -> None:
        """The stream is gone: what was sent over it may not have arrived."""
        self._frame.heartbeats.clear()
        self._frame.results.clear()
        for token, lease in self._leases.items():
            lease.renewals.clear()
            if lease.result is not None and not lease.lost:
                lease.sent_at = None
                self._unsent.add(token)

    # What the server says

    def arrived(self, task: models.WorkerTask, now: float, *, paid: bool) -> Lease | None:
        """A task has come; returns its lease if its function is to be started.

        Args:
            task: The task.
            now: The time.
            paid: Whether it has come over the newest stream, which was given credits for it.
        """
        known = self._leases.get(task.token)
        if known is not None:
            self._frame.accepts.append(task.token)
            return None
        if self.draining:
            # Not accepted, so it is handed out again.
            return None
        queue = task.queue
        if self._running.get(queue, 0) >= self.limits.get(queue, 0):
            self._frame.releases.append(task.token)
            return None
        lease = Lease(until=now + self.lease_duration, queue=queue)
        if task.heartbeat_timeout is not None:
            lease.silence_max = task.heartbeat_timeout
        if task.deadline is not None and task.lease_expire_time is not None:
            # The clocks of the machines differ; that of the server says how long the lease lasts.
            beyond = (task.deadline - task.lease_expire_time).total_seconds()
            lease.ends_at = now + max(0.0, self.lease_duration + beyond) + _DEADLINE_GRACE
        self._leases[task.token] = lease
        self._running[queue] += 1
        self._owed[queue] -= 0 if paid else 1
        self._frame.accepts.append(task.token)
        return lease

    def leased(self, news: models.TaskLease) -> Cancel | None:
        """The server tells what became of a lease; returns what is to be cancelled."""
        lease = self._leases.get(news.token)
        if lease is None or lease.lost:
            return None
        if news.status is models.LeaseStatus.LOST:
            return self._lose(news.token, news.reason or "the lease has ended")
        if lease.renewals:
            lease.until = max(lease.until, lease.renewals.popleft() + self.lease_duration)
        if news.status is not models.LeaseStatus.CANCEL_REQUESTED or not lease.running:
            return None
        return self._cancel(news.token, lease, CancelCause.REQUESTED, news.reason)

    def acknowledged(self, ack: Ack, now: float) -> Refused | None:
        """The server answers a result; returns what it does not take."""
        lease = self._leases.get(ack.token)
        if lease is None or lease.result is None:
            return None
        if not ack.reason:
            self._forget(ack.token)
            return None
        if ack.retryable:
            lease.tries += 1
            bound = min(_RESEND_MAX, _RESEND_FIRST * 2.0 ** min(lease.tries - 1, 16))
            lease.retry_at = now + random.random() * bound
            lease.sent_at = None
            self._unsent.add(ack.token)
            return None
        if ack.reason == LEASE_LOST or lease.replaced:
            self._forget(ack.token)
        if ack.reason == LEASE_LOST and lease.cancelled is not None:
            # It was said before that nobody waits for it.
            return None
        return Refused(ack.token, ack.reason, ack.message)

    # What functions say

    def said(self, token: str) -> None:
        """A function has said something of its progress."""
        lease = self._leases.get(token)
        if lease is not None and lease.running and not lease.lost:
            self._saying.add(token)

    def ended(self, token: str, result: Any) -> Cancel | None:
        """A function has ended; returns why its result is not wanted, if it is not.

        Then nothing is sent until `replace` says what.
        """
        lease = self._leases.get(token)
        if lease is None or not lease.running:
            return None
        lease.running = False
        self._running[lease.queue] -= 1
        self._owed[lease.queue] += 1
        self._saying.discard(token)
        if lease.lost:
            cancelled = lease.cancelled
            self._forget(token)
            return cancelled
        lease.result = result
        self._unsent.add(token)
        if lease.cancelled is not None and lease.cancelled.cause is CancelCause.REQUESTED:
            return lease.cancelled
        return None

    def replace(self, token: str, result: Any, *, refused: bool = False) -> None:
        """Sends something else for a result that is not wanted, or was refused."""
        lease = self._leases.get(token)
        if lease is not None and lease.result is not None:
            lease.result = result
            lease.replaced = lease.replaced or refused
            lease.sent_at = None
            self._unsent.add(token)

    # Time

    def check_at(self) -> float:
        """When `check` has something to return."""
        times = [NEVER]
        for lease in self._leases.values():
            if lease.running and not lease.lost:
                times.append(lease.until)
                if lease.cancelled is None:
                    times.append(lease.ends_at)
        return min(times)

    def check(self, now: float) -> list[Cancel]:
        """Returns the functions whose time is over."""
        found = []
        for token, lease in self._leases.items():
            if lease.lost or not lease.running:
                continue
            if lease.until <= now:
                found.append(self._lose(token, "the lease could not be renewed in time"))
            elif lease.ends_at <= now and lease.cancelled is None:
                found.append(self._cancel(token, lease, CancelCause.DEADLINE, ""))
        return [cancel for cancel in found if cancel is not None]

    def renew(self, now: float) -> None:
        """Renews all leases."""
        for token, lease in self._leases.items():
            # The answer to a result that is under way tells more than that to a renewal.
            if not lease.lost and lease.sent_at is None:
                self._renew(token, lease, now)

    def take(self, now: float) -> Frame:
        """Returns everything that is to be sent now, over a stream that is open."""
        for token in [*self._saying]:
            lease = self._leases[token]
            if self._say_at(lease) <= now:
                self._renew(token, lease, now)
        for token, lease in self._leases.items():
            if lease.sent_at is not None and lease.sent_at + self.lease_duration <= now:
                self._unsent.add(token)
        for token in [*self._unsent]:
            lease = self._leases[token]
            if lease.retry_at <= now:
                self._unsent.discard(token)
                lease.sent_at = now
                self._frame.results[token] = lease.result
        for queue, owed in self._owed.items():
            if owed > 0 and not self.draining:
                self._frame.credits[queue] = owed
                self._owed[queue] = 0
        frame, self._frame = self._frame, Frame()
        return frame

    def take_at(self) -> float:
        """When `take` has something to return that time alone brings."""
        times = [NEVER]
        times += [self._say_at(self._leases[token]) for token in self._saying]
        times += [self._leases[token].retry_at for token in self._unsent]
        times += [
            lease.sent_at + self.lease_duration
            for lease in self._leases.values()
            if lease.sent_at is not None
        ]
        return min(times)

    def late(self, now: float, margin: float) -> list[tuple[str, Any]]:
        """Returns the results that cannot wait for a stream: their leases end within `margin`."""
        found = []
        for token in [*self._unsent]:
            lease = self._leases[token]
            if lease.until - margin <= now and lease.retry_at <= now:
                self._unsent.discard(token)
                lease.sent_at = now
                found.append((token, lease.result))
        return found

    def late_at(self, margin: float) -> float:
        """When `late` has something to return."""
        unsent = (self._leases[token] for token in self._unsent)
        return min((max(x.retry_at, x.until - margin) for x in unsent), default=NEVER)

    def give_up(self, reason: str) -> list[Cancel]:
        """Gives back all tasks whose functions still run; returns these functions."""
        found = []
        for token, lease in self._leases.items():
            if lease.running and not lease.lost:
                self._frame.releases.append(token)
                lease.lost = True
                found.append(Cancel(token, CancelCause.SHUTDOWN, reason))
                lease.cancelled = found[-1]
        return found

    def _say_at(self, lease: Lease) -> float:
        return lease.said_at + min(self.heartbeat_interval, lease.silence_max / 3)

    def _renew(self, token: str, lease: Lease, now: float) -> None:
        said = lease.take_said()
        if said is not None:
            lease.said_at = now
            lease.last_said = said
        self._saying.discard(token)
        self._frame.heartbeats[token] = said or self._frame.heartbeats.get(token)
        lease.renewals.append(now)

    def _cancel(self, token: str, lease: Lease, cause: CancelCause, reason: str) -> Cancel | None:
        if lease.cancelled is not None and lease.cancelled.cause is cause:
            return None
        lease.cancelled = Cancel(token, cause, reason)
        return lease.cancelled

    def _lose(self, token: str, reason: str) -> Cancel | None:
        lease = self._leases.get(token)
        # Of one whose result is under way the answer to that tells what became of it: it may have
        # ended just because of it.
        if lease is None or lease.lost or not lease.running:
            return None
        lease.lost = True
        self._saying.discard(token)
        cause = CancelCause.DEADLINE if reason == _DEADLINE else CancelCause.LEASE_LOST
        return self._cancel(token, lease, cause, reason)

    def _forget(self, token: str) -> None:
        self._leases.pop(token, None)
        self._unsent.discard(token)
        self._saying.discard(token)
