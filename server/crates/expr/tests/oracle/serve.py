# ruff: noqa: INP001
"""Answers questions, one JSON object a line, in the order they come.

A question is {"expr": text, "data": any}. An answer is {"value": canonical text},
{"error": text} or {"skip": why} where Python did not end in time. Time is what the processor
spent here, so a machine that is busy with other things skips no more than an idle one.
"""

import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import canonical

SECONDS = 0.2
BYTES = 1 << 30

# After so many seconds for one question the process ends: there are things in C, such as writing
# an integer of millions of digits, that nothing else interrupts.
HOPELESS = 10

# Integers have 65,536 bits at most; longer ones are errors here as they are there.
DIGITS = 20_000


class Late(BaseException):
    """The evaluation took too long. No `Exception`, so nothing catches it on the way."""


def late(*_: object) -> NoReturn:
    """Ends the evaluation under way, if one still is."""
    if WATCH.armed:
        raise Late


class Watch:
    """Ends what runs too long. It strikes again and again: what it raises may get lost."""

    armed = False

    def __enter__(self) -> None:
        """Starts it."""
        end = int(time.process_time()) + HOPELESS
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        self.armed = True
        signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS)

    def __exit__(self, *_: object) -> None:
        """Stops it."""
        self.armed = False
        signal.setitimer(signal.ITIMER_PROF, 0)


WATCH = Watch()


def serve(evaluate: Callable[[str, Any], Any]) -> None:
    """Reads questions from standard input until it ends."""
    sys.set_int_max_str_digits(DIGITS)
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    signal.signal(signal.SIGPROF, late)
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
        with WATCH:
            value = canonical.text(evaluate(question["expr"], question["data"]))
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
