"""Addresses, headers, retries: what needs no server."""

from __future__ import annotations

import os
import re
import time
import uuid
from typing import Any

import pytest

from autan import RetryPolicy, TlsConfig, errors
from autan._core.call import new_request_id
from autan._core.identity import caller
from autan._transport.options import TransportOptions, parse_address
from autan._transport.retry import Attempts, RetryBudget
from autan.errors import Code

ADDRESSES = [
    ("localhost", False, "localhost:7233", False),
    ("localhost:1", False, "localhost:1", False),
    ("[::1]", False, "[::1]:7233", False),
    ("[::1]:1", True, "[::1]:1", True),
    ("http://h:1", False, "h:1", False),
    ("http://h/", False, "h:7233", False),
    ("https://h", False, "h:443", True),
    ("https://[::1]:5", False, "[::1]:5", True),
    ("unix:/run/autan.sock", False, "unix:/run/autan.sock", False),
    ("dns:///h:1", False, "dns:///h:1", False),
]


@pytest.mark.parametrize(("text", "tls", "address", "encrypted"), ADDRESSES)
def test_address(text: str, tls: bool, address: str, encrypted: bool) -> None:  # noqa: FBT001
    target = parse_address(text, tls)
    assert (target.address, target.tls is not None) == (address, encrypted)


@pytest.mark.parametrize(
    "text", ["", "a b", "http://", "http://h/path", "http://u@h", "https://h?q"]
)
def test_bad_address(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_address(text, tls=False)


def test_contradictions() -> None:
    with pytest.raises(ValueError, match="says http"):
        parse_address("http://h", tls=True)
    with pytest.raises(ValueError, match="together"):
        TlsConfig(private_key=b"k")
    with pytest.raises(ValueError, match="timeout"):
        TransportOptions(target=parse_address("h", tls=False), timeout=0)
    with pytest.raises(ValueError, match="attempts_max"):
        RetryPolicy(attempts_max=0)


def test_secrets_are_not_printed() -> None:
    tls = TlsConfig(certificate_chain=b"c", private_key=b"sesame")
    options = TransportOptions(target=parse_address("h", tls), token="sesame")
    assert "sesame" not in repr(options)


def test_headers() -> None:
    def headers(**options: Any) -> dict[str, str]:
        target = parse_address("h", tls=False)
        return dict(TransportOptions(target=target, **options).call_metadata())

    assert headers() == {}
    assert headers(project="eu-1", token="t", metadata={"X-Y": "z"}) == {
        "x-y": "z",
        "authorization": "Bearer t",
        "autan-project": "eu-1",
    }
    assert headers(project="größe") == {}
    assert headers(identity="the night shift") == {"autan-identity": "the night shift"}


def test_callers_name_themselves_in_printable_ascii() -> None:
    assert caller("the night shift") == "the night shift"
    assert re.fullmatch(rf"[ -~]+/{os.getpid()}", caller(None))
    for wrong in ("", "x" * 201, "a\tb", "zoë"):
        with pytest.raises(ValueError, match="printable ASCII"):
            caller(wrong)


def failure(*, retryable: bool = True, delay: float | None = None) -> errors.RpcError:
    error = errors.Unavailable("x", code=Code.UNAVAILABLE, retryable=retryable)
    error.retry_delay = delay
    return error


def test_backoff_doubles_up_to_its_bound() -> None:
    policy = RetryPolicy()
    bounds = [policy.backoff(n, lambda: 1.0) for n in (1, 2, 3, 6, 7, 1000)]
    assert bounds == [0.1, 0.2, 0.4, 3.2, 5.0, 5.0]


ATTEMPTS = [
    (failure(), 3),
    (failure(retryable=False), 0),
    (failure(delay=31), 0),
]


@pytest.mark.parametrize(("error", "retries"), ATTEMPTS)
def test_attempts(error: errors.RpcError, retries: int) -> None:
    attempts = Attempts(RetryPolicy(), RetryBudget())
    delays = [attempts.delay_after(error) for _ in range(5)]
    assert [d is not None for d in delays].count(True) == retries


def test_delay_of_the_server_is_kept() -> None:
    delay = Attempts(RetryPolicy(), RetryBudget()).delay_after(failure(delay=2))
    assert delay is not None
    assert 2 <= delay <= 2.1


def test_budget_runs_out_and_recovers() -> None:
    budget = RetryBudget()
    assert [budget.failed() for _ in range(50)].count(True) == 49
    for _ in range(20):
        budget.succeeded()
    assert budget.failed()
    assert not budget.failed()


def test_request_ids_begin_with_the_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_request_id())
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after
    assert new_request_id() != str(made)
