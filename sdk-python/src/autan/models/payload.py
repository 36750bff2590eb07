"""Values that are not JSON: opaque bytes, and data kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Binary:
    """Bytes that the server never looks into, such as an image or CBOR.

    An expression of a workflow passes it on, but fails if it reads inside. It may be the whole
    result of an action, or stand anywhere within an input, result or output; there its JSON form is
    `{"$binary": {"contentType": …, "base64": …}}`.

    Attributes:
        data: The bytes; in their JSON form (a third longer) at most 1 MiB by default.
        content_type: Media type, such as "application/cbor".
        metadata: Hints for whoever reads it, such as a key id; at most 32 of them, 4 KiB together.
    """

    data: bytes
    content_type: str = "application/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class PayloadRef:
    """Data that the server keeps outside the message.

    This version of the SDK does not fetch it.

    Attributes:
        uri: Where the data is.
        sha256: Its SHA-256, 32 bytes.
        size_bytes: Its size.
        content_type: Its media type.
    """

    uri: str
    sha256: bytes
    size_bytes: int
    content_type: str
