"""What a function is told of the task that it runs for."""

from __future__ import annotations

import enum
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from autan._core import leases
from autan.errors import ActionCancelled

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from datetime import datetime

    from autan import models
    from autan.converter import Converter


class CancelCause(enum.Enum):
    """Why nobody waits for the result of an action any more."""

    REQUESTED = "cancel requested"
    """The execution, or the action itself, was cancelled."""
    LEASE_LOST = "lease lost"
    """The lease has ended: the task is somebody else's."""
    DEADLINE = "deadline"
    """The attempt takes longer than it may."""
    SHUTDOWN = "shutdown"
    """The worker ends, and has given the task back."""


class TaskState:
    """What a function and its worker tell each other while it runs; safe between threads.

    Args:
        tell: Called when the function has said something, and what it said before was taken.
        ends_at: When the attempt fails because it takes too long, on the monotonic clock.
    """

    def __init__(
        self, tell: Callable[[], None] = lambda: None, ends_at: float | None = None
    ) -> None:
        self.cause: CancelCause | None = None
        self.reason = ""
        self.cancelled = threading.Event()
        self.ends_at = ends_at
        self._tell = tell
        self._lock = threading.Lock()
        self._said: Any = None

    def cancel(self, cause: CancelCause, reason: str) -> bool:
        """Cancels; returns whether it was not cancelled before."""
        with self._lock:
            if self.cause is not None:
                return False
            self.reason = reason
            self.cause = cause
        self.cancelled.set()
        return True

    def say(self, progress: Any) -> None:
        """Keeps what was said, encoded, in place of what was said before."""
        with self._lock:
            told = self._said is not None
            self._said = progress
        if not told:
            self._tell()

    def take_said(self) -> Any:
        """Returns what was said since this was asked last; None = nothing."""
        with self._lock:
            said, self._said = self._said, None
        return said


class Deferred:
    """What an action returns that somebody completes later; see `ActionContext.defer`."""


class ActionContext:
    """The task that a function runs for; safe between threads.

    A function gets it by a parameter with this annotation.

    Attributes:
        action: Name of the action.
        queue: Queue that the task came from.
        attempt: Attempt of the task's `retry`, from 1.
        delivery: How often this attempt was handed out, from 1: more than once if its worker was
            lost.
        idempotency_key: The same for all attempts and deliveries of one call, and for no other
            call. Pass it on to what must not happen twice.
        progress: What an earlier attempt or delivery has said last of its progress.
        token: Names the lease; with it `Client.complete_task` completes a deferred task.
        schedule_time: When the call was made.
        deadline: When the attempt fails because it takes too long, by the clock of the server;
            None = never.
        heartbeat_timeout: How long the action may say nothing of itself, in seconds; None = as long
            as the worker is alive.
        project: Tenant.
        execution_uid: Uid of the execution.
        workflow_name: Name of the workflow; of an action that was run without one, of the action.
        task_name: Name of the task.
        task_execution_id: Id of the task execution.
        action_execution_id: Id of the action execution, by which `client.action_executions`
            completes a deferred one.
        item_index: Item of a with-items task, from 0.
        required_version: The version of the action that its task requires; empty = any.
        affinity_key: What tasks that are best run by the same worker have in common, as the
            workflow says; empty = nothing.
        logger: A logger that adds the ids to each line, and to each record as attributes.
    """

    def __init__(
        self,
        task: models.WorkerTask,
        converter: Converter,
        state: TaskState,
    ) -> None:
        self.action = task.action
        self.queue = task.queue
        self.attempt = task.attempt
        self.delivery = task.delivery
        self.idempotency_key = task.idempotency_key
        self.progress = task.progress
        self.token = task.token
        self.schedule_time: datetime | None = task.schedule_time
        self.deadline: datetime | None = task.deadline
        self.heartbeat_timeout = task.heartbeat_timeout
        self.project = task.project
        self.execution_uid = task.execution_uid
        self.workflow_name = task.workflow_name
        self.task_name = task.task_name
        self.task_execution_id = task.task_execution_id
        self.action_execution_id = task.action_execution_id
        self.item_index = task.item_index
        self.required_version = task.required_version
        self.affinity_key = task.affinity_key
        self.logger = _logger(task)
        self._converter = converter
        self._state = state
        self._last: Any = None

    def heartbeat(self, progress: object = None) -> None:
        """Says that the action is alive, and how far it is.

        Cheap: it never waits for the network. What is said is sent soon, and when much is said,
        only the last of it.

        Args:
            progress: For people, and for the next attempt; JSON of at most 64 KiB. None = as said
                before.

        Raises:
            PayloadError: The progress cannot be sent as JSON, or is too large.
        """
        if progress is None:
            said = self._last or leases.progress(self.progress, self._converter)
        else:
            said = leases.progress(progress, self._converter)
        self._last = said
        self._state.say(said)

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        return self._state.cancelled.is_set()

    @property
    def cancel_cause(self) -> CancelCause | None:
        """Why it was cancelled; None = it was not."""
        return self._state.cause

    @property
    def cancel_reason(self) -> str:
        """What was said about the cancellation, for people."""
        return self._state.reason

    @property
    def time_left(self) -> float | None:
        """Seconds until the attempt fails because it takes too long; None = there is no limit."""
        ends_at = self._state.ends_at
        return None if ends_at is None else max(0.0, ends_at - time.monotonic())

    def wait_cancelled(self, timeout: float | None = None) -> bool:
        """Waits until the action is cancelled; returns whether it is. Not for async functions.

        In place of `time.sleep`, it ends a pause as soon as there is nothing to wait for.

        Args:
            timeout: How long to wait, in seconds; None = for ever.
        """
        return self._state.cancelled.wait(timeout)

    def check(self) -> None:
        """Raises if nobody waits for the result any more.

        Raises:
            ActionCancelled: The action was cancelled.
        """
        cause = self._state.cause
        if cause is not None:
            raise ActionCancelled(self._state.reason or cause.value)

    def defer(self) -> Deferred:
        """Leaves the task to somebody who completes it later: `return ctx.defer()`.

        They need `token` (`client.complete_task`), or `action_execution_id`
        (`client.action_executions.complete`).
        """
        return Deferred()


if TYPE_CHECKING:
    Adapter = logging.LoggerAdapter[logging.Logger]
else:
    # Before Python 3.11 it takes no parameter at run time.
    Adapter = logging.LoggerAdapter


class _TaskLogger(Adapter):
    """Adds the ids of a task to each line."""

    def process(
        self, msg: Any, kwargs: MutableMapping[str, Any]
    ) -> tuple[Any, MutableMapping[str, Any]]:
        ids = self.extra or {}
        kwargs["extra"] = {**ids, **(kwargs.get("extra") or {})}
        return f"{msg} {describe(ids)}", kwargs


def describe(ids: Any) -> str:
    """The ids that a line of the log carries."""
    return f"[execution={ids['execution_uid']} task={ids['task_execution_id']}]"


def ids_of(task: models.WorkerTask) -> dict[str, object]:
    """The ids that a record of the log carries."""
    return {
        "execution_uid": task.execution_uid,
        "task_execution_id": task.task_execution_id,
        "action_execution_id": task.action_execution_id,
        "action": task.action,
        "attempt": task.attempt,
    }


def _logger(task: models.WorkerTask) -> Adapter:
    return _TaskLogger(logging.getLogger(f"autan.action.{task.action}"), ids_of(task))
