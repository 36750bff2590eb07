# ruff: noqa: INP001
"""The real YAQL, set up as Mistral sets it up, and a list of its functions (`--functions`)."""

import collections.abc  # yaql forgets to
import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import ordered
import serve
import yaml
import yaql
from yaql.language import factory, specs, utils, yaqltypes
from yaql.standard_library import strings

OPTIONS = {
    "yaql.limitIterators": -1,
    "yaql.memoryQuota": -1,
    "yaql.convertInputData": True,
    "yaql.convertOutputData": True,
    "yaql.convertTuplesToLists": True,
    "yaql.convertSetsToLists": False,
    "yaql.iterableDicts": False,
}


def plain(value: Any) -> Any:
    """Lists and dicts of Python in place of YAQL's frozen ones."""
    if isinstance(value, collections.abc.Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)) or utils.is_iterator(value):
        return [plain(item) for item in value]
    return value


# What Python writes of a generator: where it lies in memory.
OBJECT = re.compile(r"<[^<>]* at 0x[0-9a-f]+>")


@specs.parameter("value", nullable=True)
def text(value: Any) -> str:
    """The text of a value, in which sequences have no addresses."""
    if utils.is_iterator(value):
        return "<sequence>"
    return OBJECT.sub("<sequence>", strings.str_(value))


def context() -> Any:
    """What Mistral adds to YAQL's own functions."""
    root = yaql.create_context()

    def add(name: str, function: Callable[..., Any]) -> None:
        root.register_function(function, name=name)

    add("str", text)
    add("json_parse", json.loads)
    add("json_dump", lambda obj: json.dumps(plain(obj), indent=4))
    add("yaml_dump", lambda obj: yaml.safe_dump(plain(obj), default_flow_style=False))
    return root


ordered.install()
ENGINE = factory.YaqlFactory(keyword_operator="=>", allow_delegates=False).create(OPTIONS)
ROOT = context()


def evaluate(expression: str, data: Any) -> Any:
    """The final value of an expression; `data` is what `$` is."""
    child = ROOT.create_child_context()
    child["$"] = utils.convert_input_data(data)
    return ENGINE(expression.strip()).evaluate(context=child)


def functions() -> Iterator[dict[str, Any]]:
    """Each overload: its name, whether it is a method and a function, its parameters."""
    layer = yaql.create_context()
    while layer is not None:
        for name, overloads in layer._functions.items():  # noqa: SLF001
            for overload in overloads:
                yield {
                    "name": name,
                    "method": overload.is_method,
                    "function": overload.is_function,
                    "parameters": parameters(overload),
                }
        layer = layer.parent


def parameters(overload: Any) -> Iterator[str]:
    """The names of the parameters that an expression can give, as it would write them.

    After a name, `?` admits null and `=` tells that it can be left out. Whatever is written for a
    lambda is one, null too.
    """
    given = [
        (parameter.position is None, parameter.position or 0, key, parameter)
        for key, parameter in overload.parameters.items()
        if not isinstance(parameter.value_type, yaqltypes.HiddenParameterType)
    ]
    for _, _, key, parameter in sorted(given, key=lambda item: item[:2]):
        if key in ("*", "**"):
            yield key
        else:
            kind = parameter.value_type
            lazy = isinstance(kind, yaqltypes.LazyParameterType)
            null = "?" if not lazy and kind.check(None, ROOT, ENGINE) else ""
            default = "" if parameter.default is specs.NO_DEFAULT else "="
            yield (parameter.alias or camel(parameter.name)) + null + default


def camel(name: str) -> str:
    """The name that YAQL's convention gives to a parameter of Python."""
    first, *rest = name.strip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


if __name__ == "__main__":
    if "--functions" in sys.argv:
        for function in functions():
            function["parameters"] = list(function["parameters"])
            serve.say(function)
    else:
        serve.serve(evaluate)
