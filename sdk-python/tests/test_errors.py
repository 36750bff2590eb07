"""From statuses of gRPC to exceptions."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from autan import errors
from autan._proto.v1 import errors_pb2
from autan._transport.status import error_from_call
from messages import info, retry_info

BAD_REQUEST = error_details_pb2.BadRequest(
    field_violations=[
        error_details_pb2.BadRequest.FieldViolation(field="page_size", description="negative")
    ]
)
PRECONDITION = error_details_pb2.PreconditionFailure(
    violations=[
        error_details_pb2.PreconditionFailure.Violation(
            type="STATE", subject="e1", description="is SUCCESS"
        )
    ]
)
QUOTA = error_details_pb2.QuotaFailure(
    violations=[error_details_pb2.QuotaFailure.Violation(subject="p", description="too many")]
)

CASES: dict[str, tuple[str, list[Any], type[errors.RpcError], dict[str, Any]]] = {
    "bare": ("NOT_FOUND", [], errors.NotFound, {"reason": "", "retryable": False}),
    "reason": (
        "NOT_FOUND",
        [info("EXECUTION_NOT_FOUND", execution_id="x")],
        errors.ExecutionNotFound,
        {"reason": "EXECUTION_NOT_FOUND", "metadata": {"execution_id": "x"}},
    ),
    "unknown reason keeps the family": (
        "ABORTED",
        [info("FROM_THE_FUTURE")],
        errors.Aborted,
        {"reason": "FROM_THE_FUTURE"},
    ),
    "reason of another family": (
        "INTERNAL",
        [info("EXECUTION_NOT_FOUND")],
        errors.Internal,
        {"reason": "EXECUTION_NOT_FOUND"},
    ),
    "reason of another domain": (
        "UNAVAILABLE",
        [error_details_pb2.ErrorInfo(domain="proxy.example", reason="X")],
        errors.Unavailable,
        {"reason": "", "retryable": True},
    ),
    "fields": (
        "INVALID_ARGUMENT",
        [info("INVALID_FIELD"), BAD_REQUEST],
        errors.InvalidArgument,
        {"violations": (errors.Violation("page_size", "negative"),)},
    ),
    "precondition": (
        "FAILED_PRECONDITION",
        [info("EXECUTION_STATE", state="SUCCESS"), PRECONDITION],
        errors.WrongExecutionState,
        {"violations": (errors.Violation("e1", "is SUCCESS", "STATE"),)},
    ),
    "quota without a delay": (
        "RESOURCE_EXHAUSTED",
        [QUOTA],
        errors.ResourceExhausted,
        {"retryable": False, "violations": (errors.Violation("p", "too many"),)},
    ),
    "quota with a delay": (
        "RESOURCE_EXHAUSTED",
        [info("OVERLOADED"), retry_info(1.5)],
        errors.ResourceExhausted,
        {"retryable": True, "retry_delay": 1.5},
    ),
    "trimmed": (
        "OUT_OF_RANGE",
        [info("HISTORY_TRIMMED", earliest_sequence="7")],
        errors.HistoryTrimmed,
        {"earliest_sequence": 7},
    ),
    "code without a class": ("DATA_LOSS", [], errors.RpcError, {"code": errors.Code.DATA_LOSS}),
}


@pytest.mark.parametrize("name", CASES)
def test_details(name: str) -> None:
    code, details, expected, attributes = CASES[name]
    status = status_pb2.Status()
    for detail in details:
        status.details.add().Pack(detail)
    trailers = [("grpc-status-details-bin", status.SerializeToString())]
    error = error_from_call(grpc.StatusCode[code], "text", trailers)
    assert type(error) is expected
    assert error.message == "text"
    assert error.code is not None
    assert error.code.name == code
    assert {key: getattr(error, key) for key in attributes} == attributes


@pytest.mark.parametrize("data", [b"\xff", b"\x1a\x03\x0a\x01x"])
def test_details_that_do_not_decode(data: bytes) -> None:
    trailers = [("grpc-status-details-bin", data)]
    assert type(error_from_call(grpc.StatusCode.ABORTED, None, trailers)) is errors.Aborted


def test_every_reason_of_the_contract_has_a_class() -> None:
    names = errors_pb2.ErrorReason.DESCRIPTOR.values_by_name
    reasons = {name.removeprefix("ERROR_REASON_") for name in names}
    assert reasons - {"UNSPECIFIED"} == set(errors.REASONS)


def test_text_names_reason_and_fields() -> None:
    error = errors.InvalidDefinition(
        "2 errors",
        code=errors.Code.INVALID_ARGUMENT,
        reason="INVALID_DEFINITION",
        violations=[errors.Violation("wf.tasks", "is empty")],
    )
    assert str(error) == "INVALID_DEFINITION: 2 errors\n  wf.tasks: is empty"


def test_one_tree() -> None:
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    raised = [c for c in classes if issubclass(c, Exception)]
    assert all(issubclass(c, errors.AutanError) for c in raised)
