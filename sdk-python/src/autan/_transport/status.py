"""From an answer of gRPC to an exception of the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from autan.errors import Code, RpcError, Violation, class_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import grpc

DOMAIN = "autan"
DETAILS_KEY = "grpc-status-details-bin"


def error_from_call(
    code: grpc.StatusCode,
    message: str | None,
    trailers: Iterable[tuple[str, str | bytes]] | None,
) -> RpcError:
    """Builds the exception for a call that ended with `code`.

    Details that do not decode are ignored: the code and the message are worth more than a
    complaint about their decoration.
    """
    number = code.value[0]
    known = Code(number) if number in Code._value2member_map_ else Code.UNKNOWN
    return _build(known, message or "", _details(trailers))


def _details(trailers: Iterable[tuple[str, str | bytes]] | None) -> status_pb2.Status:
    for key, value in trailers or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                break
    return status_pb2.Status()


def _build(code: Code, message: str, status: status_pb2.Status) -> RpcError:
    reason = ""
    metadata: dict[str, str] = {}
    violations: list[Violation] = []
    delay: float | None = None
    for detail in status.details:
        part = _unpack(detail)
        if isinstance(part, error_details_pb2.ErrorInfo) and part.domain == DOMAIN:
            reason, metadata = part.reason, dict(part.metadata)
        elif isinstance(part, error_details_pb2.BadRequest):
            violations += [
                Violation(v.field, v.description, getattr(v, "reason", ""))
                for v in part.field_violations
            ]
        elif isinstance(part, error_details_pb2.PreconditionFailure):
            violations += [Violation(v.subject, v.description, v.type) for v in part.violations]
        elif isinstance(part, error_details_pb2.QuotaFailure):
            violations += [Violation(v.subject, v.description) for v in part.violations]
        elif isinstance(part, error_details_pb2.RetryInfo):
            delay = part.retry_delay.seconds + part.retry_delay.nanos / 1e9
    # A quota without a time to wait for is not going to be free any sooner by asking again.
    retryable = code == Code.UNAVAILABLE or (code == Code.RESOURCE_EXHAUSTED and delay is not None)
    error = class_of(code, reason)(
        message,
        code=code,
        reason=reason,
        metadata=metadata,
        retryable=retryable,
        violations=violations,
    )
    error.retry_delay = delay
    return error


_KINDS = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (
        error_details_pb2.ErrorInfo,
        error_details_pb2.BadRequest,
        error_details_pb2.PreconditionFailure,
        error_details_pb2.QuotaFailure,
        error_details_pb2.RetryInfo,
    )
}


def _unpack(detail: Any) -> object | None:
    kind = _KINDS.get(detail.TypeName())
    if kind is None:
        return None
    try:
        return kind.FromString(detail.value)
    except DecodeError:
        return None
