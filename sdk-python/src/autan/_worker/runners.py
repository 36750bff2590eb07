"""Where functions run: plain ones in threads, async ones on an event loop."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from autan._worker.calls import ActionCall

    Done = Callable[[str, Any], None]
    """Told the token, and the end of the task, ready to be sent."""


_CLOSING = 2.0
"""How long an own loop may take to end, in seconds."""


class Threads:
    """Threads for plain functions, made as they are needed, and kept.

    They do not hold up the end of the process: a function that does not end is left behind.
    """

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[ActionCall, Done] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._busy = 0

    def start(self, call: ActionCall, done: Done) -> None:
        """Runs a call."""
        with self._lock:
            self._busy += 1
            more = self._busy > self._threads
            self._threads += more
            number = self._threads
        self._work.put((call, done))
        if more:
            name = f"autan-action-{number}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def close(self) -> None:
        """Ends the threads once they have nothing to do."""
        for _ in range(self._threads):
            self._work.put(None)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            call, done = work
            result = call.run()
            with self._lock:
                self._busy -= 1
            done(call.task.token, result)
            # What a function has returned is not to live until its thread is used again.
            del work, call, done, result


class Loop:
    """An event loop for async functions: that of the program."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        # Belongs to the loop.
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    def start(self, call: ActionCall, done: Done) -> None:
        """Runs a call.

        Raises:
            RuntimeError: The loop is closed.
        """
        self._loop.call_soon_threadsafe(self._spawn, call, done)

    def cancel(self, token: str) -> None:
        """Cancels a call; one that has ended is left alone."""
        try:
            self._loop.call_soon_threadsafe(self._cancel, token)
        except RuntimeError:
            return  # The loop is closed, and what ran on it has ended.

    async def drained(self, timeout: float) -> None:
        """Waits until no call runs, for so many seconds at most. Runs on the loop."""
        if self._tasks:
            await asyncio.wait(self._tasks.values(), timeout=timeout)

    def _spawn(self, call: ActionCall, done: Done) -> None:
        token = call.task.token
        task = self._loop.create_task(call.run_async(), name=f"autan-action-{call.task.action}")
        self._tasks[token] = task

        def ended(task: asyncio.Task[Any]) -> None:
            self._tasks.pop(token, None)
            # One that is cancelled before its first step never gets there.
            done(token, call.never_ran() if task.cancelled() else task.result())

        task.add_done_callback(ended)

    def _cancel(self, token: str) -> None:
        task = self._tasks.get(token)
        if task is not None:
            task.cancel()


class OwnLoop:
    """An event loop on a thread of its own, for programs that have none."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="autan-actions", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the loop, and cancels what still runs on it."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        # A function that blocks the loop is left behind, as one that blocks a thread is.
        self._thread.join(_CLOSING)

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            left = asyncio.all_tasks(self.loop)
            for task in left:
                task.cancel()
            if left:
                self.loop.run_until_complete(asyncio.wait(left, timeout=1.0))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.close()
