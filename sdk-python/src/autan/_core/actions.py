"""Calls of ActionService."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import decode
from autan._core.call import Call, Page, Scope, method, new_request_id
from autan._core.documents import Document, text_of
from autan._core.payload import encode_object, set_environment
from autan._proto.v1 import actions_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SERVICE = "ActionService"
_CREATE = method(_SERVICE, pb.CreateActionResponse)
_UPDATE = method(_SERVICE, pb.UpdateActionResponse)
_GET = method(_SERVICE, pb.GetActionResponse)
_LIST = method(_SERVICE, pb.ListActionsResponse)
_LIST_REVISIONS = method(_SERVICE, pb.ListActionRevisionsResponse)
_DELETE = method(_SERVICE, pb.DeleteActionResponse)
_VALIDATE = method(_SERVICE, pb.ValidateActionResponse)
_RUN = method(_SERVICE, pb.RunActionResponse)

_WAIT_DEFAULT = 10.0
"""How long the server waits for the result of a run that is not kept, in seconds."""
_WAIT_MARGIN = 5.0
"""What a waiting call may take beyond the waiting, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """The options of a run; see `Client.run_action`."""

    id: str = ""
    namespace: str = ""
    environment: str = ""
    env: Mapping[str, object] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    on_conflict: models.IdConflictPolicy = models.IdConflictPolicy.USE_EXISTING
    wait: float = 0.0
    timeout: float | None = None
    target: str = ""
    synchronous: bool = False
    discard: bool = False
    validate_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a run answers.

    Attributes:
        execution: The execution behind it, BASIC view.
        action: The attempt, FULL view; None if nothing was started.
        finished: Whether the execution is finished.
        started: Whether this call started it.
    """

    execution: models.Execution
    action: models.ActionExecution | None
    finished: bool
    started: bool


def create(
    scope: Scope,
    document: Document,
    *,
    namespace: str,
    allow_existing: bool,
    validate_only: bool,
    strict: bool,
) -> Call[models.AppliedActions]:
    """CreateAction."""
    request = pb.CreateActionRequest(
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
) -> Call[models.AppliedActions]:
    """UpdateAction."""
    request = pb.UpdateActionRequest(
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
) -> Call[models.ActionInfo]:
    """GetAction."""
    request = pb.GetActionRequest(
        project=scope.project,
        namespace=namespace,
        name=name,
        revision=revision,
        view=view.wire_name,
    )
    return Call(_GET, request, lambda response: decode.action_info(response.action))


def list_(
    scope: Scope,
    *,
    filter: str,
    kind: models.ActionKind,
    namespace: str | None,
    page_size: int,
    view: models.View,
) -> Callable[[str], Call[Page[models.ActionInfo]]]:
    """ListActions."""

    def page(token: str) -> Call[Page[models.ActionInfo]]:
        request = pb.ListActionsRequest(
            project=scope.project,
            namespace=namespace,
            kind=kind.wire_name,
            page_size=page_size,
            page_token=token,
            filter=filter,
            view=view.wire_name,
        )
        return Call(_LIST, request, _page)

    return page


def list_revisions(
    scope: Scope, name: str, *, namespace: str, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.ActionInfo]]]:
    """ListActionRevisions."""

    def page(token: str) -> Call[Page[models.ActionInfo]]:
        request = pb.ListActionRevisionsRequest(
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
    scope: Scope, name: str, *, namespace: str, etag: str, allow_missing: bool
) -> Call[None]:
    """DeleteAction."""
    request = pb.DeleteActionRequest(
        project=scope.project,
        namespace=namespace,
        name=name,
        etag=etag,
        allow_missing=allow_missing,
        request_id=new_request_id(),
    )
    return Call(_DELETE, request, lambda _: None)


def validate(scope: Scope, document: Document, *, strict: bool) -> Call[models.Validation]:
    """ValidateAction."""
    request = pb.ValidateActionRequest(
        project=scope.project, source=text_of(document), strict=strict
    )
    return Call(_VALIDATE, request, _validation)


def run(scope: Scope, name: str, input: object, options: Run) -> Call[Ran]:
    """RunAction."""
    request = pb.RunActionRequest(
        project=scope.project,
        namespace=options.namespace,
        action_name=name,
        execution_id=options.id,
        id_conflict_policy=options.on_conflict.wire_name,
        labels=options.labels,
        description=options.description,
        target=options.target,
        synchronous=options.synchronous,
        save=not options.discard,
        request_id=new_request_id(),
        validate_only=options.validate_only,
    )
    if input is not None:
        request.input.CopyFrom(encode_object(input, scope.converter, "input"))
    set_environment(request, scope, options.environment, options.env)
    if options.timeout is not None:
        request.timeout.FromNanoseconds(int(options.timeout * 1e9))
    wait = _WAIT_DEFAULT if options.discard and not options.wait else options.wait
    request.wait_timeout.FromNanoseconds(int(wait * 1e9))
    return Call(_RUN, request, _ran, timeout=wait + _WAIT_MARGIN if wait else None)


def _ran(response: Any) -> Ran:
    action = response.action_execution if response.HasField("action_execution") else None
    return Ran(
        execution=decode.execution(response.execution),
        action=None if action is None else decode.action(action),
        finished=response.finished,
        started=response.started,
    )


def _applied(response: Any) -> models.AppliedActions:
    return models.AppliedActions(
        actions=tuple(decode.action_info(m) for m in response.actions),
        warnings=tuple(decode.diagnostic(m) for m in response.warnings),
    )


def _page(response: Any) -> Page[models.ActionInfo]:
    return Page([decode.action_info(m) for m in response.actions], response.next_page_token)


def _validation(response: Any) -> models.Validation:
    return models.Validation(
        valid=response.valid,
        diagnostics=tuple(decode.diagnostic(m) for m in response.diagnostics),
    )
