"""From the input of a task to the arguments of a function."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from typing import TYPE_CHECKING, Any

from autan import models
from autan._worker.context import ActionContext
from autan.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autan.converter import Converter

_ROOT = "result"
"""What the default converter calls the value that it reads."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """A parameter that is filled from the input.

    Attributes:
        name: Its name, in the function and in the input.
        type: What the value is read as; Any = as it is.
        required: Whether the input must have it.
        default: What the function takes otherwise.
        positional: Whether it has no name for callers.
    """

    name: str
    type: Any
    required: bool
    default: Any = None
    positional: bool = False


class Signature:
    """What a function wants of the input of a task.

    The fields of the input become arguments of their names. A function whose only parameter is a
    dataclass, a TypedDict or a pydantic model gets the input as a whole. A parameter that is
    annotated as `ActionContext` gets the context.

    Raises:
        TypeError: The function has parameters that cannot be filled.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._context: inspect.Parameter | None = None
        self._rest = False
        parameters: list[Parameter] = []
        for each, annotation in _annotated(function):
            if _is_context(annotation):
                if each.kind is inspect.Parameter.POSITIONAL_ONLY:
                    raise TypeError(f"{each.name}: the context cannot be positional-only")
                self._context = each
            elif each.kind is inspect.Parameter.VAR_KEYWORD:
                self._rest = True
            elif each.kind is inspect.Parameter.VAR_POSITIONAL:
                continue
            else:
                parameters.append(_parameter(each, annotation))
        self._parameters = tuple(parameters)
        # Read from the whole input, instead of parameter by parameter.
        whole = len(parameters) == 1 and not self._rest and _fields(parameters[0].type) is not None
        self._model = parameters[0] if whole else None

    def spec(self) -> tuple[models.InputParameter, ...]:
        """Returns the parameters as the server is told of them."""
        parameters = self._parameters
        if self._model is not None:
            parameters = _fields(self._model.type) or ()
        return tuple(
            models.InputParameter(name=p.name, required=p.required, default_value=p.default)
            for p in parameters
        )

    def bind(
        self, input: Any, context: ActionContext, converter: Converter
    ) -> tuple[list[Any], dict[str, Any]]:
        """Makes the arguments of a call.

        Raises:
            PayloadError: The input does not fit; the message names the field.
        """
        if not isinstance(input, dict):
            raise PayloadError(f"input: expected an object, got {type(input).__name__}")
        if self._model is not None:
            found = self._bind_model(self._model, input, converter)
        else:
            found = self._bind_fields(input, converter)
        if self._context is not None:
            found[self._context.name] = context
        return self._order(found)

    def _bind_model(
        self, model: Parameter, input: Mapping[str, Any], converter: Converter
    ) -> dict[str, Any]:
        # A model of pydantic says itself what becomes of fields that it does not know.
        if not hasattr(model.type, "model_validate"):
            _refuse_unknown(input, {p.name for p in _fields(model.type) or ()})
        if not input and not model.required:
            return {}
        return {model.name: _read(input, model.type, "input", converter)}

    def _bind_fields(self, input: Mapping[str, Any], converter: Converter) -> dict[str, Any]:
        found = {}
        for each in self._parameters:
            if each.name in input:
                path = f"input.{each.name}"
                found[each.name] = _read(input[each.name], each.type, path, converter)
            elif each.required:
                raise PayloadError(f"input.{each.name}: is missing")
        names = {p.name for p in self._parameters}
        if self._rest:
            taken = names if self._context is None else {*names, self._context.name}
            found |= {name: value for name, value in input.items() if name not in taken}
        else:
            _refuse_unknown(input, names)
        return found

    def _order(self, found: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        return [found.pop(p.name, p.default) for p in self._parameters if p.positional], found


def _annotated(
    function: Callable[..., Any],
) -> list[tuple[inspect.Parameter, Any]]:
    """The parameters with their annotations, those that cannot be resolved as text."""
    parameters = inspect.signature(function).parameters.values()
    target = plain(function)
    try:
        hints = typing.get_type_hints(target, include_extras=True)
    except Exception:  # noqa: BLE001 - names that exist for type checkers only raise anything.
        hints = {p.name: _resolve(p.annotation, target) for p in parameters}
    return [(p, hints.get(p.name, Any)) for p in parameters]


def plain(function: Callable[..., Any]) -> Any:
    """Returns the function behind wrappers, methods, partials and callable objects."""
    while isinstance(function, functools.partial):
        function = function.func
    found = inspect.unwrap(function)
    found = getattr(found, "__func__", found)
    return found if inspect.isroutine(found) else type(found).__call__


def _resolve(annotation: Any, function: Any) -> Any:
    if annotation is inspect.Parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(function, "__globals__", {}))  # noqa: S307 - its own code.
    except Exception:  # noqa: BLE001
        return annotation


def _is_context(annotation: Any) -> bool:
    if isinstance(annotation, str):
        # Imported for type checkers only.
        return annotation.split("|")[0].strip().rpartition(".")[2] == ActionContext.__name__
    if annotation is ActionContext:
        return True
    return ActionContext in typing.get_args(annotation)


def _parameter(each: inspect.Parameter, annotation: Any) -> Parameter:
    required = each.default is inspect.Parameter.empty
    return Parameter(
        name=each.name,
        type=Any if isinstance(annotation, str) else annotation,
        required=required,
        default=None if required else each.default,
        positional=each.kind is inspect.Parameter.POSITIONAL_ONLY,
    )


def _fields(type_: Any) -> tuple[Parameter, ...] | None:
    """The fields of a type that stands for a whole input; None = it is no such type."""
    if not isinstance(type_, type):
        return None
    if dataclasses.is_dataclass(type_):
        return tuple(_dataclass_field(f) for f in dataclasses.fields(type_) if f.init)
    if typing.is_typeddict(type_):
        required: frozenset[str] = getattr(type_, "__required_keys__", frozenset())
        return tuple(Parameter(n, Any, n in required) for n in type_.__annotations__)
    known: Any = getattr(type_, "model_fields", None)
    if hasattr(type_, "model_validate") and isinstance(known, dict):
        return tuple(
            Parameter(f.alias or name, Any, f.is_required(), None if f.is_required() else f.default)
            for name, f in known.items()
        )
    return None


def _dataclass_field(f: dataclasses.Field[Any]) -> Parameter:
    plain = f.default is not dataclasses.MISSING
    required = not plain and f.default_factory is dataclasses.MISSING
    return Parameter(f.name, Any, required, f.default if plain else None)


def _refuse_unknown(input: Mapping[str, Any], names: set[str]) -> None:
    unknown = sorted(input.keys() - names)
    if unknown:
        raise PayloadError(f"input.{unknown[0]}: the action has no such parameter")


def _read(value: Any, type_: Any, path: str, converter: Converter) -> Any:
    if type_ is Any or type_ is object:
        return value
    try:
        return converter.from_json(value, type_)
    except PayloadError as error:
        text = error.message
        if text.startswith(_ROOT) and text[len(_ROOT) : len(_ROOT) + 1] in {":", ".", "["}:
            text = path + text[len(_ROOT) :]
        elif not text.startswith(path):
            text = f"{path}: {text}"
        raise PayloadError(text) from error
