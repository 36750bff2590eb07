"""Documents: texts, or anything that renders itself to one."""

from __future__ import annotations

from typing import Protocol, Union, runtime_checkable


@runtime_checkable
class Renders(Protocol):
    """A definition put together in code, such as `autan.Workflow`."""

    def to_yaml(self) -> str:
        """Returns the document."""
        ...


Document = Union[str, Renders]
"""YAML text in the workflow language, or an object that renders to it."""


def text_of(document: Document) -> str:
    """Returns the text of a document.

    Raises:
        TypeError: It is neither a text nor renders to one.
    """
    if isinstance(document, str):
        return document
    if isinstance(document, Renders):
        return document.to_yaml()
    raise TypeError(f"a document is a str or has to_yaml(), not {type(document).__name__}")
