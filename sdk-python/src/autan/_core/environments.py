"""Calls of EnvironmentService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.field_mask_pb2 import FieldMask

from autan._core import decode
from autan._core.call import Call, Page, Scope, method, new_request_id
from autan._core.payload import encode_object
from autan._proto.v1 import environments_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from autan import models

_SERVICE = "EnvironmentService"
_CREATE = method(_SERVICE, pb.CreateEnvironmentResponse)
_UPDATE = method(_SERVICE, pb.UpdateEnvironmentResponse)
_GET = method(_SERVICE, pb.GetEnvironmentResponse)
_LIST = method(_SERVICE, pb.ListEnvironmentsResponse)
_DELETE = method(_SERVICE, pb.DeleteEnvironmentResponse)


def create(
    scope: Scope,
    name: str,
    variables: object,
    *,
    description: str,
    allow_existing: bool,
    validate_only: bool,
) -> Call[models.EnvironmentInfo]:
    """CreateEnvironment."""
    request = pb.CreateEnvironmentRequest(
        project=scope.project,
        name=name,
        description=description,
        variables=encode_object(variables, scope.converter, "variables"),
        request_id=new_request_id(),
        validate_only=validate_only,
        allow_existing=allow_existing,
    )
    return Call(_CREATE, request, _environment)


def update(
    scope: Scope,
    name: str,
    *,
    description: str | None,
    variables: object,
    set: Mapping[str, object],
    remove: Sequence[str],
    etag: str,
) -> Call[models.EnvironmentInfo]:
    """UpdateEnvironment.

    Raises:
        ValueError: All variables are to be replaced, and single ones to be changed.
        TypeError: `remove` is a text instead of a list of them.
    """
    if isinstance(remove, str):
        raise TypeError("remove: a list of names, not one text")
    if variables is not None and (set or remove):
        raise ValueError("either variables (in place of all), or set and remove (single ones)")
    request = pb.UpdateEnvironmentRequest(
        project=scope.project, name=name, etag=etag, request_id=new_request_id()
    )
    # Always there: without a mask an empty description would not be a change.
    paths = []
    if description is not None:
        request.description = description
        paths.append("description")
    if variables is not None:
        request.variables.CopyFrom(encode_object(variables, scope.converter, "variables"))
        paths.append("variables")
    if set or remove:
        request.variables.CopyFrom(encode_object(set, scope.converter, "set"))
        paths += [f"variables.{name}" for name in dict.fromkeys([*set, *remove])]
    request.update_mask.CopyFrom(FieldMask(paths=paths))
    return Call(_UPDATE, request, _environment)


def get(scope: Scope, name: str, *, view: models.View) -> Call[models.EnvironmentInfo]:
    """GetEnvironment."""
    request = pb.GetEnvironmentRequest(project=scope.project, name=name, view=view.wire_name)
    return Call(_GET, request, _environment)


def list_(
    scope: Scope, *, filter: str, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.EnvironmentInfo]]]:
    """ListEnvironments."""

    def page(token: str) -> Call[Page[models.EnvironmentInfo]]:
        request = pb.ListEnvironmentsRequest(
            project=scope.project,
            page_size=page_size,
            page_token=token,
            filter=filter,
            view=view.wire_name,
        )
        return Call(_LIST, request, _page)

    return page


def delete(scope: Scope, name: str, *, etag: str, allow_missing: bool) -> Call[None]:
    """DeleteEnvironment."""
    request = pb.DeleteEnvironmentRequest(
        project=scope.project,
        name=name,
        etag=etag,
        allow_missing=allow_missing,
        request_id=new_request_id(),
    )
    return Call(_DELETE, request, lambda _: None)


def _environment(response: Any) -> models.EnvironmentInfo:
    return decode.environment(response.environment)


def _page(response: Any) -> Page[models.EnvironmentInfo]:
    return Page([decode.environment(m) for m in response.environments], response.next_page_token)
