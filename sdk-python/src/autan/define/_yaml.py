"""Writes JSON-like data as YAML that people like to read and every YAML parser reads the same.

Only what YAML 1.1 and 1.2 agree on is written. A string stands bare only if no parser could take it
for anything else; everything in doubt is quoted. Long texts become literal blocks.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from autan.errors import DefinitionError

DEPTH_MAX = 64

# A first character that is no indicator of YAML, and then nothing that ends a bare string: no ": ",
# no " #", and no line break. Digits and signs are left out, for they begin numbers and dates.
_BARE = re.compile(
    r"[A-Za-z_/$<(](?:[^\s:#]|[^\S\n\r\t\x85\u2028\u2029](?!#|$)|:(?!\s|$)|(?<=\S)#)*"
)
# Words that some version of YAML reads as a boolean or as null.
_RESERVED = frozenset("y n yes no on off true false null none nan inf".split())
# Controls and other characters that YAML wants escaped; also spaces that look like plain ones.
_ESCAPED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_INTEGER_MIN, _INTEGER_MAX = -(2**63), 2**64 - 1


def dump(value: Mapping[str, object]) -> str:
    """Returns a document whose top level is a mapping.

    Raises:
        DefinitionError: A value has no place in a document.
    """
    return "\n".join(_block(value, 0, "document")) + "\n"


def _block(value: object, indent: int, path: str) -> list[str]:
    """Returns the lines of a non-empty mapping or list, indented."""
    if indent > DEPTH_MAX * 2:
        raise DefinitionError(f"nested too deep, or contains itself: {path[:80]}…")
    pad = " " * indent
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(key, str):
                raise DefinitionError(f"{path}: keys must be strings, not {key!r}")
            lines += _entry(f"{pad}{_scalar(key, path)}:", each, indent, f"{path}.{key}")
        return lines
    for number, each in enumerate(value):  # type: ignore[arg-type]
        here = f"{path}[{number}]"
        if _is_block(each):
            inner = _block(each, indent + 2, here)
            lines.append(f"{pad}- {inner[0].lstrip(' ')}")
            lines += inner[1:]
        else:
            lines += _entry(f"{pad}-", each, indent, here)
    return lines


def _entry(head: str, value: object, indent: int, path: str) -> list[str]:
    """Returns the lines of a value after its key or dash."""
    if _is_block(value):
        return [head, *_block(value, indent + 2, path)]
    if isinstance(value, str) and _fits_literal(value):
        body, mark = value.rstrip("\n"), "|"
        breaks = len(value) - len(body)
        if breaks != 1:
            mark = "|-" if breaks == 0 else "|+"
        pad = " " * (indent + 2)
        lines = [f"{pad}{line}" if line else "" for line in body.split("\n")]
        return [f"{head} {mark}", *lines, *[""] * max(0, breaks - 1)]
    return [f"{head} {_scalar(value, path)}"]


def _is_block(value: object) -> bool:
    return isinstance(value, (Mapping, list, tuple)) and len(value) > 0


def _fits_literal(text: str) -> bool:
    """Whether a literal block keeps the text exactly, without an indentation mark."""
    first = text.split("\n", 1)[0]
    return (
        "\n" in text.rstrip("\n")
        and first.strip() != ""
        and not first.startswith((" ", "\t"))
        and not _ESCAPED.search(text.replace("\n", ""))
        and not any(line != line.rstrip(" \t") for line in text.split("\n"))
    )


def _scalar(value: object, path: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, int):
        if not _INTEGER_MIN <= value <= _INTEGER_MAX:
            raise DefinitionError(f"{path}: {value} needs more than 64 bits; write it as a string")
        return str(int(value))
    if isinstance(value, float):
        return _double(value, path)
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    raise DefinitionError(f"{path}: {type(value).__name__} has no place in a document")


def _double(value: float, path: str) -> str:
    if not math.isfinite(value):
        raise DefinitionError(f"{path}: {value} has no place in a document")
    text = repr(float(value))
    # YAML 1.1 takes 1e+20 for a string: it wants a point, and a sign in the exponent.
    mantissa, mark, exponent = text.partition("e")
    if mark and "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}{mark}{exponent}"


def _string(text: str, path: str) -> str:
    text = str.__str__(text)
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise DefinitionError(f"{path}: a string with a lone surrogate is not Unicode")
    if (
        _BARE.fullmatch(text)
        and text.lower() not in _RESERVED
        and not _ESCAPED.search(text)
        and text != "<<"
    ):
        return text
    if "\n" in text or "\t" in text or _ESCAPED.search(text):
        # JSON's strings are YAML's; what JSON leaves alone and YAML does not is escaped after.
        return _ESCAPED.sub(lambda m: f"\\u{ord(m[0]):04x}", json.dumps(text, ensure_ascii=False))
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'
