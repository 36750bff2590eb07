"""Environments: named sets of variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan import models
from autan._aio import pages
from autan._core import environments

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence

    from autan._core.call import Scope
    from autan._transport.aio import AioTransport


class Environments:
    """Named sets of variables, which expressions read as `env().NAME`.

    An execution that names one at its start gets a copy: later changes do not reach it.
    """

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def create(
        self,
        name: str,
        variables: object,
        *,
        description: str = "",
        allow_existing: bool = False,
        validate_only: bool = False,
    ) -> models.EnvironmentInfo:
        """Creates an environment.

        Args:
            name: Unique in the project; at most 255 bytes of printable characters.
            variables: What becomes a JSON object: a dict, a dataclass, a model; at most 1 MiB.
                Texts in it may hold expressions: they are evaluated when an execution starts.
            description: Free text; at most 4 KiB.
            allow_existing: Replaces an environment of that name instead of failing.
            validate_only: Checks everything and stores nothing.

        Raises:
            EnvironmentAlreadyExists: An environment of that name exists.
            PayloadError: The variables cannot be sent as a JSON object.
            PayloadRefused: The variables are too large.
        """
        return await self._transport.unary(
            environments.create(
                self._scope,
                name,
                variables,
                description=description,
                allow_existing=allow_existing,
                validate_only=validate_only,
            )
        )

    async def update(
        self,
        name: str,
        *,
        description: str | None = None,
        variables: object = None,
        set: Mapping[str, object] | None = None,
        remove: Sequence[str] = (),
        etag: str = "",
    ) -> models.EnvironmentInfo:
        """Changes an environment; what is not given stays.

        Args:
            name: Its name.
            description: New free text; at most 4 KiB.
            variables: New variables in place of all.
            set: New values of single variables; the others stay.
            remove: Names of single variables to remove, if they are there.
            etag: If set, the etag of the environment must be this.

        Raises:
            EnvironmentNotFound: There is no environment of that name.
            EtagMismatch: The environment was changed meanwhile.
            PayloadError: A variable cannot be sent as JSON.
            PayloadRefused: The variables are too large.
            ValueError: `variables` is given together with `set` or `remove`.
        """
        return await self._transport.unary(
            environments.update(
                self._scope,
                name,
                description=description,
                variables=variables,
                set=set or {},
                remove=remove,
                etag=etag,
            )
        )

    async def get(
        self, name: str, *, view: models.View = models.View.FULL
    ) -> models.EnvironmentInfo:
        """Returns one environment.

        Args:
            name: Its name.
            view: How much to return; BASIC leaves the variables out.

        Raises:
            EnvironmentNotFound: There is no such environment.
        """
        return await self._transport.unary(environments.get(self._scope, name, view=view))

    def list(
        self,
        *,
        filter: str = "",
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.EnvironmentInfo, None]:
        """Yields environments by name, fetching pages as needed.

        Args:
            filter: Over name, create_time, update_time; empty = all.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return; BASIC leaves the variables out.

        Raises:
            InvalidFilter: The filter does not parse.
        """
        return pages.items(
            self._transport,
            environments.list_(self._scope, filter=filter, page_size=page_size, view=view),
        )

    async def delete(self, name: str, *, etag: str = "", allow_missing: bool = False) -> None:
        """Deletes an environment; executions keep their copies.

        Args:
            name: Its name.
            etag: If set, the etag of the environment must be this.
            allow_missing: Succeeds if there is no such environment.

        Raises:
            EnvironmentNotFound: There is no such environment.
            EtagMismatch: The environment was changed meanwhile.
        """
        await self._transport.unary(
            environments.delete(self._scope, name, etag=etag, allow_missing=allow_missing)
        )
