"""Calls of WorkflowService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import decode
from autan._core.call import Call, Page, Scope, method, new_request_id
from autan._core.documents import Document, text_of
from autan._proto.v1 import workflows_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVICE = "WorkflowService"
_CREATE = method(_SERVICE, pb.CreateWorkflowResponse)
_UPDATE = method(_SERVICE, pb.UpdateWorkflowResponse)
_GET = method(_SERVICE, pb.GetWorkflowResponse)
_LIST = method(_SERVICE, pb.ListWorkflowsResponse)
_LIST_REVISIONS = method(_SERVICE, pb.ListWorkflowRevisionsResponse)
_DELETE = method(_SERVICE, pb.DeleteWorkflowResponse)
_VALIDATE = method(_SERVICE, pb.ValidateWorkflowResponse)


def create(
    scope: Scope,
    document: Document,
    *,
    namespace: str,
    allow_existing: bool,
    validate_only: bool,
    strict: bool,
) -> Call[models.AppliedWorkflows]:
    """CreateWorkflow."""
    request = pb.CreateWorkflowRequest(
        project=scope.project,
        namespace=namespace,
        source=text_of(document),
        validate_only=validate_only,
        strict=strict,
        request_id=new_request_id(),
        allow_existing=allow_existing,
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
) -> Call[models.AppliedWorkflows]:
    """UpdateWorkflow."""
    request = pb.UpdateWorkflowRequest(
        project=scope.project,
        namespace=namespace,
        source=text_of(document),
        validate_only=validate_only,
        strict=strict,
        request_id=new_request_id(),
        etag=etag,
    )
    return Call(_UPDATE, request, _applied)


def get(
    scope: Scope, name: str, *, namespace: str, revision: int, view: models.View
) -> Call[models.WorkflowInfo]:
    """GetWorkflow."""
    request = pb.GetWorkflowRequest(
        project=scope.project,
        namespace=namespace,
        name=name,
        revision=revision,
        view=view.wire_name,
    )
    return Call(_GET, request, lambda response: decode.workflow(response.workflow))


def list_(
    scope: Scope, *, filter: str, namespace: str | None, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.WorkflowInfo]]]:
    """ListWorkflows."""

    def page(token: str) -> Call[Page[models.WorkflowInfo]]:
        request = pb.ListWorkflowsRequest(
            project=scope.project,
            namespace=namespace,
            page_size=page_size,
            page_token=token,
            filter=filter,
            view=view.wire_name,
        )
        return Call(_LIST, request, _page)

    return page


def list_revisions(
    scope: Scope, name: str, *, namespace: str, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.WorkflowInfo]]]:
    """ListWorkflowRevisions."""

    def page(token: str) -> Call[Page[models.WorkflowInfo]]:
        request = pb.ListWorkflowRevisionsRequest(
            project=scope.project,
            namespace=namespace,
            name=name,
            page_size=page_size,
            page_token=token,
            view=view.wire_name,
        )
        return Call(_LIST_REVISIONS, request, _page)

    return page


def delete(
    scope: Scope, name: str, *, namespace: str, etag: str, force: bool, allow_missing: bool
) -> Call[None]:
    """DeleteWorkflow."""
    request = pb.DeleteWorkflowRequest(
        project=scope.project,
        namespace=namespace,
        name=name,
        etag=etag,
        force=force,
        allow_missing=allow_missing,
        request_id=new_request_id(),
    )
    return Call(_DELETE, request, lambda _: None)


def validate(
    scope: Scope, document: Document, *, kind: models.DocumentKind, strict: bool
) -> Call[models.Validation]:
    """ValidateWorkflow."""
    request = pb.ValidateWorkflowRequest(
        project=scope.project, source=text_of(document), kind=kind.wire_name, strict=strict
    )
    return Call(_VALIDATE, request, _validation)


def _applied(response: Any) -> models.AppliedWorkflows:
    return models.AppliedWorkflows(
        workflows=tuple(decode.workflow(m) for m in response.workflows),
        warnings=tuple(decode.diagnostic(m) for m in response.warnings),
    )


def _page(response: Any) -> Page[models.WorkflowInfo]:
    return Page([decode.workflow(m) for m in response.workflows], response.next_page_token)


def _validation(response: Any) -> models.Validation:
    return models.Validation(
        valid=response.valid,
        diagnostics=tuple(decode.diagnostic(m) for m in response.diagnostics),
    )
