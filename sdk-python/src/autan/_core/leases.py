"""Tasks under leases, and how they end: to and from the messages of the worker services."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from google.protobuf.duration_pb2 import Duration

from autan import models
from autan._core.decode import failure as read_failure
from autan._core.decode import time
from autan._core.payload import decode, encode
from autan._proto.v1 import payloads_pb2, workflows_pb2
from autan._proto.v1 import workers_pb2 as pb
from autan.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autan.converter import Converter

PROGRESS_BYTES_MAX = 65_536


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who a worker is; see `Worker`."""

    worker_id: str
    identity: str
    sdk: str
    build_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def message(self) -> pb.WorkerIdentity:
        """Returns the message."""
        return pb.WorkerIdentity(
            worker_id=self.worker_id,
            identity=self.identity,
            sdk=self.sdk,
            build_id=self.build_id,
            labels=self.labels,
        )


def duration(seconds: float | None) -> Duration | None:
    """Encodes a duration."""
    if seconds is None:
        return None
    message = Duration()
    message.FromNanoseconds(round(seconds * 1e9))
    return message


def seconds(message: Duration) -> float:
    """Decodes a duration."""
    return message.seconds + message.nanos / 1e9


def spec(action: models.ActionSpec, converter: Converter) -> pb.WorkerAction:
    """Encodes what the server is told of an action."""
    return pb.WorkerAction(
        name=action.name,
        version=action.version,
        description=action.description,
        input=[_parameter(p, converter) for p in action.input],
        start_to_close_timeout=duration(action.start_to_close),
        schedule_to_start_timeout=duration(action.schedule_to_start),
        heartbeat_timeout=duration(action.heartbeat),
    )


def _parameter(p: models.InputParameter, converter: Converter) -> workflows_pb2.InputParameter:
    message = workflows_pb2.InputParameter(name=p.name, required=p.required)
    if not p.required:
        # It is for people only: a default that is not JSON is not worth an error.
        with contextlib.suppress(PayloadError):
            message.default_value.CopyFrom(encode(p.default_value, converter, p.name))
    return message


def task(m: pb.WorkerTask) -> models.WorkerTask:
    """Reads a task."""
    return models.WorkerTask(
        token=m.token,
        action=m.action,
        input=decode(m.input),
        queue=m.queue,
        attempt=m.attempt,
        delivery=m.delivery,
        idempotency_key=m.idempotency_key,
        progress=decode(m.progress),
        schedule_time=time(m, "schedule_time"),
        lease_expire_time=time(m, "lease_expire_time"),
        deadline=time(m, "deadline"),
        heartbeat_timeout=(
            seconds(m.heartbeat_timeout) if m.HasField("heartbeat_timeout") else None
        ),
        project=m.project,
        execution_uid=m.execution_uid,
        workflow_name=m.workflow_name,
        task_name=m.task_name,
        task_execution_id=m.task_execution_id,
        action_execution_id=m.action_execution_id,
        item_index=m.item_index,
        required_version=m.required_version,
        affinity_key=m.affinity_key,
    )


def lease(m: pb.TaskHeartbeatResult) -> models.TaskLease:
    """Reads what became of a lease."""
    return models.TaskLease(
        token=m.token,
        status=models.LeaseStatus(m.status),
        expire_time=time(m, "lease_expire_time"),
        reason=m.reason,
    )


def progress(value: object, converter: Converter) -> payloads_pb2.Payload:
    """Encodes what an action says of its progress.

    Raises:
        PayloadError: It cannot be JSON, or is too large.
    """
    payload = encode(value, converter, "progress")
    size = payload.ByteSize()
    if size > PROGRESS_BYTES_MAX:
        raise PayloadError(
            f"progress: may have {PROGRESS_BYTES_MAX} bytes, not {size}; keep more elsewhere"
        )
    return payload


def succeeded(token: str, value: object, converter: Converter, bytes_max: int = 0) -> pb.TaskResult:
    """Encodes the end of a task with a result of at most `bytes_max` bytes; 0 = no limit.

    Raises:
        PayloadError: It cannot be JSON, or is too large, which its reason tells.
    """
    payload = encode(value, converter, "result")
    size = payload.ByteSize()
    if 0 < bytes_max < size:
        raise PayloadError(
            f"the result has {size} bytes, and may have {bytes_max}",
            reason="PAYLOAD_TOO_LARGE",
        )
    return pb.TaskResult(token=token, result=payload)


def deferred(token: str) -> pb.TaskResult:
    """Encodes that somebody completes a task later."""
    return pb.TaskResult(token=token, deferred=pb.Deferral())


def failed(
    token: str, failed: models.TaskFailure, converter: Converter, bytes_max: int = 0
) -> pb.TaskResult:
    """Encodes the end of a task with a failure.

    Details that cannot be sent are left out: the failure is worth more than its decoration.
    """
    message = pb.TaskResult(token=token, failure=task_failure(failed))
    if failed.failure.details is not None:
        try:
            details = encode(failed.failure.details, converter, "details")
        except PayloadError:
            return message
        if not 0 < bytes_max < details.ByteSize():
            message.failure.failure.details.CopyFrom(details)
    return message


def outcome(result: pb.TaskResult) -> tuple[object, models.TaskFailure | None, bool]:
    """Reads how a task has ended: its result, its failure, and whether it was deferred."""
    if not result.HasField("failure"):
        return decode(result.result), None, result.HasField("deferred")
    failed = result.failure
    found = models.TaskFailure(
        failure=read_failure(failed.failure),
        non_retryable=failed.non_retryable,
        retry_after=seconds(failed.retry_after) if failed.HasField("retry_after") else None,
    )
    return None, found, False


def cancelled(result: pb.TaskResult, reason: str) -> pb.TaskResult:
    """Returns what is sent in place of a result that nobody wants any more."""
    failure = payloads_pb2.Failure(
        type="Cancelled", message=f"cancelled: {reason}" if reason else "cancelled"
    )
    if result.HasField("failure"):
        if result.failure.failure.type == failure.type:
            return result
        failure.cause.CopyFrom(result.failure.failure)
    return pb.TaskResult(token=result.token, failure=pb.TaskFailure(failure=failure))


def task_failure(failed: models.TaskFailure) -> pb.TaskFailure:
    """Encodes a failure without its details."""
    return pb.TaskFailure(
        failure=_failure(failed.failure),
        non_retryable=failed.non_retryable,
        retry_after=duration(failed.retry_after),
    )


def _failure(failure: models.Failure) -> payloads_pb2.Failure:
    return payloads_pb2.Failure(
        type=failure.type,
        message=failure.message,
        stack=failure.stack,
        cause=None if failure.cause is None else _failure(failure.cause),
    )
