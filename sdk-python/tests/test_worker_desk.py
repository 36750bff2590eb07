"""The leases of a worker, with times that are made up."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from autan import CancelCause, models
from autan._core.frames import RESULTS_BYTES_MAX, Ack, Frame
from autan._proto.v1 import payloads_pb2
from autan._proto.v1 import workers_pb2 as pb
from autan._worker.desk import NEVER, Desk

EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)


def desk_of(*tokens: str, at: float = 0.0, max_tasks: int = 3, **fields: Any) -> Desk:
    """A desk with these tasks, over a stream that was opened before."""
    desk = Desk({"q": max_tasks})
    desk.hello()
    for token in tokens:
        assert desk.arrived(task(token, **fields), at, paid=True) is not None
    return desk


def task(token: str, **fields: Any) -> models.WorkerTask:
    return models.WorkerTask(token=token, action="a", **{"queue": "q", **fields})


def lease(token: str, status: str, reason: str = "") -> models.TaskLease:
    return models.TaskLease(
        token=token, status=models.LeaseStatus[status], expire_time=None, reason=reason
    )


def result(token: str) -> pb.TaskResult:
    return pb.TaskResult(token=token, result=payloads_pb2.Payload(json="1"))


def test_result_and_credit_go_together() -> None:
    desk = desk_of("t1", "t2")
    frame = desk.take(0)
    assert (frame.accepts, frame.credits, desk.running) == (["t1", "t2"], {}, 2)
    assert desk.ended("t1", result("t1")) is None
    frame = desk.take(1)
    assert ([*frame.results], frame.credits, desk.running) == (["t1"], {"q": 1}, 1)
    assert not desk.take(2)
    assert desk.unacknowledged == 1
    assert desk.acknowledged(Ack(token="t1"), 3) is None
    assert (desk.unacknowledged, desk.tokens()) == (0, ["t2"])
    # A second end, or an answer to what is not known, changes nothing.
    assert desk.ended("t1", result("t1")) is None
    assert desk.acknowledged(Ack(token="t1"), 4) is None
    assert not desk.take(5)


def test_more_than_was_asked_for() -> None:
    desk = desk_of("t1", "t2", "t3")
    assert desk.arrived(task("t4"), 0, paid=True) is None
    assert desk.arrived(task("t1"), 0, paid=True) is None
    frame = desk.take(0)
    assert (frame.accepts, frame.releases) == (["t1", "t2", "t3", "t1"], ["t4"])


def test_queues_have_their_own_room() -> None:
    desk = Desk({"gpu": 1, "q": 2})
    assert desk.hello() == ([], {"gpu": 1, "q": 2})
    for token, queue, room in (("g1", "gpu", True), ("g2", "gpu", False), ("t1", "q", True)):
        lease = desk.arrived(task(token, queue=queue), 0, paid=True)
        assert (lease is not None) is room
    assert desk.arrived(task("x", queue="unknown"), 0, paid=True) is None
    assert desk.take(0).releases == ["g2", "x"]
    desk.ended("g1", result("g1"))
    assert desk.take(1).credits == {"gpu": 1}
    assert desk.hello() == (["g1", "t1"], {"gpu": 1, "q": 1})


def test_credits_over_two_streams() -> None:
    desk = desk_of("t1")
    desk.ended("t1", result("t1"))
    # What a hello gives is not given again.
    assert desk.hello() == (["t1"], {"q": 3})
    assert desk.take(0).credits == {}
    # What comes over the older stream was not paid for by the new one.
    desk.arrived(task("t2"), 0, paid=False)
    desk.arrived(task("t3"), 0, paid=True)
    desk.ended("t2", result("t2"))
    assert desk.take(1).credits == {}
    desk.ended("t3", result("t3"))
    assert desk.take(1).credits == {"q": 1}


def test_renewals_count_from_their_sending() -> None:
    desk = desk_of("t1", at=0)
    assert desk.check_at() == 30
    desk.renew(10)
    desk.renew(20)
    assert [*desk.take(20).heartbeats] == ["t1"]
    assert desk.leased(lease("t1", "HELD")) is None
    assert desk.check_at() == 40
    assert desk.leased(lease("t1", "HELD")) is None
    assert desk.leased(lease("t1", "HELD")) is None
    assert desk.check_at() == 50
    assert desk.check(49) == []
    (cancel,) = desk.check(50)
    assert (cancel.token, cancel.cause) == ("t1", CancelCause.LEASE_LOST)
    assert (desk.check_at(), desk.check(60), desk.tokens()) == (NEVER, [], [])
    # It still takes its place, and what it returns is dropped.
    assert (desk.running, desk.wanted()) == (1, 0)
    assert desk.hello() == ([], {"q": 2})
    dropped = desk.ended("t1", result("t1"))
    assert dropped is not None
    assert dropped.cause is CancelCause.LEASE_LOST
    frame = desk.take(61)
    assert (frame.results, frame.credits, desk.running) == ({}, {"q": 1}, 0)


def test_hello_keeps_leases() -> None:
    desk = desk_of("t1", "t2", at=0)
    desk.disconnected()
    assert desk.hello() == (["t1", "t2"], {"q": 1})
    (cancel,) = desk.welcomed(25, ("t2", "unknown"))
    assert (cancel.token, cancel.cause) == ("t2", CancelCause.LEASE_LOST)
    assert (desk.tokens(), desk.check_at()) == (["t1"], 55)


def test_result_is_sent_again() -> None:
    desk = desk_of("t1")
    desk.ended("t1", result("t1"))
    assert "t1" in desk.take(0).results
    desk.disconnected()
    desk.hello()
    # That the lease has ended may be due to the very result: its answer tells.
    assert desk.welcomed(1, ("t1",)) == []
    assert "t1" in desk.take(1).results
    assert desk.leased(lease("t1", "LOST")) is None
    # It is not renewed while it is under way, and sent again if nothing is heard of it.
    desk.renew(2)
    assert not desk.take(2)
    assert desk.take_at() == 31
    assert "t1" in desk.take(31).results


def test_store_not_available() -> None:
    desk = desk_of("t1")
    desk.ended("t1", result("t1"))
    desk.take(0)
    busy = Ack(token="t1", reason="STORE_UNAVAILABLE", retryable=True)
    for number in range(1, 12):
        now = number * 100.0
        assert desk.acknowledged(busy, now) is None
        assert now <= desk.take_at() <= now + min(5.0, 0.1 * 2 ** (number - 1))
        # Its lease is kept meanwhile.
        desk.renew(now)
        assert "t1" in desk.take(now).heartbeats
        assert desk.unacknowledged == 1
        assert "t1" in desk.take(now + 5).results or number == 1
    assert desk.acknowledged(Ack(token="t1"), 2000) is None
    assert desk.unacknowledged == 0


def test_refusals() -> None:
    desk = desk_of("t1", "t2")
    for token in ("t1", "t2"):
        desk.ended(token, result(token))
    desk.take(0)
    lost = desk.acknowledged(Ack(token="t1", reason="TASK_LEASE_LOST", message="late"), 1)
    assert lost == ("t1", "TASK_LEASE_LOST", "late")
    refused = desk.acknowledged(Ack(token="t2", reason="PAYLOAD_TOO_LARGE"), 1)
    assert refused is not None
    desk.replace("t2", "smaller", refused=True)
    assert desk.take(2).results == {"t2": "smaller"}
    # The second refusal is the last.
    assert desk.acknowledged(Ack(token="t2", reason="INVALID_FIELD"), 3) is not None
    desk.replace("t2", "again", refused=True)
    assert (desk.unacknowledged, bool(desk.take(4))) == (0, False)


def test_cancel() -> None:
    desk = desk_of("t1", "t2")
    cancel = desk.leased(lease("t1", "CANCEL_REQUESTED", "enough"))
    assert cancel == ("t1", CancelCause.REQUESTED, "enough")
    assert desk.leased(lease("t1", "CANCEL_REQUESTED", "enough")) is None
    # The lease is held until it ends, and what it returns is not wanted.
    assert desk.tokens() == ["t1", "t2"]
    assert desk.ended("t1", result("t1")) == cancel
    desk.replace("t1", "cancelled")
    assert desk.take(1).results == {"t1": "cancelled"}
    # The server need not take even that.
    assert desk.acknowledged(Ack(token="t1", reason="TASK_LEASE_LOST"), 1) is None
    assert desk.unacknowledged == 0
    # One that has ended before is sent as it is.
    desk.ended("t2", "done")
    assert desk.leased(lease("t2", "CANCEL_REQUESTED")) is None
    assert desk.take(1).results == {"t2": "done"}
    assert desk.leased(lease("unknown", "LOST")) is None


def test_lost_after_a_cancel() -> None:
    desk = desk_of("t1")
    assert desk.leased(lease("t1", "CANCEL_REQUESTED")) is not None
    lost = desk.leased(lease("t1", "LOST", "grace is over"))
    assert lost == ("t1", CancelCause.LEASE_LOST, "grace is over")
    assert desk.ended("t1", result("t1")) == lost
    assert not desk.take(1).results


def test_deadline_that_the_server_tells_of() -> None:
    desk = desk_of("t1")
    ended = desk.leased(lease("t1", "LOST", "deadline"))
    assert ended == ("t1", CancelCause.DEADLINE, "deadline")
    assert desk.ended("t1", result("t1")) == ended
    assert not desk.take(1).results


def test_deadline_by_the_clock_of_the_server() -> None:
    # The lease lasts for 30 s, so that it was given at EPOCH; ours is years away.
    desk = desk_of(
        "t1",
        at=1000,
        lease_expire_time=EPOCH + timedelta(seconds=30),
        deadline=EPOCH + timedelta(seconds=12),
    )
    # One second later, so that the word of the server comes first.
    assert desk.check_at() == 1013
    (cancel,) = desk.check(1013)
    assert (cancel.token, cancel.cause) == ("t1", CancelCause.DEADLINE)
    assert desk.check(1014) == []
    # The server judges: what the function returns in time is a result.
    assert desk.ended("t1", result("t1")) is None
    assert "t1" in desk.take(1013).results


def test_heartbeats_are_throttled() -> None:
    desk = desk_of(heartbeat_timeout=None)
    said: list[Any] = []
    for token, timeout in [("t1", 6.0), ("t2", None)]:
        arrived = desk.arrived(task(token, heartbeat_timeout=timeout), 0, paid=True)
        assert arrived is not None
        arrived.take_said = lambda: said.pop() if said else None
    desk.take(0)
    for token, interval in [("t1", 2.0), ("t2", 10.0)]:
        said.append("first")
        desk.said(token)
        assert desk.take(100).heartbeats == {token: "first"}
        said.append("second")
        desk.said(token)
        desk.said(token)
        assert desk.take_at() == 100 + interval
        assert not desk.take(100 + interval - 0.1)
        assert desk.take(100 + interval).heartbeats == {token: "second"}
    # What waits goes with a renewal that comes earlier.
    said.append("third")
    desk.said("t2")
    desk.renew(111)
    assert desk.take(111).heartbeats == {"t1": "third", "t2": None}
    desk.said("unknown")
    assert desk.take_at() == NEVER
    # What was said last is said again over the next stream.
    desk.disconnected()
    desk.hello()
    desk.welcomed(112, ())
    assert desk.take(112).heartbeats == {"t1": "third", "t2": "second"}


def test_late_results() -> None:
    desk = desk_of("t1", "t2", at=0)
    desk.disconnected()
    assert desk.late_at(10) == NEVER
    desk.ended("t1", "one")
    assert (desk.late_at(10), desk.late(19, 10)) == (20, [])
    assert desk.late(20, 10) == [("t1", "one")]
    assert (desk.late_at(10), desk.late(21, 10)) == (NEVER, [])
    # The function of the other one lost its lease meanwhile.
    assert [c.token for c in desk.check(30)] == ["t2"]
    desk.acknowledged(Ack(token="t1", reason="no way", retryable=True), 31)
    assert desk.late(40, 10) == [("t1", "one")]


def test_drain() -> None:
    desk = desk_of("t1", "t2")
    desk.take(0)
    desk.draining = True
    assert desk.arrived(task("t3"), 0, paid=True) is None
    assert not desk.take(0)
    assert desk.hello() == (["t1", "t2"], {"q": 0})
    desk.ended("t1", "one")
    (cancel,) = desk.give_up("enough")
    assert (cancel.token, cancel.cause) == ("t2", CancelCause.SHUTDOWN)
    frame = desk.take(1)
    assert (frame.releases, [*frame.results], frame.credits) == (["t2"], ["t1"], {})
    assert (desk.wanted(), desk.unacknowledged, desk.give_up("again")) == (0, 1, [])
    assert desk.ended("t2", "two") == cancel


def test_large_results_go_in_parts() -> None:
    large = payloads_pb2.Payload(json="x" * (RESULTS_BYTES_MAX // 2 + 1))
    frame = Frame(accepts=["t0"], credits={"q": 2, "r": 1}, drain=True)
    for token in ("t1", "t2", "t3"):
        frame.results[token] = pb.TaskResult(token=token, result=large)
    sent = []
    while frame:
        sent.append(frame.take())
    assert [[r.token for r in part.results] for part in sent] == [["t1"], ["t2"], ["t3"]]
    assert [sum(c.count for c in part.credits) for part in sent] == [1, 1, 1]
    assert [list(part.accepts) for part in sent] == [["t0"], [], []]
    assert [part.HasField("drain") for part in sent] == [True, False, False]


def test_renewal_does_not_unsay() -> None:
    said = payloads_pb2.Payload(json="1")
    frame = Frame(heartbeats={"t1": said})
    frame.add(Frame(heartbeats={"t1": None, "t2": None}))
    assert frame.heartbeats == {"t1": said, "t2": None}
