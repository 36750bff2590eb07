# ruff: noqa: INP001
"""Answers questions, one JSON object a line, in the order they come.

A question is {"expr": text, "data": any}. An answer is {"value": canonical text},
{"error": text} or {"skip": why} where Python did not end in time.
"""

import json
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import canonical

SECONDS = 0.2
BYTES = 4 << 30


class Late(BaseException):
    """The evaluation took too long. No `Exception`, so nothing catches it on the way."""


def late(*_: object) -> NoReturn:
    """Ends the evaluation under way."""
    raise Late


def serve(evaluate: Callable[[str, Any], Any]) -> None:
    """Reads questions from standard input until it ends."""
    sys.set_int_max_str_digits(0)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGALRM, late)
    for line in sys.stdin:
        question = json.loads(line)
        say(answer(evaluate, question))
    sys.stdout.flush()


def say(line: object) -> None:
    """Writes one line of JSON."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


def answer(evaluate: Callable[[str, Any], Any], question: dict[str, Any]) -> dict[str, str]:
    """The answer to one question."""
    try:
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            value = canonical.text(evaluate(question["expr"], question["data"]))
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        value.encode()
    except Late:
        return {"skip": "time"}
    except MemoryError:
        return {"skip": "memory"}
    except UnicodeEncodeError:
        return {"skip": "surrogates"}
    except Exception as error:  # noqa: BLE001
        return {"error": f"{type(error).__name__}: {str(error)[:200]}"}
    return {"value": value}
