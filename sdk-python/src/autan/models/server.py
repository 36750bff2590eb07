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
        storage: "sqlite", "postgresql" or "memory".
        audit_violations: Executions that the auditor has found running without anything that would
            move them, since the server started; each was loaded again.
        audit_failures: Those of them that loading again has not mended.
    """

    version: str
    capabilities: tuple[str, ...]
    limits: Mapping[str, int]
    start_time: datetime | None
    current_time: datetime | None
    storage: str
    audit_violations: int
    audit_failures: int
