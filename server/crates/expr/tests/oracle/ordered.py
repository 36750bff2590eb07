# ruff: noqa: INP001
"""Sets that keep the order of insertion, in place of those that YAQL makes.

The order of Python's sets depends on addresses and hashes, so nothing could be compared that
an order shows in.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from yaql.language import utils
from yaql.standard_library import collections, strings


class OrderedSet(frozenset[Any]):
    """A set of Python in all but the order of its items."""

    order: tuple[Any, ...]

    def __new__(cls, items: Iterable[Any] = ()) -> "OrderedSet":
        """Takes the first one of items that are equal, as sets do."""
        distinct = dict.fromkeys(items)
        made = super().__new__(cls, distinct)
        made.order = tuple(distinct)
        return made

    def __iter__(self) -> Iterator[Any]:
        """The items in order."""
        return iter(self.order)

    def __repr__(self) -> str:
        """As a frozen set writes itself."""
        return f"frozenset({{{', '.join(map(repr, self))}}})" if self else "frozenset()"

    def union(self, *others: Iterable[Any]) -> "OrderedSet":
        """The items of this set, then those of the others."""
        return OrderedSet(item for items in (self, *others) for item in items)

    def intersection(self, *others: Iterable[Any]) -> "OrderedSet":
        """The items of this set that are in the others."""
        kept = {item: item for item in frozenset(self.order).intersection(*others)}
        return OrderedSet(kept[item] for item in self if item in kept)

    def difference(self, *others: Iterable[Any]) -> "OrderedSet":
        """The items of this set that are not in the others."""
        kept = frozenset(self.order).difference(*others)
        return OrderedSet(item for item in self if item in kept)

    def symmetric_difference(self, other: Iterable[Any]) -> "OrderedSet":
        """What only this set has, then what only the other has."""
        theirs = OrderedSet(other)
        return self.difference(theirs).union(theirs.difference(self))


def install() -> None:
    """Has YAQL make such sets."""
    utils.frozenset = OrderedSet
    collections.frozenset = OrderedSet
    strings.set = OrderedSet
