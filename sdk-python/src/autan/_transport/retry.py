"""When a failed call is tried again, and after how long."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from autan.errors import RpcError

RETRY_DELAY_MAX = 30.0
"""Longest wait, in seconds, that a server may ask for without the error being raised instead."""


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How calls are retried and watches are resumed.

    Only what is safe is retried: UNAVAILABLE, and RESOURCE_EXHAUSTED if the server says when to
    come back. Every change carries a request id, so an attempt whose answer was lost is not applied
    twice. A deadline that passed is never retried by itself.

    Attributes:
        attempts_max: Attempts of a call, the first one included; 1 = no retries.
        backoff_initial: Bound of the wait before the second attempt, in seconds. The wait is drawn
            evenly between 0 and the bound ("full jitter"); the bound doubles each time.
        backoff_max: Greatest bound, in seconds.
        resume_for: How long a watch tries to come back without hearing anything from the server,
            in seconds, before the last error is raised.
    """

    attempts_max: int = 4
    backoff_initial: float = 0.1
    backoff_max: float = 5.0
    resume_for: float = 300.0

    def __post_init__(self) -> None:
        if self.attempts_max < 1:
            raise ValueError(f"attempts_max must be at least 1, not {self.attempts_max}")
        if self.backoff_initial < 0 or self.backoff_max < 0 or self.resume_for < 0:
            raise ValueError("backoff_initial, backoff_max and resume_for must not be negative")

    def backoff(self, failures: int, draw: Callable[[], float] = random.random) -> float:
        """Returns the wait in seconds after the given number of failures in a row, from 1."""
        # The exponent is bounded, for a watch may fail very often before it gives up.
        bound = min(self.backoff_max, self.backoff_initial * 2.0 ** min(failures - 1, 32))
        return draw() * bound


class RetryBudget:
    """Keeps retries a small part of all calls, so that they cannot bring a weak server down.

    Works as the retry throttling of gRPC: a failure costs one token of 100, a success gives a tenth
    back, and there are no retries while half of the tokens or less are left. Safe between threads.
    """

    # In tenths of a token, which add up exactly.
    TENTHS_MAX = 1000
    TENTHS_PER_FAILURE = 10
    TENTHS_PER_SUCCESS = 1

    def __init__(self) -> None:
        self._tenths = self.TENTHS_MAX
        self._lock = threading.Lock()

    def succeeded(self) -> None:
        """Takes note of a call that worked."""
        with self._lock:
            self._tenths = min(self.TENTHS_MAX, self._tenths + self.TENTHS_PER_SUCCESS)

    def failed(self) -> bool:
        """Takes note of a call that may be retried; returns whether it is worth it."""
        with self._lock:
            self._tenths = max(0, self._tenths - self.TENTHS_PER_FAILURE)
            return self._tenths > self.TENTHS_MAX / 2


class Attempts:
    """The attempts of one call."""

    def __init__(self, policy: RetryPolicy, budget: RetryBudget) -> None:
        self._policy = policy
        self._budget = budget
        self._failures = 0

    def delay_after(self, error: RpcError) -> float | None:
        """Returns how many seconds to wait before the next attempt; None = give up."""
        self._failures += 1
        if not error.retryable or not self._budget.failed():
            return None
        if self._failures >= self._policy.attempts_max:
            return None
        asked = error.retry_delay or 0.0
        if asked > RETRY_DELAY_MAX:
            return None
        # Jitter comes on top of what was asked for, or all refused clients came back at once.
        return asked + self._policy.backoff(self._failures)
