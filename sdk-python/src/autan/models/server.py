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


@dataclass(frozen=True, kw_only=True)
class ClusterServer:
    """A server of those that share a database.

    Attributes:
        server_id: Its place, and which server it is of those that have had the place.
        address: Where the others reach it, ``host:port``; empty if there are no others.
        version: Semantic version.
        state: "LIVE", "LEFT" in order, or "FENCED" by the others, who took it for dead.
        start_time: When it came.
        shards: Shards that it has.
        hands_out_work: Whether it hands work out to workers, for all.
        answers: Whether it is the one that answered.
    """

    server_id: str
    address: str
    version: str
    state: str
    start_time: datetime | None
    shards: int
    hands_out_work: bool
    answers: bool


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The servers that share a database; of one that has its database for itself, that one.

    Attributes:
        servers: Those that are there, and those that have gone and whose place nobody has taken.
        shards: Parts that executions are divided into; each belongs to one server at a time.
        free_shards: Shards that nobody has at this moment.
    """

    servers: tuple[ClusterServer, ...]
    shards: int
    free_shards: int
