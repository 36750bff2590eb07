"""Calls of WorkbookService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import decode
from autan._core.call import Call, Page, Scope, method, new_request_id
from autan._core.documents import Document, text_of
from autan._proto.v1 import workbooks_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE = "WorkbookService"
_CREATE = method(_SERVICE, pb.CreateWorkbookResponse)
_UPDATE = method(_SERVICE, pb.UpdateWorkbookResponse)
_GET = method(_SERVICE, pb.GetWorkbookResponse)
_LIST = method(_SERVICE, pb.ListWorkbooksResponse)
_DELETE = method(_SERVICE, pb.DeleteWorkbookResponse)


def create(
    scope: Scope, document: Document, *, namespace: str, validate_only: bool, strict: bool
) -> Call[models.AppliedWorkbook]:
    """CreateWorkbook."""
    request = pb.CreateWorkbookRequest(
        project=scope.project,
        namespace=namespace,
        source=text_of(document),
        validate_only=validate_only,
        strict=strict,
        request_id=new_request_id(),
    )
    return Call(_CREATE, request, _applied)


def update(
    scope: Scope,
    document: Document,
    *,
    namespace: str,
    etag: str,
    validate_only: bool,
    strict: bool,
) -> Call[models.AppliedWorkbook]:
    """UpdateWorkbook."""
    request = pb.UpdateWorkbookRequest(
        project=scope.project,
        namespace=namespace,
        source=text_of(document),
        validate_only=validate_only,
        strict=strict,
        request_id=new_request_id(),
        etag=etag,
    )
    return Call(_UPDATE, request, _applied)


def get(scope: Scope, name: str, *, namespace: str, view: models.View) -> Call[models.WorkbookInfo]:
    """GetWorkbook."""
    request = pb.GetWorkbookRequest(
        project=scope.project, namespace=namespace, name=name, view=view.wire_name
    )
    return Call(_GET, request, lambda response: decode.workbook(response.workbook))


def list_(
    scope: Scope, *, namespace: str | None, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.WorkbookInfo]]]:
    """ListWorkbooks."""

    def page(token: str) -> Call[Page[models.WorkbookInfo]]:
        request = pb.ListWorkbooksRequest(
            project=scope.project,
            namespace=namespace,
            page_size=page_size,
            page_token=token,
            view=view.wire_name,
        )
        return Call(_LIST, request, _page)

    return page


def delete(
    scope: Scope, name: str, *, namespace: str, etag: str, allow_missing: bool
) -> Call[None]:
    """DeleteWorkbook."""
    request = pb.DeleteWorkbookRequest(
        project=scope.project,
        namespace=namespace,
        name=name,
        etag=etag,
        allow_missing=allow_missing,
        request_id=new_request_id(),
    )
    return Call(_DELETE, request, lambda _: None)


def _applied(response: Any) -> models.AppliedWorkbook:
    return models.AppliedWorkbook(
        workbook=decode.workbook(response.workbook),
        warnings=tuple(decode.diagnostic(m) for m in response.warnings),
    )


def _page(response: Any) -> Page[models.WorkbookInfo]:
    return Page([decode.workbook(m) for m in response.workbooks], response.next_page_token)
