"""What goes over the stream of a worker: to and from the messages of `Connect`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autan._core import leases
from autan._proto.v1 import workers_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from autan import models
    from autan._core.call import Scope

RESULTS_BYTES_MAX = 1024 * 1024
"""Results that go in one message: servers take messages of some MiB only."""


@dataclass
class Frame:
    """What has gathered to be sent.

    Attributes:
        accepts: Tokens of tasks that are taken over.
        heartbeats: By token what an action says of its progress, encoded; None = only renew.
        results: By token how tasks have ended.
        releases: Tokens of tasks that are given back.
        credits: By queue, tasks that the server may send besides.
        drain: Whether no more tasks are wanted.
    """

    accepts: list[str] = field(default_factory=list)
    heartbeats: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    releases: list[str] = field(default_factory=list)
    credits: dict[str, int] = field(default_factory=dict)
    drain: bool = False

    def __bool__(self) -> bool:
        parts = (self.accepts, self.heartbeats, self.results, self.releases, self.credits)
        return any(parts) or self.drain

    def add(self, other: Frame) -> None:
        """Adds what has gathered since."""
        self.accepts += other.accepts
        for token, said in other.heartbeats.items():
            # What only renews does not unsay what was said before.
            self.heartbeats[token] = said or self.heartbeats.get(token)
        self.results |= other.results
        self.releases += other.releases
        for queue, count in other.credits.items():
            self.credits[queue] = self.credits.get(queue, 0) + count
        self.drain = self.drain or other.drain

    def take(self) -> pb.ConnectRequest:
        """Takes out as much as one message carries."""
        request = pb.ConnectRequest(accepts=self.accepts, releases=self.releases)
        request.heartbeats.extend(
            pb.TaskHeartbeat(token=token, progress=said) for token, said in self.heartbeats.items()
        )
        room = RESULTS_BYTES_MAX
        for token in [*self.results]:
            size = self.results[token].ByteSize()
            if request.results and size > room:
                break
            request.results.append(self.results.pop(token))
            room -= size
        # A credit goes with the result that it came with, not ahead of it.
        left = max(0, sum(self.credits.values()) - len(self.results))
        for queue, owed in [*self.credits.items()]:
            granted = min(owed, left)
            if granted:
                request.credits.add(queue=queue, count=granted)
                left -= granted
                self.credits[queue] -= granted
            if not self.credits[queue]:
                del self.credits[queue]
        if self.drain:
            request.drain.SetInParent()
        self.accepts, self.heartbeats, self.releases, self.drain = [], {}, [], False
        return request


def hello(
    scope: Scope,
    worker: leases.Identity,
    queues: Mapping[str, Iterable[models.ActionSpec]],
    *,
    credits: Mapping[str, int],
    held: Sequence[str],
    outstanding_bytes_max: int,
    drain: bool,
) -> pb.ConnectRequest:
    """Builds the first message of a stream."""
    subscriptions = [
        pb.QueueSubscription(
            queue=queue,
            actions=[leases.spec(action, scope.converter) for action in actions],
            credits=credits.get(queue, 0),
        )
        for queue, actions in queues.items()
    ]
    request = pb.ConnectRequest(
        hello=pb.Hello(
            project=scope.project,
            worker=worker.message(),
            queues=subscriptions,
            held_tokens=held,
            max_outstanding_bytes=outstanding_bytes_max,
        )
    )
    if drain:
        request.drain.SetInParent()
    return request


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """The answer to `hello`. Times are in seconds."""

    session_id: str
    lease_duration: float
    heartbeat_interval: float
    lost_tokens: tuple[str, ...]
    payload_bytes_max: int


@dataclass(frozen=True, kw_only=True)
class Ack:
    """The answer to a result."""

    token: str
    reason: str = ""
    message: str = ""
    retryable: bool = False


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A message of the server."""

    welcome: Welcome | None
    tasks: tuple[models.WorkerTask, ...]
    unreadable: tuple[tuple[str, str], ...]
    """Tokens of tasks that cannot be read, and why."""
    acks: tuple[Ack, ...]
    leases: tuple[models.TaskLease, ...]
    going_away: float | None
    """How long to wait before the next stream is opened, in seconds; None = it goes on."""


_LEASE_DURATION = 30.0
_HEARTBEAT_INTERVAL = 10.0


def read(m: pb.ConnectResponse) -> Incoming:
    """Reads a message."""
    away = m.going_away.reconnect_delay if m.HasField("going_away") else None
    tasks = []
    unreadable = []
    for task in m.tasks:
        # One that is broken is not to take the others down with it.
        try:
            tasks.append(leases.task(task))
        except (ValueError, OverflowError) as error:
            unreadable.append((task.token, str(error)))
    return Incoming(
        welcome=_welcome(m.welcome) if m.HasField("welcome") else None,
        tasks=tuple(tasks),
        unreadable=tuple(unreadable),
        acks=tuple(
            Ack(
                token=r.token,
                reason=r.error_reason,
                message=r.error_message,
                retryable=r.retryable,
            )
            for r in m.results
        ),
        leases=tuple(leases.lease(r) for r in m.leases),
        going_away=None if away is None else leases.seconds(away),
    )


def _welcome(m: pb.Welcome) -> Welcome:
    return Welcome(
        session_id=m.session_id,
        lease_duration=leases.seconds(m.lease_duration) or _LEASE_DURATION,
        heartbeat_interval=leases.seconds(m.heartbeat_interval) or _HEARTBEAT_INTERVAL,
        lost_tokens=tuple(m.lost_tokens),
        payload_bytes_max=m.payload_bytes_max,
    )
