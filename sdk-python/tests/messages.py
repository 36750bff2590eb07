"""Short ways to the messages that tests script the fake server with."""

from __future__ import annotations

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2

from autan import RetryPolicy
from autan._proto.v1 import executions_pb2 as pb
from autan._proto.v1 import history_pb2

AT_ONCE = RetryPolicy(backoff_initial=0, backoff_max=0)
"""Retries without waiting."""


def info(reason: str, **metadata: str) -> Message:
    return error_details_pb2.ErrorInfo(domain="autan", reason=reason, metadata=metadata)


def seconds(number: float) -> Duration:
    message = Duration()
    message.FromNanoseconds(int(number * 1e9))
    return message


def retry_info(delay: float) -> Message:
    return error_details_pb2.RetryInfo(retry_delay=seconds(delay))


def execution(state: str = "RUNNING", **fields: Any) -> pb.Execution:
    fields.setdefault("execution_id", "e1")
    return pb.Execution(state=f"EXECUTION_STATE_{state}", **fields)


def batch(*sequences: int) -> pb.WatchExecutionResponse:
    events = [
        history_pb2.HistoryEvent(sequence=s, timer_fired=history_pb2.TimerFired())
        for s in sequences
    ]
    return pb.WatchExecutionResponse(events=pb.HistoryEventBatch(events=events))


def heartbeat(sequence: int) -> pb.WatchExecutionResponse:
    return pb.WatchExecutionResponse(heartbeat=pb.WatchHeartbeat(last_sequence=sequence))


def snapshot(sequence: int) -> pb.WatchExecutionResponse:
    return pb.WatchExecutionResponse(snapshot=execution(last_sequence=sequence))


def end(
    reason: str = "TERMINAL",
    *,
    resume: int = 0,
    delay: float = 0,
    finished: pb.Execution | None = None,
) -> pb.WatchExecutionResponse:
    message = pb.WatchEnd(
        reason=f"WATCH_END_REASON_{reason}",
        resume_after_sequence=resume,
        retry_delay=seconds(delay),
        execution=finished,
    )
    return pb.WatchExecutionResponse(end=message)
