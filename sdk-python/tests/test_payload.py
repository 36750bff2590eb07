"""Values to JSON and back, and what is refused."""

from __future__ import annotations

import dataclasses
import enum
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, TypedDict, Union
from uuid import UUID

import pytest
from google.protobuf.struct_pb2 import Value
from pydantic import BaseModel

from autan import Binary, DefaultConverter, PayloadError
from autan._core import payload
from autan._proto.v1 import payloads_pb2 as pb

CONVERTER = DefaultConverter()


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Item:
    sku: str
    count: int = 1
    price: Decimal = Decimal(0)


@dataclasses.dataclass
class Order:
    id: int
    items: list[Item]
    placed: datetime | None = None
    tags: set[str] = dataclasses.field(default_factory=set)


class Shipment(BaseModel):
    tracking: str
    weight: float = 1.0


class Label(TypedDict):
    text: str


ENCODED: dict[str, tuple[object, str]] = {
    "null": (None, "null"),
    "exact integers": ([2**63, -(2**63), 2**64 - 1], f"[{2**63},{-(2**63)},{2**64 - 1}]"),
    "text": ("é\n\u2028", '"é\\n\u2028"'),
    "booleans": ({"a": True}, '{"a":true}'),
    "tuple": ((1, 2.5), "[1,2.5]"),
    "time": (datetime(2026, 1, 2, tzinfo=timezone.utc), '"2026-01-02T00:00:00+00:00"'),
    "date": (date(2026, 1, 2), '"2026-01-02"'),
    "duration": (timedelta(minutes=1), "60.0"),
    "enum": ([Color.RED, Level.LOW], '["red",1]'),
    "uuid": (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
    "dataclass": (Order(1, [Item("a")]), None or ""),
    "model": (Shipment(tracking="t"), '{"tracking":"t","weight":1.0}'),
}
ENCODED["dataclass"] = (
    Order(1, [Item("a")]),
    '{"id":1,"items":[{"sku":"a","count":1,"price":"0"}],"placed":null,"tags":[]}',
)


@pytest.mark.parametrize("name", ENCODED)
def test_encode(name: str) -> None:
    value, expected = ENCODED[name]
    assert payload.encode(value, CONVERTER, "v").json == expected


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


REFUSED: dict[str, tuple[object, str]] = {
    "nan": ({"a": [1, float("nan")]}, r"v\.a\[1\]: JSON has no nan"),
    "infinity": (float("-inf"), "v: JSON has no -inf"),
    "too large": ({"n": 2**64}, r"v\.n: .* more than 64 bits"),
    "too small": (-(2**63) - 1, "64 bits"),
    "keys": ({1: "a"}, "keys must be strings, not 1"),
    "surrogate": ({"a": "\ud800"}, r"v\.a: .*surrogate"),
    "surrogate in a key": ({"\ud800": 1}, "surrogate"),
    "object": ({"o": object()}, r"v\.o: object cannot be sent"),
    "class": ({"o": Order}, r"v\.o: type cannot be sent"),
    "deep": (nested(200), "nested deeper than 128"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    value, text = REFUSED[name]
    with pytest.raises(PayloadError, match=text):
        payload.encode(value, CONVERTER, "v")


def test_depth_at_the_limit() -> None:
    assert payload.decode(payload.encode(nested(128), CONVERTER, "v")) == nested(128)


@pytest.mark.parametrize("value", [[1], "text", 1, Binary(b"")])
def test_an_input_is_an_object(value: object) -> None:
    with pytest.raises(PayloadError, match="input: must be a JSON object"):
        payload.encode_object(value, CONVERTER, "input")


def test_decode_arms() -> None:
    number = Value(number_value=3.0)
    tree = Value()
    tree.struct_value.update({"a": [1, 2.5, "x", True, None]})
    cases: list[tuple[pb.Payload, object]] = [
        (pb.Payload(), None),
        (pb.Payload(json='{"n":9007199254740993}'), {"n": 9007199254740993}),
        (pb.Payload(value=number), 3),
        (pb.Payload(value=tree), {"a": [1, 2.5, "x", True, None]}),
        (pb.Payload(binary=pb.Binary(content_type="a/b", data=b"x")), Binary(b"x", "a/b")),
    ]
    assert [payload.decode(p) for p, _ in cases] == [v for _, v in cases]
    with pytest.raises(PayloadError, match="not JSON"):
        payload.decode(pb.Payload(json="{"))


def test_bytes_and_their_hints_come_back() -> None:
    image = Binary(b"\x00\xff", "image/png", {"key": "k1"})
    for value in [image, [image], {"a": {"b": image}}]:
        assert payload.decode(payload.encode(value, CONVERTER, "v")) == value
    for text in [
        '{"$binary":{}}',
        '{"$binary":{"base64":"%"}}',
        '{"$binary":{"base64":"AA==","more":1}}',
        '{"$binary":{"base64":"AA=="},"x":1}',
        '{"$binary":1}',
    ]:
        assert isinstance(payload.decode(pb.Payload(json=text)), dict), text


READ: dict[str, tuple[Any, Any, object]] = {
    "any": ({"a": 1}, Any, {"a": 1}),
    "dict": ({"a": 1}, dict, {"a": 1}),
    "typed dict items": ({"a": "1.5"}, dict[str, Decimal], {"a": Decimal("1.5")}),
    "dataclass": (
        {
            "id": 1,
            "items": [{"sku": "a", "price": 2.5, "later": 1}],
            "placed": "2026-01-02T00:00:00Z",
            "tags": ["x"],
        },
        Order,
        Order(
            1,
            [Item("a", 1, Decimal("2.5"))],
            datetime(2026, 1, 2, tzinfo=timezone.utc),
            {"x"},
        ),
    ),
    "model": ({"tracking": "t"}, Shipment, Shipment(tracking="t")),
    "typed dict": ({"text": "x"}, Label, {"text": "x"}),
    "optional": (None, int | None, None),
    "union keeps exact matches": (1, Union[float, int], 1),
    "union": ("2026-01-02", Union[int, date], date(2026, 1, 2)),
    "literal": ("a", Literal["a", "b"], "a"),
    "tuple": ([1, "x"], tuple[int, str], (1, "x")),
    "tuple of any length": ([1, 2], tuple[int, ...], (1, 2)),
    "enum": ("red", Color, Color.RED),
    "float from an integer": (1, float, 1.0),
    "duration": (60, timedelta, timedelta(minutes=1)),
}


@pytest.mark.parametrize("name", READ)
def test_read(name: str) -> None:
    value, wanted, expected = READ[name]
    found: object = CONVERTER.from_json(value, wanted)
    assert found == expected
    assert type(found) is type(expected)


UNREAD: dict[str, tuple[Any, Any, str]] = {
    "missing key": ({"items": []}, Order, "result: Order needs the key 'id'"),
    "inside": ({"id": 1, "items": [{"sku": 1}]}, Order, r"result\.items\[0\]\.sku: expected str"),
    "bool is no int": (True, int, "expected int, got bool"),
    "model": ({}, Shipment, "not a Shipment"),
    "enum": ("blue", Color, "not a Color"),
    "length": ([1], tuple[int, int], "expected 2 items, got 1"),
    "union": ("x", Union[int, float], "got str"),
    "typed dict": ({}, Label, "needs the key 'text'"),
    "date": ("yesterday", date, "not a date"),
    "null": (None, Order, "expected Order, got NoneType"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_not_read(name: str) -> None:
    value, wanted, text = UNREAD[name]
    with pytest.raises(PayloadError, match=text):
        CONVERTER.from_json(value, wanted)
