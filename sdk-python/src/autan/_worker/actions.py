"""Actions: functions with the names that workflows call them by."""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from autan import models
from autan._worker.signature import Signature, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

F = TypeVar("F", bound="Callable[..., Any]")

DEFAULT_QUEUE = "default"
"""How the server calls the queue that has no name."""
_MARK = "__autan_action__"
_NAME_BYTES_MAX = 255
_DESCRIPTION_BYTES_MAX = 4096
_PARAMETERS_MAX = 128


class Definition:
    """A function that is provided as an action.

    Attributes:
        spec: What the server is told of it.
        function: The function.
        queues: Queues from which it is called; none = the worker's own.
        signature: How it takes its input.
        asynchronous: Whether it is an async function.
    """

    def __init__(
        self, spec: models.ActionSpec, function: Callable[..., Any], queues: Sequence[str] = ()
    ) -> None:
        self.spec = spec
        self.function = function
        self.queues = tuple(queues)
        self.signature = Signature(function)
        self.asynchronous = inspect.iscoroutinefunction(plain(function))


def action(
    name: str,
    *,
    queue: str | Sequence[str] = (),
    description: str | None = None,
    version: str = "",
    start_to_close: float | timedelta | None = None,
    schedule_to_start: float | timedelta | None = None,
    heartbeat: float | timedelta | None = None,
) -> Callable[[F], F]:
    """Makes a function an action, for `Worker(actions=[…])`. The function stays as it is.

    The fields of the input become arguments of their names, read as the types of the annotations. A
    function whose only parameter is a dataclass, a TypedDict or a pydantic model gets the whole
    input as that. A parameter annotated as `ActionContext` gets the context of the task.

    Async functions run on the event loop of the program, others in threads.

    Args:
        name: Name, as workflows call it; at most 255 bytes. Names that begin with `std.` are the
            server's.
        queue: Queue, or queues, from which it is called, instead of the worker's own.
        description: What it does, for people; None = the first paragraph of the docstring.
        version: Which version of the action it is, at most 255 bytes. Tasks that require one
            (`action-version`) come only to workers that provide the same; others come to all.
        start_to_close: How long one attempt may take, in seconds or as a timedelta; None = for
            ever. An attempt that takes longer fails.
        schedule_to_start: How long a call may wait for a worker; None = for ever. A call that waits
            longer fails.
        heartbeat: How long an attempt may go without `ActionContext.heartbeat`; None = as long as
            its worker is alive. One that is silent for longer is handed out again.

    Raises:
        ValueError: The name or a time is out of range.
        TypeError: The function has parameters that cannot be filled.
    """

    def mark(function: F) -> F:
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
        return mark_as(function, made)

    return mark


def mark_as(function: F, definition: Definition) -> F:
    """Remembers with a function what action it is."""
    # A bound method remembers nothing; it is for its class to be decorated.
    with contextlib.suppress(AttributeError):
        setattr(function, _MARK, definition)
    return function


def define(
    function: Callable[..., Any],
    name: str,
    *,
    queue: str | Sequence[str] = (),
    description: str | None = None,
    version: str = "",
    start_to_close: float | timedelta | None = None,
    schedule_to_start: float | timedelta | None = None,
    heartbeat: float | timedelta | None = None,
) -> Definition:
    """Defines an action; see `action`."""
    if not isinstance(name, str) or not name or len(name.encode()) > _NAME_BYTES_MAX:
        raise ValueError(f"the name of an action has 1 to {_NAME_BYTES_MAX} bytes: {name!r}")
    if name.startswith("std."):
        raise ValueError(f"names that begin with std. are the server's: {name!r}")
    spec = models.ActionSpec(
        name=name,
        version=version,
        description=_described(function) if description is None else description,
        input=Signature(function).spec()[:_PARAMETERS_MAX],
        start_to_close=_positive("start_to_close", start_to_close),
        schedule_to_start=_positive("schedule_to_start", schedule_to_start),
        heartbeat=_positive("heartbeat", heartbeat),
    )
    queues = (queue,) if isinstance(queue, str) else queue
    return Definition(spec, function, [name or DEFAULT_QUEUE for name in queues])


def definition_of(function: object) -> Definition:
    """Returns what `@action` has made of a function.

    Raises:
        TypeError: It is not decorated with `@action`.
    """
    found = getattr(function, _MARK, None)
    if not isinstance(found, Definition):
        raise TypeError(f"not an action: decorate it with @action(name): {function!r}")
    # Of a method the mark is that of the class, whose functions want to be told the object.
    if found.function is not function and inspect.ismethod(function):
        input = Signature(function).spec()[:_PARAMETERS_MAX]
        spec = dataclasses.replace(found.spec, input=input)
        return Definition(spec, function, found.queues)
    return found


class Registry:
    """The actions of a worker, by name."""

    def __init__(self, functions: Iterable[object] = (), queue: str = DEFAULT_QUEUE) -> None:
        self._queue = queue
        self._definitions: dict[str, Definition] = {}
        for function in functions:
            self.add(definition_of(function))

    def add(self, definition: Definition) -> None:
        """Adds an action.

        Raises:
            ValueError: There is one of that name.
        """
        name = definition.spec.name
        if name in self._definitions:
            raise ValueError(f"there are two actions called {name!r}")
        self._definitions[name] = definition

    def get(self, name: str) -> Definition | None:
        """Returns the action of that name."""
        return self._definitions.get(name)

    def queues(self) -> dict[str, list[models.ActionSpec]]:
        """Returns the queues from which actions are called, by name, with these actions."""
        found: dict[str, list[models.ActionSpec]] = {}
        for definition in self:
            for queue in dict.fromkeys(definition.queues or (self._queue,)):
                found.setdefault(queue, []).append(definition.spec)
        return dict(sorted(found.items()))

    def __iter__(self) -> Iterator[Definition]:
        return iter(self._definitions.values())

    def __len__(self) -> int:
        return len(self._definitions)


def _described(function: Callable[..., Any]) -> str:
    text = inspect.getdoc(plain(function)) or ""
    first = " ".join(text.split("\n\n")[0].split())
    return first.encode()[:_DESCRIPTION_BYTES_MAX].decode("utf-8", "ignore")


def _positive(name: str, value: float | timedelta | None) -> float | None:
    if value is None:
        return None
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not 0 < seconds < float("inf"):
        raise ValueError(f"{name}: must be more than 0 seconds, not {value}")
    return seconds
