"""The watch by itself: what goes in, what is delivered, and how it is resumed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from autan import DefaultConverter, errors
from autan._core.call import Scope
from autan._core.watch import Deadline, Watch, WatchOptions, WatchUnusableError
from autan._transport.retry import RetryPolicy
from autan._transport.stream import silent
from autan.errors import Code
from autan.models import Gap, WatchStart
from messages import AT_ONCE, batch, end, execution, heartbeat, snapshot

CUT = errors.Unavailable("cut", code=Code.UNAVAILABLE, retryable=True)
RESET = errors.Internal("RST_STREAM", code=Code.INTERNAL)
BUG = errors.Internal("a bug", code=Code.INTERNAL, reason="INTERNAL")
TRIMMED = errors.HistoryTrimmed(
    "gone",
    code=Code.OUT_OF_RANGE,
    reason="HISTORY_TRIMMED",
    metadata={"earliest_sequence": "7"},
)
MISSING = errors.ExecutionNotFound("none", code=Code.NOT_FOUND, reason="EXECUTION_NOT_FOUND")
EOF = None


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Run:
    """What a watch did with a script."""

    delivered: list[int] = field(default_factory=list)
    asked_after: list[int] = field(default_factory=list)
    asked_start: list[str] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    ended: bool = False
    error: str = ""


def drive(connections: list[list[Any]], *, gaps: bool = False, **options: Any) -> Run:
    """Plays each list as one connection: messages, then an error or EOF."""
    run = Run()

    def on_gap(gap: Gap) -> None:
        run.gaps.append((gap.after_sequence, gap.resumed_after_sequence))

    watch = Watch(
        Scope("", DefaultConverter()),
        "e1",
        WatchOptions(**options),
        AT_ONCE,
        on_gap=on_gap if gaps else None,
        clock=Clock(),
    )
    try:
        for connection in connections:
            request = watch.request()
            run.asked_after.append(request.after_sequence)
            run.asked_start.append(WatchStart(request.start_at).name)
            for part in connection:
                if part is EOF or isinstance(part, errors.RpcError):
                    watch.lost(part)
                else:
                    run.delivered += [e.sequence for e in watch.receive(part)]
                if not watch.connected:
                    break
    except errors.AutanError as error:
        run.error = type(error).__name__
    run.ended = watch.ended
    return run


CASES: dict[str, tuple[list[list[Any]], dict[str, Any], dict[str, Any]]] = {
    "one connection": (
        [[batch(1, 2), heartbeat(2), batch(3), end(resume=3)]],
        {},
        {"delivered": [1, 2, 3], "asked_after": [0], "ended": True},
    ),
    "resumes after a cut": (
        [[batch(1, 2), CUT], [batch(3), end()]],
        {},
        {"delivered": [1, 2, 3], "asked_after": [0, 2], "ended": True},
    ),
    "drops what was delivered": (
        [[batch(1, 2), RESET], [batch(1, 2, 3), end()]],
        {},
        {"delivered": [1, 2, 3], "ended": True},
    ),
    "end of stream without an end": (
        [[batch(1), EOF], [batch(2), end()]],
        {},
        {"delivered": [1, 2], "asked_after": [0, 1], "ended": True},
    ),
    "silence": ([[batch(1), silent(45)], [batch(2), end()]], {}, {"delivered": [1, 2]}),
    "server goes away": (
        [[batch(1), end("GOING_AWAY", resume=1)], [batch(2), end("MAX_AGE")], [end()]],
        {},
        {"delivered": [1, 2], "asked_after": [0, 1, 2], "ended": True},
    ),
    "slow consumer": (
        [[batch(1), end("SLOW_CONSUMER")], [batch(2), end()]],
        {},
        {"delivered": [1, 2], "ended": True},
    ),
    "hole in a batch": (
        [[batch(1, 3)], [batch(2, 3), end()]],
        {},
        {"delivered": [1, 2, 3], "asked_after": [0, 1], "ended": True},
    ),
    "hole seen by a heartbeat": (
        [[batch(1), heartbeat(3)], [batch(2, 3), end()]],
        {},
        {"delivered": [1, 2, 3], "asked_after": [0, 1], "ended": True},
    ),
    "hole seen at the end": (
        [[batch(1), end(resume=2)], [batch(2), end(resume=2)]],
        {},
        {"delivered": [1, 2], "ended": True},
    ),
    "hole that stays": (
        [[batch(1), batch(3)], [batch(3)], [batch(3)]],
        {},
        {"delivered": [1], "error": "Internal", "ended": False},
    ),
    "from a position": (
        [[batch(6), CUT], [batch(7), end()]],
        {"after_sequence": 5},
        {"delivered": [6, 7], "asked_after": [5, 6], "asked_start": ["BEGINNING", "BEGINNING"]},
    ),
    "from a snapshot": (
        [[snapshot(4), CUT], [batch(5), end()]],
        {"start": WatchStart.SNAPSHOT},
        {"delivered": [5], "asked_after": [0, 4], "asked_start": ["SNAPSHOT", "BEGINNING"]},
    ),
    "from now, cut before anything": (
        [[CUT], [heartbeat(8), CUT], [batch(9), end()]],
        {"start": WatchStart.LATEST},
        {
            "delivered": [9],
            "asked_after": [0, 0, 8],
            "asked_start": ["LATEST", "LATEST", "BEGINNING"],
        },
    ),
    "trimmed, nobody told": ([[batch(1), CUT], [TRIMMED]], {}, {"error": "HistoryTrimmed"}),
    "trimmed, told": (
        [[batch(1), CUT], [TRIMMED], [snapshot(9), batch(10), end()]],
        {"gaps": True},
        {
            "delivered": [1, 10],
            "gaps": [(1, 9)],
            "asked_after": [0, 1, 0],
            "asked_start": ["BEGINNING", "BEGINNING", "SNAPSHOT"],
        },
    ),
    "deleted": ([[batch(1), end("DELETED")]], {}, {"error": "ExecutionNotFound"}),
    "not found": ([[MISSING]], {}, {"error": "ExecutionNotFound"}),
    "fault of the server": ([[batch(1), BUG]], {}, {"error": "Internal", "delivered": [1]}),
    "odd failures in a row": ([[RESET]] * 5, {}, {"error": "Internal"}),
    "odd failures with progress": (
        [[batch(n), RESET] for n in range(1, 9)] + [[end()]],
        {},
        {"delivered": list(range(1, 9)), "ended": True},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_delivery(name: str) -> None:
    connections, options, expected = CASES[name]
    run = drive(connections, **options)
    assert {key: getattr(run, key) for key in expected} == expected


def a_watch(clock: Clock, policy: RetryPolicy = AT_ONCE, **options: Any) -> Watch:
    return Watch(
        Scope("", DefaultConverter()), "e1", WatchOptions(), policy, clock=clock, **options
    )


def test_gives_up_after_the_time_for_resuming() -> None:
    clock = Clock()
    watch = a_watch(clock, RetryPolicy(resume_for=60))
    for clock.now in (0, 30, 60):
        watch.request()
        watch.lost(CUT)
    clock.now = 61
    watch.request()
    with pytest.raises(errors.Unavailable):
        watch.lost(CUT)


def test_server_that_ends_at_once_is_not_asked_at_once() -> None:
    watch = a_watch(Clock(), RetryPolicy(backoff_initial=1, backoff_max=1))
    delays = []
    for _ in range(50):
        watch.request()
        watch.receive(end("MAX_AGE"))
        delays.append(watch.delay())
    assert max(delays) > 0


def test_server_says_how_long_to_stay_away() -> None:
    watch = a_watch(Clock())
    watch.request()
    watch.receive(batch(1))
    watch.receive(end("GOING_AWAY", delay=1.5))
    assert watch.delay() == 1.5


def test_reading_ends_with_the_deadline() -> None:
    clock = Clock()
    watch = a_watch(clock, deadline=Deadline(20, clock))
    watch.request()
    assert watch.read_timeout == 20
    clock.now = 15
    assert watch.read_timeout == 5
    clock.now = 20
    with pytest.raises(errors.DeadlineExceeded, match="20 s"):
        watch.lost(silent(5))


@pytest.mark.parametrize(
    "failures",
    [
        [errors.Unimplemented("no watch", code=Code.UNIMPLEMENTED)],
        [CUT, CUT, CUT],
        [RESET, CUT, RESET],
    ],
)
def test_falls_back_to_calls(failures: list[errors.RpcError]) -> None:
    watch = a_watch(Clock(), may_fall_back=True)
    for failure in failures[:-1]:
        watch.request()
        watch.lost(failure)
    watch.request()
    with pytest.raises(WatchUnusableError):
        watch.lost(failures[-1])


def test_falls_back_at_once_if_streams_are_held_back() -> None:
    clock = Clock()
    watch = a_watch(clock, may_fall_back=True)
    watch.request()
    clock.now = watch.read_timeout
    with pytest.raises(WatchUnusableError):
        watch.lost(silent(clock.now))


def test_terminal_end_carries_the_execution() -> None:
    watch = a_watch(Clock())
    watch.request()
    watch.receive(end(finished=execution("SUCCESS")))
    assert watch.execution is not None
    assert watch.execution.state.name == "SUCCESS"


@pytest.mark.parametrize(
    "options", [{"after_sequence": -1}, {"heartbeat_interval": 4}, {"heartbeat_interval": 61}]
)
def test_bad_options(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        WatchOptions(**options)
