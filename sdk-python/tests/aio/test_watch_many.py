"""Watching many executions against a scripted server, over real connections."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest
from grpc import StatusCode

from autan import Client, errors
from autan._proto.v1 import executions_pb2 as pb
from autan._proto.v1 import watch_pb2
from fake import HANG, FakeServer, Refusal
from messages import AT_ONCE, execution, info

LAST = 6

CUT = Refusal(StatusCode.UNAVAILABLE, "cut")


def changes(token: str, *ids: str, gone: str = "") -> pb.WatchExecutionsResponse:
    batch = pb.ExecutionChanges(resume_token=token)
    batch.executions.extend(execution(execution_id=one) for one in ids)
    if gone:
        batch.deleted.add(execution_id=gone, uid=gone)
    return pb.WatchExecutionsResponse(changes=batch)


def heartbeat(token: str) -> pb.WatchExecutionsResponse:
    beat = watch_pb2.WatchExecutionsHeartbeat(resume_token=token)
    return pb.WatchExecutionsResponse(heartbeat=beat)


def end(token: str) -> pb.WatchExecutionsResponse:
    message = watch_pb2.WatchExecutionsEnd(reason="WATCH_END_REASON_GOING_AWAY", resume_token=token)
    return pb.WatchExecutionsResponse(end=message)


def client_of(fake: FakeServer) -> Client:
    return Client(fake.address, retry=AT_ONCE)


async def test_changes_resume_by_token(fake: FakeServer) -> None:
    fake.on(
        "WatchExecutions",
        [changes("t1", "a", "b"), CUT],
        [],
        [heartbeat("t2"), CUT],
        [changes("t3", "c", gone="a"), end("t4")],
        [changes("t5", "d"), HANG],
    )
    found: list[tuple[str, str]] = []
    async with (
        client_of(fake) as client,
        aclosing(client.executions.watch(filter="state = RUNNING")) as watch,
    ):
        async for change in watch:
            name = change.execution.execution_id if change.execution else "-"
            if change.deleted:
                name = f"-{change.deleted.execution_id}"
            found.append((name, change.resume_token))
            if name == "d":
                break
    assert found == [("a", ""), ("b", "t1"), ("c", "t2"), ("-a", "t3"), ("d", "t5")]
    requests: list[Any] = fake.requests["WatchExecutions"]
    assert [r.resume_token for r in requests] == ["", "t1", "t1", "t2", "t4"]
    assert {r.filter for r in requests} == {"state = RUNNING"}


async def test_events_come_one_by_one(fake: FakeServer) -> None:
    def told(id: str, *sequences: int, earliest: int = 0) -> pb.ExecutionEvents:
        events = pb.ExecutionEvents(execution=execution(execution_id=id))
        events.earliest_sequence = earliest
        for sequence in sequences:
            events.events.add(sequence=sequence)
        return events

    first = pb.ExecutionChanges(resume_token="t1", events=[told("a", 1, 2), told("b", 1)])
    second = pb.ExecutionChanges(
        resume_token="t2", events=[told("a", earliest=9), told("b", 5, 6, earliest=5)]
    )
    fake.on(
        "WatchExecutions",
        [
            pb.WatchExecutionsResponse(changes=first),
            pb.WatchExecutionsResponse(changes=second),
            HANG,
        ],
    )
    found: list[Any] = []
    async with (
        client_of(fake) as client,
        aclosing(
            client.executions.watch(
                events=True, event_types=["task_created"], include_payloads=True
            )
        ) as watch,
    ):
        async for change in watch:
            assert change.execution is not None
            sequence = change.event.sequence if change.event else None
            found.append(
                (
                    change.execution.execution_id,
                    sequence,
                    change.earliest_sequence,
                    change.resume_token,
                )
            )
            if sequence == LAST:
                break
    assert found == [
        ("a", 1, 0, ""),
        ("a", 2, 0, ""),
        ("b", 1, 0, "t1"),
        ("a", None, 9, "t1"),
        ("b", 5, 5, "t1"),
        ("b", 6, 0, "t2"),
    ]
    [request] = fake.requests["WatchExecutions"]
    assert request.mode == watch_pb2.WATCH_EXECUTIONS_MODE_EVENTS
    assert list(request.event_types) == ["task_created"]
    assert request.include_payloads


async def test_a_refused_watch_fails(fake: FakeServer) -> None:
    fake.on(
        "WatchExecutions",
        Refusal(StatusCode.INVALID_ARGUMENT, "no such field", [info("INVALID_FILTER")]),
    )
    async with client_of(fake) as client:
        with pytest.raises(errors.InvalidFilter):
            await anext(client.executions.watch(filter="x = 1"))
        with pytest.raises(ValueError, match="heartbeat_interval"):
            await anext(client.executions.watch(heartbeat_interval=1))
