"""Workers, as programs see them: an async one and a blocking one."""

from __future__ import annotations

import asyncio
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autan._core import identity as identities
from autan._worker import signals
from autan._worker.actions import DEFAULT_QUEUE, F, Registry, define, mark_as
from autan._worker.link import Settings
from autan._worker.runners import Loop, OwnLoop, Threads
from autan._worker.session import Session
from autan.errors import AutanError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType

    from autan._aio.client import Client
    from autan._sync_generated.client import SyncClient
    from autan._worker.calls import ActionCall

_CLEAN_UP = 5.0
"""How long async functions may take to end when the worker has given them up, in seconds."""
_LOOK = 0.5
"""How often to look for signals, in seconds; most come through at once."""
_TASKS_MAX = 10_000


@dataclass(frozen=True, kw_only=True)
class WorkerHealth:
    """How a worker is; for probes.

    Attributes:
        connected: Whether the server has welcomed it, and was heard of within three heartbeats.
        since: Since when it is connected, or is not.
        running: How many functions run.
        last_error: Why it is not connected; empty if it is.
    """

    connected: bool
    since: datetime
    running: int
    last_error: str


class _Runner:
    """Runs plain functions in threads, async ones on a loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.threads = Threads()
        self.loop = None if loop is None else Loop(loop)

    def start(self, call: ActionCall, done: Callable[[str, Any], None]) -> None:
        """Runs a call."""
        runner = self.loop if call.definition.asynchronous else self.threads
        if runner is None:
            raise RuntimeError("there is no event loop for async functions")
        runner.start(call, done)

    def cancel(self, call: ActionCall) -> None:
        """Interrupts an async function. Others look at their contexts."""
        if call.definition.asynchronous and self.loop is not None:
            self.loop.cancel(call.task.token)


class _WorkerBase:
    """What both workers share."""

    def __init__(
        self,
        client: Client | SyncClient,
        queue: str = "default",
        *,
        actions: Iterable[object] = (),
        max_tasks: int = 50,
        queue_limits: Mapping[str, int] | None = None,
        drain_timeout: float = 30.0,
        identity: str = "",
        build_id: str = "",
        labels: Mapping[str, str] | None = None,
        max_outstanding_bytes: int = 0,
    ) -> None:
        own = {name or DEFAULT_QUEUE: limit for name, limit in (queue_limits or {}).items()}
        for limit in (max_tasks, *own.values()):
            if not 1 <= limit <= _TASKS_MAX:
                raise ValueError(f"max_tasks: must be 1 to {_TASKS_MAX}, not {limit}")
        if drain_timeout < 0 or max_outstanding_bytes < 0:
            raise ValueError("drain_timeout and max_outstanding_bytes must not be negative")
        self._options = client._transport.options  # noqa: SLF001 - a worker belongs to it.
        self._scope = client._scope  # noqa: SLF001
        self._registry = Registry(actions, queue or DEFAULT_QUEUE)
        self._max_tasks = max_tasks
        self._queue_limits = own
        self._drain_timeout = drain_timeout
        self._max_outstanding_bytes = max_outstanding_bytes
        self._identity = identities.new(identity, build_id, labels)
        self._settings = Settings()
        self._session: Session | None = None
        self._asked = False
        self._runner: _Runner | None = None

    @property
    def worker_id(self) -> str:
        """UUID by which the server knows it."""
        return self._identity.worker_id

    def action(
        self,
        name: str,
        *,
        queue: str | Sequence[str] = (),
        description: str | None = None,
        version: str = "",
        start_to_close: float | timedelta | None = None,
        schedule_to_start: float | timedelta | None = None,
        heartbeat: float | timedelta | None = None,
    ) -> Callable[[F], F]:
        """Provides a function as an action: a decorator, as `autan.action`.

        Args:
            name: Name, as workflows call it.
            queue: Queue, or queues, from which it is called, instead of the worker's own.
            description: What it does, for people; None = the first paragraph of the docstring.
            version: Which version of the action it is, for tasks that require one.
            start_to_close: How long one attempt may take, in seconds or as a timedelta; None = for
                ever.
            schedule_to_start: How long a call may wait for a worker; None = for ever.
            heartbeat: How long an attempt may go without `ActionContext.heartbeat`; None = as long
                as its worker is alive.

        Raises:
            ValueError: The name or a time is out of range, or there is an action of that name.
            TypeError: The function has parameters that cannot be filled.
            RuntimeError: The worker runs already.
        """

        def add(function: F) -> F:
            if self._session is not None:
                raise RuntimeError("actions are added before the worker runs")
            made = define(
                function,
                name,
                queue=queue,
                description=description,
                version=version,
                start_to_close=start_to_close,
                schedule_to_start=schedule_to_start,
                heartbeat=heartbeat,
            )
            self._registry.add(made)
            return mark_as(function, made)

        return add

    def health(self) -> WorkerHealth:
        """Returns how it is; of one that does not run: not connected.

        Raises:
            RuntimeError: The worker was not started.
        """
        session = self._started()
        since, running, error = session.state()
        connected = session.connected()
        return WorkerHealth(
            connected=connected, since=since, running=running, last_error="" if connected else error
        )

    def stop(self) -> None:
        """Takes no more tasks, waits for functions, gives back the rest; from any thread.

        `run` returns when that is done.

        Raises:
            RuntimeError: The worker was not started.
        """
        self._started().stop()

    def _started(self) -> Session:
        if self._session is None:
            raise RuntimeError("the worker was not started")
        return self._session

    def _limits(self) -> dict[str, int]:
        queues = self._registry.queues()
        for name in self._queue_limits:
            if name not in queues:
                raise ValueError(f"no action is called from queue {name!r}")
        return {name: self._queue_limits.get(name, self._max_tasks) for name in queues}

    def _start(self, loop: asyncio.AbstractEventLoop | None) -> Session:
        if self._session is not None:
            raise RuntimeError("a worker runs once: make another one")
        if len(self._registry) == 0:
            raise ValueError("the worker provides no actions")
        self._runner = _Runner(loop)
        self._session = Session(
            options=self._options,
            scope=self._scope,
            worker=self._identity,
            registry=self._registry,
            runner=self._runner,
            limits=self._limits(),
            outstanding_bytes_max=self._max_outstanding_bytes,
            drain_timeout=self._drain_timeout,
            settings=self._settings,
        )
        self._session.start()
        if self._asked:
            self._session.stop()
        return self._session

    def _ask(self) -> None:
        """Stops the worker at a signal, also at one that comes while it is being started."""
        self._asked = True
        if self._session is not None:
            self._session.stop()

    def _insist(self) -> None:
        """Ends the worker at the second signal."""
        if self._session is not None:
            self._session.abort()


class Worker(_WorkerBase):
    """Provides actions to workflows, in an async program.

        worker = Worker(client)

        @worker.action("stock.reserve")
        async def reserve(sku: str, count: int = 1) -> dict:
            ...

        await worker.run()

    Async functions run on the event loop that `run` is awaited on, others in threads. The
    conversation with the server has a thread of its own: a function that blocks the loop delays
    other functions, but no heartbeats.

    An action runs at least once: after a crash, or if the network is gone for longer than a lease,
    it runs again. `ActionContext.idempotency_key` is the same then.

    Args:
        client: Tells where the server is and how values are converted. The worker has connections
            of its own.
        queue: Queue that it serves.
        actions: Functions decorated with `autan.action`.
        max_tasks: How many functions of each queue may run at the same time.
        queue_limits: The same of single queues, by name; actions name theirs with `queue`.
        drain_timeout: How long functions may go on when the worker stops, in seconds; then their
            tasks are given back, and run elsewhere.
        identity: For people; empty = host and process id.
        build_id: Which build of the program it is.
        labels: For people and tools; at most 64.
        max_outstanding_bytes: Bytes of input that it takes at the same time; 0 = no limit.

    Raises:
        ValueError: A number is out of range, or two actions have one name.
        TypeError: One of `actions` is not decorated.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    async def run(self, *, handle_signals: bool = True) -> None:
        """Runs until `stop` is called, or a signal asks the process to end.

        SIGTERM and SIGINT stop it as `stop` does; a second one ends it at once. Cancelling `run`
        gives back the tasks that are under way.

        Args:
            handle_signals: Whether signals stop it; they do in the main thread only.

        Raises:
            RpcError: The server wants none of it, such as an action with a bad name, or a token
                that is not valid. A server that cannot be reached is waited for.
            ValueError: The worker provides no actions.
            RuntimeError: The worker has run before.
        """
        with signals.handled(self._ask, self._insist) if handle_signals else nullcontext():
            async with self:
                await self._ended()

    async def wait_connected(self, timeout: float | None = None) -> None:
        """Waits until the server has welcomed it for the first time.

        Args:
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            TimeoutError: It was not welcomed in time.
            RpcError: The server wants none of it.
        """
        await asyncio.to_thread(_wait_connected, self._started(), timeout)

    async def __aenter__(self) -> Worker:
        self._loop = asyncio.get_running_loop()
        self._start(self._loop)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        session = self._started()
        given_up = kind is not None and not issubclass(kind, Exception)
        session.stop(0.0 if given_up else None)
        try:
            await self._ended()
        except asyncio.CancelledError:
            # Not to leave tasks behind that nobody has: it takes a moment only.
            session.stop(0.0)
            await self._ended()
            raise
        finally:
            if self._runner is not None and self._runner.loop is not None:
                await self._runner.loop.drained(_CLEAN_UP)
                self._runner.threads.close()

    async def _ended(self) -> None:
        ended = asyncio.wrap_future(self._started().ended)
        # In parts: a signal that comes just before the loop begins to wait is only looked at when
        # it wakes up.
        while not ended.done():
            await asyncio.wait([ended], timeout=_LOOK)
        ended.result()


class SyncWorker(_WorkerBase):
    """Provides actions to workflows, in a program without an event loop.

    As `Worker`, but `run` blocks. Functions run in threads; async ones on a loop of the worker.

    Args:
        client: Tells where the server is and how values are converted. The worker has connections
            of its own.
        queue: Queue that it serves.
        actions: Functions decorated with `autan.action`.
        max_tasks: How many functions of each queue may run at the same time.
        queue_limits: The same of single queues, by name; actions name theirs with `queue`.
        drain_timeout: How long functions may go on when the worker stops, in seconds; then their
            tasks are given back, and run elsewhere.
        identity: For people; empty = host and process id.
        build_id: Which build of the program it is.
        labels: For people and tools; at most 64.
        max_outstanding_bytes: Bytes of input that it takes at the same time; 0 = no limit.

    Raises:
        ValueError: A number is out of range, or two actions have one name.
        TypeError: One of `actions` is not decorated.
    """

    _own_loop: OwnLoop | None = None

    def run(self, *, handle_signals: bool = True) -> None:
        """Runs until `stop` is called, or a signal asks the process to end.

        SIGTERM and SIGINT stop it as `stop` does; a second one ends it at once.

        Args:
            handle_signals: Whether signals stop it; they do in the main thread only.

        Raises:
            RpcError: The server wants none of it, such as an action with a bad name, or a token
                that is not valid. A server that cannot be reached is waited for.
            ValueError: The worker provides no actions.
            RuntimeError: The worker has run before.
        """
        with signals.handled(self._ask, self._insist) if handle_signals else nullcontext(), self:
            self._ended()

    def wait_connected(self, timeout: float | None = None) -> None:
        """Waits until the server has welcomed it for the first time.

        Args:
            timeout: How long to wait, in seconds; None = for ever.

        Raises:
            TimeoutError: It was not welcomed in time.
            RpcError: The server wants none of it.
        """
        _wait_connected(self._started(), timeout)

    def __enter__(self) -> SyncWorker:
        if any(definition.asynchronous for definition in self._registry):
            self._own_loop = OwnLoop()
        try:
            self._start(None if self._own_loop is None else self._own_loop.loop)
        except BaseException:
            self._close_loop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        session = self._started()
        given_up = kind is not None and not issubclass(kind, Exception)
        session.stop(0.0 if given_up else None)
        try:
            self._ended()
        finally:
            self._close_loop()
            if self._runner is not None:
                self._runner.threads.close()

    def _ended(self) -> None:
        ended = self._started().ended
        # In parts, for the same reason, and since a wait without an end hears of no signals at all
        # on some systems.
        while True:
            try:
                return ended.result(timeout=_LOOK)
            except FutureTimeoutError:
                if ended.done():
                    raise

    def _close_loop(self) -> None:
        if self._own_loop is not None:
            self._own_loop.close()
            self._own_loop = None


def _wait_connected(session: Session, timeout: float | None) -> None:
    if not session.welcomed.wait(timeout):
        raise TimeoutError(f"the server has not welcomed the worker in {timeout:g} s")
    if session.ended.done():
        error = session.ended.exception()
        if isinstance(error, AutanError):
            raise error
