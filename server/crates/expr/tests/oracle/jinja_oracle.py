# ruff: noqa: INP001
"""The real Jinja2, set up as Mistral sets it up, and lists of its names (`--names`)."""

import re
import sys
from typing import Any

import jinja2
import jinja2.sandbox
import serve

ENVIRONMENT = jinja2.sandbox.SandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
SINGLE = re.compile(r"\{\{(.*?)\}\}")


def evaluate(text: str, data: Any) -> Any:
    """The value of a text, where `_` is the data: of one `{{ }}` its own, otherwise text."""
    found = SINGLE.search(text)
    if found and found.span() == (0, len(text)):
        expression = ENVIRONMENT.compile_expression(found.group(1), undefined_to_none=False)
        value = expression(_=data)
        if isinstance(value, jinja2.Undefined):
            str(value)
        return plain(value)
    return ENVIRONMENT.from_string(text).render(_=data)


def plain(value: Any) -> Any:
    """Lists in place of the sequences that filters give."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, jinja2.Undefined):
        str(value)
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "__next__") or isinstance(value, (range, type({}.keys()), type({}.values()))):
        return [plain(item) for item in value]
    if isinstance(value, type({}.items())):
        return [plain(item) for item in value]
    return value


if __name__ == "__main__":
    if "--names" in sys.argv:
        for kind in ("filters", "tests", "globals"):
            for name in sorted(getattr(ENVIRONMENT, kind)):
                serve.say({"kind": kind, "name": name})
    else:
        serve.serve(evaluate)
