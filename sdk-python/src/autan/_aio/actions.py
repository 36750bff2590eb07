"""Actions: what there is, and ad-hoc ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan import models
from autan._aio import pages
from autan._core import actions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from autan._core.call import Scope
    from autan._core.documents import Document
    from autan._transport.aio import AioTransport


class Actions:
    """What tasks do: built-in actions, and ad-hoc ones, which wrap another action.

    A document is YAML text of at most 1 MiB, with `version` and one or more ad-hoc actions.
    """

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def create(
        self,
        document: Document,
        *,
        namespace: str = "",
        allow_existing: bool = False,
        validate_only: bool = False,
        strict: bool = False,
    ) -> models.AppliedActions:
        """Creates every ad-hoc action of a document, all or none.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            allow_existing: Adds a revision where an action of that name exists.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            ActionAlreadyExists: An action of that name exists.
            ActionIsSystem: A built-in action has that name.
        """
        return await self._transport.unary(
            actions.create(
                self._scope,
                document,
                namespace=namespace,
                allow_existing=allow_existing,
                validate_only=validate_only,
                strict=strict,
            )
        )

    async def update(
        self,
        document: Document,
        *,
        namespace: str = "",
        etag: str = "",
        validate_only: bool = False,
        strict: bool = False,
    ) -> models.AppliedActions:
        """Adds a revision to every ad-hoc action of a document, all or none.

        Actions under way keep the revision that they started with. A text equal to the latest
        revision adds none.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            etag: If set, the document must hold one action, whose etag is this.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            ActionNotFound: There is no action of that name.
            EtagMismatch: The action was changed meanwhile.
        """
        return await self._transport.unary(
            actions.update(
                self._scope,
                document,
                namespace=namespace,
                etag=etag,
                validate_only=validate_only,
                strict=strict,
            )
        )

    async def get(
        self,
        name: str,
        *,
        namespace: str = "",
        revision: int = 0,
        view: models.View = models.View.FULL,
    ) -> models.ActionInfo:
        """Returns one action; of an ad-hoc one the latest revision unless another is named.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            revision: Number of the revision of an ad-hoc action; 0 = the latest.
            view: How much to return.

        Raises:
            ActionNotFound: There is no such action or revision.
        """
        return await self._transport.unary(
            actions.get(self._scope, name, namespace=namespace, revision=revision, view=view)
        )

    def list(
        self,
        *,
        filter: str = "",
        kind: models.ActionKind = models.ActionKind.UNSPECIFIED,
        namespace: str | None = None,
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.ActionInfo, None]:
        """Yields the built-in actions and then the ad-hoc ones, each by name.

        Args:
            filter: Over name, namespace, workbook, tag, create_time, update_time; empty = all.
            kind: Only this kind.
            namespace: Only ad-hoc actions of this namespace, and built-in ones; None = all.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.

        Raises:
            InvalidFilter: The filter does not parse.
        """
        return pages.items(
            self._transport,
            actions.list_(
                self._scope,
                filter=filter,
                kind=kind,
                namespace=namespace,
                page_size=page_size,
                view=view,
            ),
        )

    def list_revisions(
        self,
        name: str,
        *,
        namespace: str = "",
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.ActionInfo, None]:
        """Yields the revisions of one ad-hoc action, newest first.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.

        Raises:
            ActionNotFound: There is no such action.
        """
        return pages.items(
            self._transport,
            actions.list_revisions(
                self._scope, name, namespace=namespace, page_size=page_size, view=view
            ),
        )

    async def delete(
        self,
        name: str,
        *,
        namespace: str = "",
        etag: str = "",
        allow_missing: bool = False,
    ) -> None:
        """Deletes an ad-hoc action with all its revisions.

        Actions under way go on with theirs; a task that calls it later fails.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            etag: If set, the etag of the latest revision must be this.
            allow_missing: Succeeds if there is no such action.

        Raises:
            ActionNotFound: There is no such action.
            ActionIsSystem: The action is built in.
            EtagMismatch: The action was changed meanwhile.
        """
        await self._transport.unary(
            actions.delete(
                self._scope,
                name,
                namespace=namespace,
                etag=etag,
                allow_missing=allow_missing,
            )
        )

    async def validate(
        self,
        document: Document,
        *,
        strict: bool = False,
    ) -> models.Validation:
        """Checks a document and stores nothing. Faults are in the answer, never raised.

        Args:
            document: The document.
            strict: Treats warnings as errors.
        """
        return await self._transport.unary(actions.validate(self._scope, document, strict=strict))
