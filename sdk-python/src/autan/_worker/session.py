"""The conversation of a worker with the server, on a thread of its own.

The thread owns the leases and the streams. Everything reaches it as an event: messages, ends of
streams, ends of functions, the wish to stop. Nothing that a function does can hold it up.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Protocol

from autan import models
from autan._core import frames, leases, workers
from autan._transport.blocking import BlockingTransport
from autan._worker import failures
from autan._worker.calls import ActionCall
from autan._worker.context import CancelCause, TaskState, describe, ids_of
from autan._worker.desk import LEASE_LOST, NEVER, Desk
from autan._worker.link import Link, Stream
from autan.errors import Code, RpcError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from autan._core.call import Scope
    from autan._core.leases import Identity
    from autan._transport.options import TransportOptions
    from autan._worker.actions import Registry
    from autan._worker.desk import Cancel, Refused
    from autan._worker.link import Settings

LOG = logging.getLogger("autan.worker")

Event = tuple["Callable[..., None]", tuple[Any, ...]]
"""Something to be done on the thread of the session."""

_EVENTS_MAX = 256
"""Events that are dealt with before anything is sent again."""

_HOPELESS = {
    Code.INVALID_ARGUMENT,
    Code.UNAUTHENTICATED,
    Code.PERMISSION_DENIED,
    Code.UNIMPLEMENTED,
}
"""Answers to the first hello that another one would get as well."""


class Runner(Protocol):
    """Where functions run."""

    def start(self, call: ActionCall, done: Callable[[str, Any], None]) -> None:
        """Runs a call, and tells how it has ended."""
        ...

    def cancel(self, call: ActionCall) -> None:
        """Interrupts a call, if that is possible."""
        ...


class Session:
    """A conversation: connects, reconnects, and drains at the end.

    Args:
        options: Where the server is.
        scope: What every request has in common.
        worker: Who the worker is.
        registry: The actions that it provides.
        runner: Where functions run.
        limits: How many of them at the same time, of each queue.
        outstanding_bytes_max: Bytes of input that the worker takes at the same time; 0 = no limit.
        drain_timeout: How long functions may go on when the worker stops, in seconds.
        settings: Further times.

    Attributes:
        ended: Done when the conversation is over; has the error if the server wants none of it.
        welcomed: Set when the server has welcomed for the first time, or never will.
    """

    def __init__(
        self,
        *,
        options: TransportOptions,
        scope: Scope,
        worker: Identity,
        registry: Registry,
        runner: Runner,
        limits: Mapping[str, int],
        outstanding_bytes_max: int,
        drain_timeout: float,
        settings: Settings,
    ) -> None:
        self.ended: Future[None] = Future()
        self.welcomed = threading.Event()
        self._options = options
        self._scope = scope
        self._worker = worker
        self._registry = registry
        self._runner = runner
        self._outstanding_bytes_max = outstanding_bytes_max
        self._drain_timeout = drain_timeout
        self._settings = settings

        self._desk = Desk(limits)
        self._calls: dict[str, ActionCall] = {}
        self._bytes_max = 0
        self._unary: BlockingTransport | None = None

        self._link = Link(settings, self._open, self._desk.disconnected)
        self._renew_at = NEVER

        self._give_up_at = NEVER
        self._abandon_at = NEVER
        self._close_at = NEVER
        self._over = False
        self._fatal: RpcError | None = None

        self._events: SimpleQueue[Event] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="autan-worker", daemon=True)

    # For other threads

    def start(self) -> None:
        """Starts the thread."""
        self.ended.set_running_or_notify_cancel()
        self._thread.start()

    def post(self, handler: Callable[..., None], *args: Any) -> None:
        """Has something done on the thread of the session."""
        self._events.put((handler, args))

    def stop(self, timeout: float | None = None) -> None:
        """Takes no more tasks, waits for functions, gives back the rest; `ended` tells when."""
        self.post(self._drain, timeout)

    def abort(self) -> None:
        """Ends at once."""
        self.post(self._abort)

    def connected(self) -> bool:
        """Whether the server has welcomed, and was heard of within three intervals."""
        current = self._link.current
        return current is not None and time.monotonic() - current.heard_at < self._link.silence

    def state(self) -> tuple[datetime, int, str]:
        """Since when it is connected or not, how many functions run, and the last error."""
        return self._link.since, self._desk.running, self._link.last_error

    # The thread

    def _serve(self) -> None:
        error: BaseException | None = None
        try:
            while not self._over:
                self._step()
        except BaseException as fault:
            LOG.exception("the worker has a fault and ends")
            error = fault
        try:
            self._clean_up()
        except Exception:
            LOG.exception("the worker has a fault at its end")
        self.welcomed.set()
        error = error or self._fatal
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)

    def _step(self) -> None:
        """Waits for what comes next, and deals with all that has come."""
        wait = max(0.0, self._due() - time.monotonic())
        try:
            self._handle(*self._events.get(timeout=min(wait, 3600.0)))
            for _ in range(_EVENTS_MAX):
                self._handle(*self._events.get_nowait())
        except Empty:
            pass
        now = time.monotonic()
        self._on_time(now)
        self._send(now)
        self._finish_if_done(now)

    def _handle(self, handler: Callable[..., None], args: tuple[Any, ...]) -> None:
        try:
            handler(*args)
        except Exception:
            # Whatever it was, the other tasks go on; this one's lease ends by itself.
            LOG.exception("the worker has a fault and goes on")

    def _due(self) -> float:
        """When something is to be done next. All that is named here changes when it is done."""
        desk, link = self._desk, self._link
        if self._close_at != NEVER:
            return self._close_at
        times = [link.due(), desk.check_at(), self._give_up_at, self._abandon_at]
        if link.current is not None:
            times += [self._renew_at, desk.take_at()]
        else:
            times.append(max(desk.late_at(self._margin()), self._call_at()))
        return min(times)

    def _on_time(self, now: float) -> None:
        if self._close_at == NEVER:
            self._link.on_time(now)
        for cancel in self._desk.check(now):
            self._cancel(cancel)
        if self._give_up_at <= now:
            self._give_up(now)
        if self._link.current is None and self._call_at() <= now:
            for token, result in self._desk.late(now, self._margin()):
                self._end_by_call(token, result)

    def _send(self, now: float) -> None:
        current = self._link.current
        if current is None or self._close_at != NEVER:
            return
        renewing = self._renew_at <= now
        if renewing:
            self._desk.renew(now)
            # A little early, so that a busy machine is not late.
            self._renew_at = now + 0.8 * self._desk.heartbeat_interval
        frame = self._desk.take(now)
        if frame or renewing:
            current.outbox.put(frame, ping=renewing)

    def _margin(self) -> float:
        # Who stops has nothing to wait for.
        return NEVER if self._desk.draining else self._desk.lease_duration / 3

    def _call_at(self) -> float:
        """When results are sent by calls if there is no stream."""
        return self._link.lost_at + self._settings.unary_after

    # Streams

    def _open(self, now: float) -> Stream:
        held, credits = self._desk.hello()
        first = frames.hello(
            self._scope,
            self._worker,
            self._registry.queues(),
            credits=credits,
            held=held,
            outstanding_bytes_max=self._outstanding_bytes_max,
            drain=self._desk.draining,
        )
        return Stream(
            self._options,
            first,
            now,
            on_message=lambda stream, message: self.post(self._on_message, stream, message),
            on_end=lambda stream, error: self.post(self._on_end, stream, error),
        )

    def _on_message(self, stream: Stream, message: Any) -> None:
        now = time.monotonic()
        stream.heard_at = now
        if not self._link.knows(stream):
            return
        incoming = frames.read(message)
        if incoming.welcome is not None and stream is self._link.opening:
            self._welcome(stream, incoming.welcome, now)
        for task in incoming.tasks:
            self._arrived(task, now, paid=self._link.is_newest(stream))
        for token, error in incoming.unreadable:
            LOG.error("a task cannot be read: %s [token=%s]", error, token)
            task = models.WorkerTask(token=token, action="")
            if self._desk.arrived(task, now, paid=True) is not None:
                self._desk.ended(token, self._encoded(token, failures.invalid_input(error)))
        for ack in incoming.acks:
            self._acknowledged(ack)
        for lease in incoming.leases:
            self._cancel(self._desk.leased(lease))
        if incoming.going_away is not None and stream is self._link.current:
            self._link.going_away(now, incoming.going_away)

    def _welcome(self, stream: Stream, welcome: frames.Welcome, now: float) -> None:
        desk = self._desk
        desk.lease_duration = welcome.lease_duration
        desk.heartbeat_interval = self._link.interval = welcome.heartbeat_interval
        self._bytes_max = welcome.payload_bytes_max
        self._renew_at = now + 0.8 * desk.heartbeat_interval
        self._link.welcomed(stream, now)
        for cancel in desk.welcomed(stream.opened_at, welcome.lost_tokens):
            self._cancel(cancel)
        if desk.draining:
            # Its hello may have been said before.
            stream.outbox.put(frames.Frame(drain=True))
        LOG.info("connected as %s, session %s", self._worker.worker_id, welcome.session_id)
        self.welcomed.set()

    def _on_end(self, stream: Stream, error: RpcError | None) -> None:
        hopeless = error is not None and error.code in _HOPELESS
        if hopeless and not self.welcomed.is_set():
            self._fatal = error
            self._over = True
            return
        self._link.ended(stream, error, time.monotonic())

    # Tasks

    def _arrived(self, task: models.WorkerTask, now: float, *, paid: bool) -> None:
        lease = self._desk.arrived(task, now, paid=paid)
        if lease is None:
            return
        definition = self._registry.get(task.action)
        if definition is None:
            LOG.error("a task is of an action that is not provided: %s", task.action)
            failed = failures.lasting("UnknownAction", f"no action is called {task.action}")
            self._desk.ended(task.token, self._encoded(task.token, failed))
            return
        token = task.token
        state = TaskState(
            tell=lambda: self.post(self._said, token),
            ends_at=None if lease.ends_at == NEVER else lease.ends_at,
        )
        call = ActionCall(definition, task, self._scope.converter, state, self._bytes_max)
        lease.take_said = state.take_said
        self._calls[token] = call
        ids = ids_of(task)
        LOG.debug("action %s begins %s", task.action, describe(ids), extra=ids)
        try:
            self._runner.start(call, self._done)
        except RuntimeError as error:
            # The loop of the program is closed, so it does not run there any more.
            self._done(token, self._encoded(token, failures.from_exception(error)))

    def _done(self, token: str, result: Any) -> None:
        """A function has ended; called on any thread."""
        self.post(self._ended, token, result)

    def _said(self, token: str) -> None:
        self._desk.said(token)

    def _ended(self, token: str, result: Any) -> None:
        call = self._calls.pop(token)
        unwanted = self._desk.ended(token, result)
        if unwanted is None:
            return
        ids = ids_of(call.task)
        LOG.info(
            "action %s has ended, but nobody waits for it: %s %s",
            call.task.action,
            unwanted.cause.value,
            describe(ids),
            extra=ids,
        )
        if unwanted.cause is CancelCause.REQUESTED:
            self._desk.replace(token, leases.cancelled(result, unwanted.reason))

    def _acknowledged(self, ack: frames.Ack) -> None:
        refused = self._desk.acknowledged(ack, time.monotonic())
        if refused is not None:
            self._refused(refused)

    def _refused(self, refused: Refused) -> None:
        token, reason, message = refused
        if reason == LEASE_LOST:
            LOG.warning("a result came too late: %s [token=%s]", message, token)
            return
        LOG.error("a result was refused: %s: %s [token=%s]", reason, message, token)
        failed = failures.lasting(reason, message)
        self._desk.replace(token, self._encoded(token, failed), refused=True)

    def _cancel(self, cancel: Cancel | None) -> None:
        call = self._calls.get(cancel.token) if cancel is not None else None
        if cancel is None or call is None:
            return
        if call.state.cancel(cancel.cause, cancel.reason):
            level = logging.WARNING if cancel.cause is CancelCause.LEASE_LOST else logging.INFO
            text = "action %s is cancelled: %s: %s %s"
            ids = ids_of(call.task)
            LOG.log(
                level,
                text,
                call.task.action,
                cancel.cause.value,
                cancel.reason,
                describe(ids),
                extra=ids,
            )
            self._runner.cancel(call)

    def _encoded(self, token: str, failed: models.TaskFailure) -> Any:
        return leases.failed(token, failed, self._scope.converter, self._bytes_max)

    def _end_by_call(self, token: str, result: Any) -> None:
        """Sends a result by a call of its own, since there is no stream."""
        transport = self._unary = self._unary or BlockingTransport(self._options)
        call = workers.end(self._scope, self._worker.worker_id, result)

        def run() -> None:
            ack = frames.Ack(token=token)
            try:
                transport.unary(call)
            except RpcError as error:
                # An error without a reason is not of the server, but of the way to it.
                ack = frames.Ack(
                    token=token,
                    reason=error.reason or str(error),
                    message=error.message,
                    retryable=error.retryable or not error.reason,
                )
            except Exception as error:  # noqa: BLE001 - it is tried again as long as it matters.
                ack = frames.Ack(token=token, reason=str(error), retryable=True)
            self.post(self._acknowledged, ack)

        threading.Thread(target=run, name="autan-worker-end", daemon=True).start()

    # The end

    def _drain(self, timeout: float | None) -> None:
        now = time.monotonic()
        within = self._drain_timeout if timeout is None else timeout
        self._give_up_at = min(self._give_up_at, now + within)
        if self._desk.draining:
            return
        LOG.info("the worker stops; %d actions are under way", self._desk.running)
        self._desk.draining = True
        if self._link.current is not None:
            self._link.current.outbox.put(frames.Frame(drain=True))

    def _give_up(self, now: float) -> None:
        """Gives back what has not ended in time, and waits a little for what is under way."""
        for cancel in self._desk.give_up("the worker stops"):
            self._cancel(cancel)
        self._send(now)
        self._give_up_at = NEVER
        self._abandon_at = now + self._settings.close_timeout

    def _finish_if_done(self, now: float) -> None:
        if not self._desk.draining:
            return
        if self._close_at == NEVER:
            done = self._desk.wanted() == 0 and self._desk.unacknowledged == 0
            if not done and now < self._abandon_at:
                return
            if not done:
                LOG.error("%d results were not acknowledged", self._desk.unacknowledged)
            self._close_at = now + self._settings.close_timeout
            self._link.finish()
        self._over = self._over or self._link.gone or self._close_at <= now

    def _abort(self) -> None:
        LOG.warning("the worker ends at once; %d actions are under way", self._desk.running)
        self._desk.draining = True
        self._over = True

    def _clean_up(self) -> None:
        for cancel in self._desk.give_up("the worker has ended"):
            self._cancel(cancel)
        self._link.close()
        if self._unary is not None:
            self._unary.close()
