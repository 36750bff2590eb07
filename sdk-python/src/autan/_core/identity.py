"""Who workers of this process say they are."""

from __future__ import annotations

import os
import socket
import uuid
from importlib import metadata
from typing import TYPE_CHECKING

from autan._core.leases import Identity

if TYPE_CHECKING:
    from collections.abc import Mapping


def sdk() -> str:
    """Name and version of this SDK."""
    try:
        return f"autan-python/{metadata.version('autan')}"
    except metadata.PackageNotFoundError:
        # It runs from its sources.
        return "autan-python"


def new(
    identity: str = "", build_id: str = "", labels: Mapping[str, str] | None = None
) -> Identity:
    """Makes a worker of its own, with an id that no other has."""
    return Identity(
        worker_id=str(uuid.uuid4()),
        identity=identity or f"{socket.gethostname()}:{os.getpid()}",
        sdk=sdk(),
        build_id=build_id,
        labels=dict(labels or {}),
    )
