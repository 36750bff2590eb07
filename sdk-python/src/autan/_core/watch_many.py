"""How the changes of many executions are followed across connections, without waiting itself.

**Invariant:** each change that was told before a token comes again at most, and each one after it
comes at least once, whatever the connections do.

    request() -> receive()* -> lost() or an `end` message -> delay() -> request() -> …
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from autan import models
from autan._core import decode, events
from autan._core.call import Method, method
from autan._core.watch import HEARTBEAT_MAX, HEARTBEAT_MIN, HEARTBEATS_MISSED_MAX, ODD_CODES
from autan._proto.v1 import executions_pb2 as pb
from autan._proto.v1 import watch_pb2
from autan.errors import Code, RpcError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from autan._core.call import Scope
    from autan._transport.retry import RetryPolicy

WATCH: Method[Any] = method("ExecutionService", pb.WatchExecutionsResponse)


class WatchMany:
    """One watch of many executions over any number of connections.

    Attributes:
        connected: Whether the present connection is worth reading from.
    """

    def __init__(
        self,
        scope: Scope,
        policy: RetryPolicy,
        *,
        filter: str,
        resume_token: str,
        retained: bool,
        events: bool,
        event_types: Sequence[str],
        include_payloads: bool,
        heartbeat_interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not HEARTBEAT_MIN <= heartbeat_interval <= HEARTBEAT_MAX:
            raise ValueError(
                f"heartbeat_interval must be {HEARTBEAT_MIN:g} to {HEARTBEAT_MAX:g} s, "
                f"not {heartbeat_interval:g}"
            )
        self.connected = False
        self._policy = policy
        self._clock = clock
        self._heartbeat = heartbeat_interval
        self._failures = 0
        self._asked_delay = 0.0
        self._heard_at = clock()
        heartbeat = Duration()
        heartbeat.FromNanoseconds(int(heartbeat_interval * 1e9))
        start = watch_pb2.WATCH_EXECUTIONS_START_NOW
        if retained:
            start = watch_pb2.WATCH_EXECUTIONS_START_RETAINED
        self._request = watch_pb2.WatchExecutionsRequest(
            project=scope.project,
            filter=filter,
            resume_token=resume_token,
            start_at=start,
            heartbeat_interval=heartbeat,
            mode=watch_pb2.WATCH_EXECUTIONS_MODE_EVENTS
            if events
            else watch_pb2.WATCH_EXECUTIONS_MODE_STATES,
            event_types=event_types,
            include_payloads=include_payloads,
        )

    @property
    def read_timeout(self) -> float:
        """How long to wait for the next message, in seconds."""
        return HEARTBEATS_MISSED_MAX * self._heartbeat

    def request(self) -> watch_pb2.WatchExecutionsRequest:
        """Begins a connection."""
        self.connected = True
        self._asked_delay = 0.0
        return self._request

    def receive(self, message: pb.WatchExecutionsResponse) -> list[models.ExecutionChange]:
        """Takes a message; returns the changes to deliver. All of them must be, before the next."""
        self._heard_at = self._clock()
        kind = message.WhichOneof("message")
        if kind == "changes":
            self._failures = 0
            return self._changes(message.changes)
        if kind == "heartbeat":
            self._failures = 0
            self._request.resume_token = message.heartbeat.resume_token
        elif kind == "end":
            self.connected = False
            self._request.resume_token = message.end.resume_token
            # A server that ends every connection at once must not be asked again at once.
            self._failures += 1
            delay = message.end.retry_delay
            self._asked_delay = max(0.0, delay.seconds + delay.nanos / 1e9)
        return []

    def lost(self, error: RpcError | None) -> None:
        """Takes note of a connection that broke, or (None) ended without saying so.

        Raises:
            RpcError: Resuming is pointless.
        """
        self.connected = False
        error = error or Unavailable(
            "the stream ended without an end", code=Code.UNAVAILABLE, retryable=True
        )
        self._failures += 1
        is_cut = error.retryable or (error.code in ODD_CODES and not error.reason)
        if not is_cut or self._clock() - self._heard_at > self._policy.resume_for:
            raise error
        self._asked_delay = error.retry_delay or 0.0

    def delay(self) -> float:
        """Returns how many seconds to wait before the next connection."""
        backoff = self._policy.backoff(self._failures - 1) if self._failures > 1 else 0.0
        return self._asked_delay + backoff

    def _changes(self, batch: pb.ExecutionChanges) -> list[models.ExecutionChange]:
        before, after = self._request.resume_token, batch.resume_token
        found = [
            models.ExecutionChange(execution=decode.execution(message), resume_token=before)
            for message in batch.executions
        ]
        for told in batch.events:
            found.extend(_happened(told, before))
        found.extend(
            models.ExecutionChange(
                deleted=models.DeletedExecution(
                    execution_id=gone.execution_id,
                    uid=gone.uid,
                    reason=gone.reason,
                    principal=gone.principal,
                    identity=gone.identity,
                ),
                resume_token=before,
            )
            for gone in batch.deleted
        )
        if found:
            # Who has dealt with the last one has dealt with all.
            found[-1] = dataclasses.replace(found[-1], resume_token=after)
        self._request.resume_token = after
        return found


def _happened(told: pb.ExecutionEvents, token: str) -> Iterator[models.ExecutionChange]:
    execution, earliest = decode.execution(told.execution), told.earliest_sequence
    if earliest and not told.events:
        yield models.ExecutionChange(
            execution=execution, earliest_sequence=earliest, resume_token=token
        )
    for message in told.events:
        yield models.ExecutionChange(
            execution=execution,
            event=events.event(message),
            earliest_sequence=earliest,
            resume_token=token,
        )
        earliest = 0
