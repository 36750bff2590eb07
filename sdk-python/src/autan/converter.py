"""From Python values to JSON and back, and where to plug in other ways."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from autan.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")


class Converter(Protocol):
    """Converts what JSON does not know. Give your own as `Client(converter=…)`."""

    def to_json(self, value: object) -> object:
        """Turns one value that JSON does not know into one that it does.

        Called for everything but None, bool, int, float, str, list, tuple and mappings; the
        returned value may hold further such objects.

        Raises:
            PayloadError: The value cannot be converted.
        """
        ...

    def from_json(self, value: Any, type_: type[T]) -> T:
        """Turns decoded JSON into a value of the type that the caller asked for.

        Raises:
            PayloadError: The value does not fit the type.
        """
        ...


class DefaultConverter:
    """Knows dataclasses, pydantic models (if pydantic is installed), and common types.

    | Python                  | JSON                                             |
    |-------------------------|--------------------------------------------------|
    | dataclass, model        | object                                           |
    | datetime, date, time    | string, ISO 8601                                 |
    | timedelta               | number of seconds                                |
    | UUID, Decimal           | string                                           |
    | Enum                    | its value                                        |
    | set, frozenset          | array                                            |
    | subclass of str, int, … | as the class that it extends                     |

    Reading, keys that a dataclass has no field for are ignored, so that a workflow may add some.
    """

    def to_json(self, value: object) -> object:
        """Turns one value that JSON does not know into one that it does."""
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        if isinstance(value, Enum):
            return value.value
        for base in (str, int, float):
            if isinstance(value, base):
                return base(value)
        if isinstance(value, (datetime, date, time)):
            return value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, (UUID, Decimal)):
            return str(value)
        if isinstance(value, (set, frozenset)):
            return list(value)
        if not isinstance(value, type) and hasattr(value, "model_dump"):
            return value.model_dump(mode="json")
        raise PayloadError(f"{type(value).__name__} cannot be sent as JSON")

    def from_json(self, value: Any, type_: type[T]) -> T:
        """Turns decoded JSON into a value of the type that the caller asked for."""
        return typing.cast("T", _read(value, type_, "result"))


def _read(value: Any, wanted: Any, path: str) -> Any:
    """Reads `value` as the type `wanted`; `path` says where it stands."""
    origin = typing.get_origin(wanted)
    if wanted is Any or wanted is object:
        return value
    if origin in (typing.Union, types.UnionType):
        return _read_union(value, typing.get_args(wanted), path)
    if origin is typing.Literal:
        return value if value in typing.get_args(wanted) else _refuse(value, wanted, path)
    if origin is typing.Annotated:
        return _read(value, typing.get_args(wanted)[0], path)
    if origin is not None:
        return _read_generic(value, origin, typing.get_args(wanted), path)
    if isinstance(wanted, typing.NewType):
        return _read(value, wanted.__supertype__, path)
    if not isinstance(wanted, type):
        raise PayloadError(f"{path}: cannot read a value as {wanted!r}")
    if dataclasses.is_dataclass(wanted):
        return _read_dataclass(value, wanted, path)
    if hasattr(wanted, "model_validate"):
        return _with(wanted.model_validate, value, wanted, path)
    if typing.is_typeddict(wanted):
        return _read_typed_dict(value, wanted, path)
    return _read_scalar(value, wanted, path)


def _read_union(value: Any, choices: tuple[Any, ...], path: str) -> Any:
    if value is None and types.NoneType in choices:
        return None
    # An exact match comes first: `float | int` must not turn 1 into 1.0.
    for choice in choices:
        if type(value) is choice:
            return value
    for choice in choices:
        try:
            return _read(value, choice, path)
        except PayloadError:
            continue
    return _refuse(value, typing.Union[choices], path)


def _read_generic(value: Any, origin: Any, args: tuple[Any, ...], path: str) -> Any:
    if isinstance(origin, type) and hasattr(origin, "keys"):
        if not isinstance(value, dict):
            return _refuse(value, origin, path)
        item = args[1] if len(args) > 1 else Any
        return {key: _read(each, item, f"{path}.{key}") for key, each in value.items()}
    if not isinstance(value, list):
        return _refuse(value, origin, path)
    if origin is tuple and not (len(args) > 1 and args[1] is Ellipsis):
        if len(args) != len(value):
            raise PayloadError(f"{path}: expected {len(args)} items, got {len(value)}")
        pairs = zip(value, args, strict=True)
        return tuple(_read(each, a, f"{path}[{i}]") for i, (each, a) in enumerate(pairs))
    items = [_read(each, args[0], f"{path}[{i}]") for i, each in enumerate(value)]
    return origin(items) if origin in (tuple, set, frozenset) else items


def _read_dataclass(value: Any, wanted: Any, path: str) -> Any:
    if not isinstance(value, dict):
        return _refuse(value, wanted, path)
    hints = typing.get_type_hints(wanted, include_extras=True)
    found = {}
    for each in dataclasses.fields(wanted):
        if not each.init:
            continue
        if each.name in value:
            found[each.name] = _read(value[each.name], hints[each.name], f"{path}.{each.name}")
        elif each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING:
            raise PayloadError(f"{path}: {wanted.__name__} needs the key {each.name!r}")
    return _with(lambda kwargs: wanted(**kwargs), found, wanted, path)


def _read_typed_dict(value: Any, wanted: Any, path: str) -> Any:
    if not isinstance(value, dict):
        return _refuse(value, wanted, path)
    missing = sorted(wanted.__required_keys__ - value.keys())
    if missing:
        raise PayloadError(f"{path}: {wanted.__name__} needs the key {missing[0]!r}")
    hints = typing.get_type_hints(wanted)
    return {k: _read(v, hints.get(k, Any), f"{path}.{k}") for k, v in value.items()}


_TEXT_READERS: Mapping[type, Callable[[str], object]] = {
    # Before Python 3.11 the Z of UTC is not understood.
    datetime: lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    date: date.fromisoformat,
    time: lambda text: time.fromisoformat(text.replace("Z", "+00:00")),
    UUID: UUID,
    Decimal: Decimal,
}


def _read_scalar(value: Any, wanted: type, path: str) -> Any:
    if issubclass(wanted, Enum):
        return _with(wanted, value, wanted, path)
    if wanted in _TEXT_READERS and isinstance(value, str):
        return _with(_TEXT_READERS[wanted], value, wanted, path)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if number and wanted is timedelta:
        return timedelta(seconds=value)
    if number and wanted is Decimal:
        return Decimal(str(value))
    if number and wanted is float:
        return float(value)
    if wanted in (set, frozenset, tuple) and isinstance(value, list):
        return wanted(value)
    # bool is an int to Python, but not to JSON.
    if isinstance(value, wanted) and not (isinstance(value, bool) and wanted is int):
        return value
    return _refuse(value, wanted, path)


def _with(reader: Callable[[Any], object], value: Any, wanted: Any, path: str) -> object:
    try:
        return reader(value)
    # Decimal's errors are ArithmeticErrors; those of pydantic are ValueErrors.
    except (ValueError, TypeError, ArithmeticError) as error:
        name = getattr(wanted, "__name__", str(wanted))
        raise PayloadError(f"{path}: not a {name}: {error}") from error


def _refuse(value: Any, wanted: Any, path: str) -> Any:
    name = getattr(wanted, "__name__", None) or str(wanted).replace("typing.", "")
    raise PayloadError(f"{path}: expected {name}, got {type(value).__name__}")
