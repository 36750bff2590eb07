# ruff: noqa: INP001
"""How a result of Python is written, so that it can be compared as text with one of Rust."""

import collections.abc
import datetime as dt
import json
import re


def text(value: object) -> str:
    """One value with its type, its parts in order, those of a set sorted."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return "float:" + repr(value)
    if isinstance(value, str):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, dt.datetime):
        return "datetime:" + value.isoformat()
    if isinstance(value, dt.timedelta):
        return f"timespan:{value // dt.timedelta(microseconds=1)}"
    if isinstance(value, re.Pattern):
        return "regex"
    if isinstance(value, collections.abc.Mapping):
        pairs = (text(key) + ": " + text(item) for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, collections.abc.Set):
        return "set[" + ", ".join(sorted(text(item) for item in value)) + "]"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(item) for item in value) + "]"
    return "object:" + type(value).__name__
