"""Environments: named sets of variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class EnvironmentInfo:
    """A named set of variables, which expressions read as `env().NAME`.

    Attributes:
        project: Tenant.
        name: Unique in the project.
        description: Free text.
        variables: The variables, a dict; FULL view only, otherwise None.
        create_time: When it was created.
        update_time: When it last changed.
        etag: Changes with every update; guards updates and deletions.
    """

    project: str
    name: str
    description: str
    variables: Any
    create_time: datetime | None
    update_time: datetime | None
    etag: str
