"""Calls as values: a method, a request, and how to read the response."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autan.converter import Converter

Resp = TypeVar("Resp", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True)
class Method(Generic[Resp]):
    """A method of the contract.

    Attributes:
        path: Such as "/autan.v1.SystemService/GetServerInfo".
        response: Class of the response.
    """

    path: str
    response: type[Resp]

    def parse(self, data: bytes) -> Resp:
        """Decodes a response."""
        return self.response.FromString(data)


def method(service: str, response: type[Resp]) -> Method[Resp]:
    """Names a method after its response, as the contract does: `GetX` answers `GetXResponse`."""
    name = response.DESCRIPTOR.name.removesuffix("Response")
    return Method(f"/{response.DESCRIPTOR.file.package}.{service}/{name}", response)


@dataclass(frozen=True)
class Call(Generic[T]):
    """A unary call.

    Attributes:
        method: What is called.
        request: What is sent.
        decode: Reads the response.
        timeout: Deadline of an attempt in seconds, if not that of the client.
    """

    method: Method[Any]
    request: Message
    decode: Callable[[Any], T]
    timeout: float | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    next_token: str


def new_request_id() -> str:
    """Returns an id that makes a change idempotent: its retries carry the same one.

    It is a UUID of version 7 (RFC 9562), which begins with the time in milliseconds: those of one
    hour lie side by side in the server's index.
    """
    made = uuid.uuid4().int & ((1 << 80) - 1)
    milliseconds = time.time_ns() // 1_000_000
    version_7 = (milliseconds & ((1 << 48) - 1)) << 80 | made & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=version_7))


def mask(fields: Sequence[str]) -> FieldMask | None:
    """Chooses fields of an answer or a change; none of them is no choice.

    Raises:
        TypeError: A text is given instead of a list of them.
    """
    if isinstance(fields, str):
        raise TypeError("a list of names, not one text")
    return FieldMask(paths=fields) if fields else None


@dataclass(frozen=True)
class Scope:
    """What every request of a client has in common.

    Attributes:
        project: Tenant; empty = "default".
        converter: Turns Python values into JSON and back.
    """

    project: str
    converter: Converter
