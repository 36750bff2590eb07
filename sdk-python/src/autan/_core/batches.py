"""Calls about batch operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import decode
from autan._core.call import Call, Page, Scope, method, new_request_id
from autan._core.payload import encode_object
from autan._proto.v1 import batches_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SERVICE = "ExecutionService"
_UPDATE = method(_SERVICE, pb.BatchUpdateExecutionsResponse)
_GET = method(_SERVICE, pb.GetBatchOperationResponse)
_LIST = method(_SERVICE, pb.ListBatchOperationsResponse)
_CANCEL = method(_SERVICE, pb.CancelBatchOperationResponse)

WAIT_INTERVAL = 0.25
"""How often waiting asks, in seconds."""


def start(
    scope: Scope,
    verb: models.BatchVerb,
    *,
    filter: str,
    ids: Sequence[str],
    rate: int,
    reason: str,
) -> Call[models.BatchOperation]:
    """BatchUpdateExecutions."""
    request = _request(scope, verb, filter=filter, ids=ids, rate=rate, reason=reason)
    return Call(_UPDATE, request, _batch)


def preview(
    scope: Scope, verb: models.BatchVerb, *, filter: str, ids: Sequence[str]
) -> Call[models.BatchPreview]:
    """BatchUpdateExecutions that changes nothing."""
    request = _request(scope, verb, filter=filter, ids=ids)
    request.validate_only = True
    return Call(_UPDATE, request, _preview)


def get(scope: Scope, batch_id: str) -> Call[models.BatchOperation]:
    """GetBatchOperation."""
    request = pb.GetBatchOperationRequest(project=scope.project, batch_id=batch_id)
    return Call(_GET, request, _batch)


def list_(scope: Scope, *, page_size: int) -> Callable[[str], Call[Page[models.BatchOperation]]]:
    """ListBatchOperations."""

    def page(token: str) -> Call[Page[models.BatchOperation]]:
        request = pb.ListBatchOperationsRequest(
            project=scope.project, page_size=page_size, page_token=token
        )
        return Call(_LIST, request, _page)

    return page


def cancel(scope: Scope, batch_id: str) -> Call[models.BatchOperation]:
    """CancelBatchOperation."""
    request = pb.CancelBatchOperationRequest(
        project=scope.project, batch_id=batch_id, request_id=new_request_id()
    )
    return Call(_CANCEL, request, _batch)


def _request(
    scope: Scope,
    verb: models.BatchVerb,
    *,
    filter: str,
    ids: Sequence[str],
    rate: int = 0,
    reason: str = "",
) -> pb.BatchUpdateExecutionsRequest:
    if isinstance(ids, str):
        raise TypeError("ids: a list of ids, not one text")
    return pb.BatchUpdateExecutionsRequest(
        project=scope.project,
        execution_ids=ids,
        filter=filter,
        verb=_verb(scope, verb),
        rate=rate,
        reason=reason,
        request_id=new_request_id(),
    )


def _verb(scope: Scope, verb: models.BatchVerb) -> pb.BatchVerb:
    message = pb.BatchVerb()
    chosen = getattr(message, verb.name)
    chosen.SetInParent()
    if isinstance(verb, models.BatchPause):
        chosen.timeouts_run = verb.timeouts_run
    elif isinstance(verb, models.BatchDelete):
        chosen.force = verb.force
    elif isinstance(verb, models.BatchResume | models.BatchRerun):
        if verb.env:
            chosen.env.CopyFrom(encode_object(verb.env, scope.converter, "env"))
        if isinstance(verb, models.BatchRerun):
            chosen.reset = verb.reset
    return message


def _batch(response: Any) -> models.BatchOperation:
    return _operation(response.batch)


def _preview(response: Any) -> models.BatchPreview:
    sample = tuple(response.sample_execution_ids)
    return models.BatchPreview(matched=response.batch.matched, sample=sample)


def _page(response: Any) -> Page[models.BatchOperation]:
    return Page([_operation(m) for m in response.batches], response.next_page_token)


def _operation(message: pb.BatchOperation) -> models.BatchOperation:
    return models.BatchOperation(
        project=message.project,
        batch_id=message.batch_id,
        state=models.BatchState(message.state),
        verb=message.verb.WhichOneof("verb") or "",
        filter=message.filter,
        rate=message.rate,
        matched=message.matched,
        done=message.done,
        skipped=message.skipped,
        failed=message.failed,
        errors=[
            models.BatchError(
                execution_id=error.execution_id, reason=error.reason, message=error.message
            )
            for error in message.errors
        ],
        reason=message.reason,
        identity=message.identity,
        cancelled_by=message.cancelled_by,
        create_time=decode.time(message, "create_time"),
        update_time=decode.time(message, "update_time"),
        end_time=decode.time(message, "end_time"),
    )
