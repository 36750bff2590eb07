"""The worker of the scenarios as a process: signals, crashes, and what its actions give."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from worker_server import PATIENCE, Session, WorkerServer, task

PROGRAM = Path(__file__).resolve().parents[2] / "tests" / "workers" / "python" / "worker.py"


@contextmanager
def program(server: WorkerServer, *args: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(PROGRAM), "--server", server.address, *args]
    source = str(Path(__file__).resolve().parents[1] / "src")
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": source, **env}
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def begun(server: WorkerServer, process: subprocess.Popen[str]) -> Session:
    session = server.session().welcome()
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return session


GIVES: list[tuple[str, str, dict[str, Any], str]] = [
    ("test.echo", '{"value": {"a": [1, null]}}', {}, '{"a":[1,null]}'),
    ("test.add", '{"a": 9007199254740993, "b": 1}', {}, "9007199254740994"),
    ("test.sum_list", '{"items": [1, 2.5]}', {}, "3.5"),
    ("test.fail_n_times", '{"n": 1}', {"attempt": 1}, "Flaky: flaky"),
    ("test.fail_n_times", '{"n": 1}', {"attempt": 2}, '{"attempt":2}'),
    ("test.non_retryable", '{"message": "no"}', {}, "NonRetryable: no"),
    ("test.retry_after", '{"seconds": 1}', {"attempt": 1}, "RetryAfter: not yet"),
    ("test.retry_after", '{"seconds": 1}', {"attempt": 2}, "2"),
    ("test.slow", '{"seconds": 0.02, "heartbeat_every": 0.01}', {}, '{"steps":2,"earlier":null}'),
    ("test.block", f'{{"file": "{__file__}"}}', {}, '"\\"\\"\\"The worker'),
    ("test.big", '{"bytes": 3}', {}, '"xxx"'),
    ("test.raise_with_cause", "{}", {}, "Outer: outer: Inner: inner"),
    ("test.deferred", "{}", {}, "deferred"),
    ("test.context", "{}", {}, '{"project":"","execution_uid":"e1","workflow_name":"",'),
    ("test.die", "{}", {"delivery": 2}, '{"delivery":2}'),
]


def test_actions(server: WorkerServer) -> None:
    with program(server) as process:
        session = begun(server, process)
        for number, (name, input, fields, expected) in enumerate(GIVES):
            token = f"t{number}"
            session.deal(task(token, name, input, **fields))
            found = session.result(token)
            text = "deferred" if found.HasField("deferred") else found.result.json
            failure = found.failure.failure
            if found.HasField("failure"):
                text = f"{failure.type}: {failure.message}"
                if failure.HasField("cause"):
                    text += f": {failure.cause.type}: {failure.cause.message}"
            assert text.startswith(expected), name
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        assert (session.drained, session.half_closed) == (True, True)


def test_cancelled(server: WorkerServer, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with program(server, "--drain-timeout", "0", AUTAN_TEST_LOG=str(log)) as process:
        session = begun(server, process)
        session.deal(task("t1", "test.until_cancelled"), task("t2", "test.until_cancelled"))
        session.until(lambda s: len(s.accepts) == 2)
        # A function that has not begun is not told: the loop takes them in order.
        session.deal(task("t3", "test.slow", '{"seconds": 0.01, "heartbeat_every": 0.01}'))
        session.result("t3")
        session.lease("t1", "CANCEL_REQUESTED")
        session.result("t1")
        # The other one is given back when the worker stops, which is no cancellation.
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        session.until(lambda s: s.releases == ["t2"])
    assert log.read_text(encoding="utf-8") == "cancelled k-t1\n"


def test_death(server: WorkerServer) -> None:
    with program(server) as process:
        session = begun(server, process)
        session.deal(task("t1", "test.die"))
        assert process.wait(PATIENCE) == 9
        session.until(lambda s: s.over)
        assert not session.drained


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_second_signal(server: WorkerServer, number: signal.Signals, tmp_path: Path) -> None:
    with program(server) as process:
        session = begun(server, process)
        missing = tmp_path / "never"
        session.deal(task("t1", "test.block", f'{{"file": "{missing}"}}'))
        session.until(lambda s: s.accepts)
        process.send_signal(number)
        session.until(lambda s: s.drained)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
        assert not session.results
