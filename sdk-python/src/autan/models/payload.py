"""Values that are not JSON: opaque bytes, and data kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Binary:
    """Bytes that the server never looks into, such as an image or CBOR.

    An expression of a workflow that reads inside fails. The input and output of an execution must
    be JSON objects, so this is for results of actions and for values inside the client only.

    Attributes:
        data: The bytes; together with everything else in the payload at most 1 MiB by default.
        content_type: Media type, such as "application/cbor".
    """

    data: bytes
    content_type: str = "application/octet-stream"


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
