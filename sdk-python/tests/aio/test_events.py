"""Watching and waiting against a scripted server, over real connections."""

from __future__ import annotations

import dataclasses
from contextlib import aclosing
from typing import Any

import pytest
from grpc import StatusCode

from autan import Client, errors, models
from autan._core.executions import WATCH
from autan._proto.v1 import executions_pb2 as pb
from autan._proto.v1 import history_pb2, payloads_pb2
from autan._transport import stream as limits
from autan._transport.aio import AioTransport
from autan._transport.options import TransportOptions, parse_address
from fake import HANG, FakeServer, Refusal
from messages import AT_ONCE, batch, end, execution, heartbeat, info, snapshot

CUT = Refusal(StatusCode.UNAVAILABLE, "cut")
DONE = execution("SUCCESS", output=payloads_pb2.Payload(json='{"n":9007199254740993}'))


@dataclasses.dataclass
class Answer:
    n: int


def client_of(fake: FakeServer) -> Client:
    return Client(fake.address, retry=AT_ONCE)


async def test_events_resume(fake: FakeServer) -> None:
    fake.on(
        "WatchExecution",
        [batch(1, 2), CUT],
        CUT,
        [batch(2, 3)],
        [heartbeat(3), batch(4, 6)],
        [batch(5), end("GOING_AWAY", resume=5)],
        [batch(6), end("TERMINAL", resume=6)],
    )
    async with client_of(fake) as client:
        found = [e.sequence async for e in client.execution("e1").events()]
    assert found == [1, 2, 3, 4, 5, 6]
    asked = [r.after_sequence for r in fake.requests["WatchExecution"]]
    assert asked == [0, 2, 2, 3, 4, 5]


async def test_events_over_a_gap(fake: FakeServer) -> None:
    trimmed = Refusal(
        StatusCode.OUT_OF_RANGE, "gone", [info("HISTORY_TRIMMED", earliest_sequence="8")]
    )
    fake.on("WatchExecution", trimmed, [snapshot(9), batch(10), end()])
    gaps: list[models.Gap] = []
    async with client_of(fake) as client:
        run = client.execution("e1")
        found = [e.sequence async for e in run.events(after_sequence=2, on_gap=gaps.append)]
        fake.on("WatchExecution", trimmed)
        with pytest.raises(errors.HistoryTrimmed) as caught:
            async for _ in run.events():
                pass
    assert found == [10]
    assert [(g.after_sequence, g.resumed_after_sequence) for g in gaps] == [(2, 9)]
    assert caught.value.earliest_sequence == 8


async def test_leaving_early_frees_the_connection(fake: FakeServer) -> None:
    fake.on("WatchExecution", [batch(1), HANG])
    async with client_of(fake) as client:
        for _ in range(20):
            async with aclosing(client.execution("e1").events()) as events:
                assert (await anext(events)).sequence == 1
        # More than the server has threads for: each was ended before the next one.
        assert len(client._transport._stream_channels) == 1


async def test_watches_share_connections_in_fours(fake: FakeServer) -> None:
    fake.on("WatchExecution", [batch(1), HANG])
    async with client_of(fake) as client:
        watches = [client.execution("e1").events() for _ in range(6)]
        for watch in watches:
            await anext(watch)
        streams = sorted(client._transport._stream_channels.values())
        for watch in watches:
            await watch.aclose()
        idle = list(client._transport._stream_channels.values())
    assert streams == [2, 4]
    assert idle == [0]


async def test_slow_consumer_misses_nothing(fake: FakeServer) -> None:
    count = limits.READ_AHEAD_MAX * 2
    fake.on(
        "WatchExecution",
        [*(batch(n) for n in range(1, count + 1)), HANG],
        lambda r: [*(batch(n) for n in range(r.after_sequence + 1, count + 1)), end()],
    )
    fake.on("GetExecution", pb.GetExecutionResponse(execution=DONE))
    found = []
    async with client_of(fake) as client:
        async for event in client.execution("e1").events():
            while event.sequence == 1 and not fake.left.is_set():
                # Busy with something else until the reading ahead has run into its limit.
                await client.executions.get("e1")
            found.append(event.sequence)
    assert found == list(range(1, count + 1))
    resumed_after = fake.requests["WatchExecution"][1].after_sequence
    assert limits.READ_AHEAD_MAX <= resumed_after < count


async def test_silent_stream(fake: FakeServer) -> None:
    fake.on("WatchExecution", [batch(1), HANG])
    transport = AioTransport(TransportOptions(target=parse_address(fake.address, tls=False)))
    async with transport.stream(WATCH, pb.WatchExecutionRequest()) as stream:
        assert await stream.read(5) is not None
        with pytest.raises(errors.Unavailable, match="nothing was heard") as caught:
            await stream.read(0.01)
    assert caught.value.retryable
    await transport.close()


async def test_result(fake: FakeServer) -> None:
    fake.on("WatchExecution", [snapshot(3), CUT], [batch(4), end(finished=DONE)])
    async with client_of(fake) as client:
        run = client.execution("e1")
        assert await run.result() == {"n": 9007199254740993}
        assert await run.result(Answer) == Answer(9007199254740993)
        assert (await run.wait()).state == models.ExecutionState.SUCCESS
        with pytest.raises(errors.PayloadError, match="result: expected int, got dict"):
            await run.result(int)
    starts = [(r.after_sequence, r.start_at) for r in fake.requests["WatchExecution"]]
    assert starts[:2] == [(0, 2), (3, 1)]


async def test_result_if_the_end_has_no_execution(fake: FakeServer) -> None:
    fake.on("WatchExecution", [snapshot(1), end()])
    fake.on("GetExecution", pb.GetExecutionResponse(execution=DONE))
    async with client_of(fake) as client:
        assert await client.execution("e1").result() == {"n": 9007199254740993}


FAILED = execution(
    "ERROR",
    workflow_name="w",
    error=payloads_pb2.Failure(type="action_error", message="no stock"),
)
OUTCOMES = [
    (FAILED, errors.ExecutionFailed, "'e1' of 'w' ended in ERROR: no stock"),
    (
        execution("CANCELLED", state_info="by hand"),
        errors.ExecutionCancelled,
        "ended in CANCELLED: by hand",
    ),
]


@pytest.mark.parametrize(("finished", "expected", "text"), OUTCOMES)
async def test_result_of_a_failure(
    fake: FakeServer, finished: Any, expected: type[errors.ExecutionError], text: str
) -> None:
    fake.on("WatchExecution", [snapshot(1), end(finished=finished)])
    async with client_of(fake) as client:
        with pytest.raises(expected, match=text) as caught:
            await client.execution("e1").result()
    assert caught.value.execution.state.final
    assert not isinstance(caught.value, errors.RpcError)


async def test_result_falls_back_to_waiting(fake: FakeServer) -> None:
    fake.on("WatchExecution", Refusal(StatusCode.UNIMPLEMENTED))
    fake.on(
        "WaitExecution",
        pb.WaitExecutionResponse(execution=execution(), finished=False),
        Refusal(StatusCode.UNAVAILABLE),
        pb.WaitExecutionResponse(execution=DONE, finished=True),
    )
    async with client_of(fake) as client:
        assert await client.execution("e1").result(timeout=60) == {"n": 9007199254740993}
    waits = [r.timeout.ToMilliseconds() for r in fake.requests["WaitExecution"]]
    assert waits == [10_000] * 3


async def test_deadline_of_a_watch(fake: FakeServer) -> None:
    fake.on("WatchExecution", [snapshot(1), HANG])
    async with client_of(fake) as client:
        with pytest.raises(errors.DeadlineExceeded, match=r"after 0\.05 s"):
            await client.execution("e1").wait(timeout=0.05)


async def test_deadline_of_calls(fake: FakeServer) -> None:
    fake.on("WatchExecution", Refusal(StatusCode.UNIMPLEMENTED))
    fake.on("WaitExecution", pb.WaitExecutionResponse(execution=execution(), finished=False))
    async with client_of(fake) as client:
        with pytest.raises(errors.DeadlineExceeded):
            await client.execution("e1").wait(timeout=0.05)


@pytest.mark.parametrize("replies", [[[batch(1), end("DELETED")]], [Refusal(StatusCode.NOT_FOUND)]])
async def test_no_such_execution(fake: FakeServer, replies: list[Any]) -> None:
    fake.on("WatchExecution", *replies)
    async with client_of(fake) as client:
        with pytest.raises(errors.NotFound):
            await client.execution("e1").result()


async def test_history(fake: FakeServer) -> None:
    events = [history_pb2.HistoryEvent(sequence=n) for n in (2, 1)]
    fake.on("ListHistoryEvents", history_pb2.ListHistoryEventsResponse(events=events))
    async with client_of(fake) as client:
        run = client.execution("e1")
        found = [e.sequence async for e in run.history(descending=True, after_sequence=0)]
    assert found == [2, 1]
    assert fake.requests["ListHistoryEvents"][0].descending


async def test_bad_options_of_events(fake: FakeServer) -> None:
    async with client_of(fake) as client:
        with pytest.raises(ValueError, match="heartbeat_interval"):
            async for _ in client.execution("e1").events(heartbeat_interval=1):
                pass
