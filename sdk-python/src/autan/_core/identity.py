"""Who workers of this process say they are."""

from __future__ import annotations

import getpass
import os
import re
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


# What can be sent in a header as it is.
_CALLER = re.compile(r"[ -~]{1,200}")


def caller(identity: str | None) -> str:
    """Returns how a client names itself to people: as it was told, or "user@host/pid".

    Raises:
        ValueError: It is not 1 to 200 printable ASCII characters.
    """
    if identity is None:
        place = "@".join(part for part in (_user(), socket.gethostname()) if part)
        return re.sub(r"[^ -~]", "?", f"{place}/{os.getpid()}")[:200]
    if not _CALLER.fullmatch(identity):
        raise ValueError(f"identity must be 1 to 200 printable ASCII characters: {identity!r}")
    return identity


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A process in a container may have no user that has a name.
        return ""


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
