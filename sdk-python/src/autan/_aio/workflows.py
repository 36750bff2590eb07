"""Definitions: workflows and workbooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autan import models
from autan._aio import pages
from autan._core import workbooks, workflows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from autan._core.call import Scope
    from autan._core.documents import Document
    from autan._transport.aio import AioTransport


class Workflows:
    """Definitions of workflows, kept by the server as immutable revisions.

    A document is YAML text in the workflow language of at most 1 MiB, or an `autan.Workflow`.
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
    ) -> models.AppliedWorkflows:
        """Creates every workflow of a document, all or none.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            allow_existing: Adds a revision where a workflow of that name exists.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            WorkflowAlreadyExists: A workflow of that name exists.
        """
        return await self._transport.unary(
            workflows.create(
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
    ) -> models.AppliedWorkflows:
        """Adds a revision to every workflow of a document, all or none.

        Running executions keep the revision that they started with. A text equal to the latest
        revision adds none.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            etag: If set, the document must hold one workflow, whose etag is this.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            WorkflowNotFound: There is no workflow of that name.
            EtagMismatch: The workflow was changed meanwhile.
        """
        return await self._transport.unary(
            workflows.update(
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
    ) -> models.WorkflowInfo:
        """Returns one workflow.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            revision: Number of the revision; 0 = the latest.
            view: How much to return.

        Raises:
            WorkflowNotFound: There is no such workflow or revision.
        """
        return await self._transport.unary(
            workflows.get(self._scope, name, namespace=namespace, revision=revision, view=view)
        )

    def list(
        self,
        *,
        filter: str = "",
        namespace: str | None = None,
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.WorkflowInfo, None]:
        """Yields the latest revisions by name, fetching pages as needed.

        Args:
            filter: Over name, namespace, workbook, tag, create_time, update_time; empty = all.
            namespace: Only this namespace; None = all.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.

        Raises:
            InvalidFilter: The filter does not parse.
        """
        return pages.items(
            self._transport,
            workflows.list_(
                self._scope, filter=filter, namespace=namespace, page_size=page_size, view=view
            ),
        )

    def list_revisions(
        self,
        name: str,
        *,
        namespace: str = "",
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.WorkflowInfo, None]:
        """Yields the revisions of one workflow, newest first.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.

        Raises:
            WorkflowNotFound: There is no such workflow.
        """
        return pages.items(
            self._transport,
            workflows.list_revisions(
                self._scope, name, namespace=namespace, page_size=page_size, view=view
            ),
        )

    async def delete(
        self,
        name: str,
        *,
        namespace: str = "",
        etag: str = "",
        force: bool = False,
        allow_missing: bool = False,
    ) -> None:
        """Deletes a workflow with all its revisions; running executions go on with theirs.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            etag: If set, the etag of the latest revision must be this.
            force: Deletes even while executions of it are running.
            allow_missing: Succeeds if there is no such workflow.

        Raises:
            WorkflowNotFound: There is no such workflow.
            DefinitionInUse: Executions of it are running.
            EtagMismatch: The workflow was changed meanwhile.
        """
        await self._transport.unary(
            workflows.delete(
                self._scope,
                name,
                namespace=namespace,
                etag=etag,
                force=force,
                allow_missing=allow_missing,
            )
        )

    async def validate(
        self,
        document: Document,
        *,
        kind: models.DocumentKind = models.DocumentKind.WORKFLOWS,
        strict: bool = False,
    ) -> models.Validation:
        """Checks a document and stores nothing. Faults are in the answer, never raised.

        Args:
            document: The document.
            kind: What kind of document it is.
            strict: Treats warnings as errors.
        """
        return await self._transport.unary(
            workflows.validate(self._scope, document, kind=kind, strict=strict)
        )


class Workbooks:
    """Bundles of workflows and ad-hoc actions that are applied as one.

    A document is YAML text in the workflow language of at most 1 MiB, or an `autan.Workbook`.
    """

    def __init__(self, transport: AioTransport, scope: Scope) -> None:
        self._transport = transport
        self._scope = scope

    async def create(
        self,
        document: Document,
        *,
        namespace: str = "",
        validate_only: bool = False,
        strict: bool = False,
    ) -> models.AppliedWorkbook:
        """Creates a workbook and its members `name.member`, all or none.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            WorkbookAlreadyExists: A workbook of that name exists.
            WorkflowAlreadyExists: A workflow of the name of a member exists.
        """
        return await self._transport.unary(
            workbooks.create(
                self._scope,
                document,
                namespace=namespace,
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
    ) -> models.AppliedWorkbook:
        """Replaces a workbook; members that the document no longer has stay as they are.

        Args:
            document: The document.
            namespace: Scope of the names; empty = the default namespace.
            etag: If set, the etag of the workbook must be this.
            validate_only: Checks everything and stores nothing.
            strict: Treats warnings as errors.

        Raises:
            InvalidDefinition: The document has errors, or is too large.
            WorkbookNotFound: There is no workbook of that name.
            EtagMismatch: The workbook was changed meanwhile.
        """
        return await self._transport.unary(
            workbooks.update(
                self._scope,
                document,
                namespace=namespace,
                etag=etag,
                validate_only=validate_only,
                strict=strict,
            )
        )

    async def get(
        self, name: str, *, namespace: str = "", view: models.View = models.View.FULL
    ) -> models.WorkbookInfo:
        """Returns one workbook.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            view: How much to return.

        Raises:
            WorkbookNotFound: There is no such workbook.
        """
        return await self._transport.unary(
            workbooks.get(self._scope, name, namespace=namespace, view=view)
        )

    def list(
        self,
        *,
        namespace: str | None = None,
        page_size: int = 0,
        view: models.View = models.View.BASIC,
    ) -> AsyncGenerator[models.WorkbookInfo, None]:
        """Yields workbooks by name, fetching pages as needed.

        Args:
            namespace: Only this namespace; None = all.
            page_size: At most this many a page, up to 1000; 0 = the server's 50.
            view: How much to return.
        """
        return pages.items(
            self._transport,
            workbooks.list_(self._scope, namespace=namespace, page_size=page_size, view=view),
        )

    async def delete(
        self, name: str, *, namespace: str = "", etag: str = "", allow_missing: bool = False
    ) -> None:
        """Deletes a workbook; its members stay.

        Args:
            name: Its name.
            namespace: Scope of the name; empty = the default namespace.
            etag: If set, the etag of the workbook must be this.
            allow_missing: Succeeds if there is no such workbook.

        Raises:
            WorkbookNotFound: There is no such workbook.
            EtagMismatch: The workbook was changed meanwhile.
        """
        await self._transport.unary(
            workbooks.delete(
                self._scope, name, namespace=namespace, etag=etag, allow_missing=allow_missing
            )
        )
