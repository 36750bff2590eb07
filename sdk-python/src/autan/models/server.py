"""The server itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class ServerInfo:
    """Version, capabilities and limits of the server.

    Attributes:
        version: Semantic version.
        capabilities: What it can do beyond the first version of the API, as words.
        limits: Limits by name: bytes, counts or milliseconds, as the name says.
        start_time: When it started.
        current_time: Its clock.
        storage: "sqlite" or "memory".
    """

    version: str
    capabilities: tuple[str, ...]
    limits: Mapping[str, int]
    start_time: datetime | None
    current_time: datetime | None
    storage: str
