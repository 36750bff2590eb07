"""From inputs to arguments, and from exceptions to failures: actions without a server."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypedDict

import pydantic
import pytest

from autan import (
    ActionCancelled,
    ActionContext,
    CancelCause,
    Deferred,
    NonRetryable,
    PayloadError,
    RetryAfter,
    SyncClient,
    SyncWorker,
    action,
    models,
)
from autan._worker.actions import definition_of
from autan.testing import ActionTester

if TYPE_CHECKING:
    from collections.abc import Callable

    # A name that does not exist when the program runs.
    import autan as hidden


@dataclasses.dataclass
class Item:
    sku: str
    count: int = 1


class Reserve(TypedDict):
    sku: str
    count: int


class Model(pydantic.BaseModel):
    sku: str
    count: int = 1


def fields(sku: str, count: int = 1) -> list[Any]:
    return [sku, count]


def untyped(sku, count=1):  # type: ignore[no-untyped-def]
    return [sku, count]


def whole(item: Item) -> list[Any]:
    return [item.sku, item.count]


def typed_dict(reserve: Reserve) -> list[Any]:
    return [reserve["sku"], reserve["count"]]


def model(m: Model) -> list[Any]:
    return [m.sku, m.count]


def rest(sku: str, **more: Any) -> list[Any]:
    return [sku, more]


def positional(sku: str, count: int = 1, /) -> list[Any]:
    return [sku, count]


def with_context(sku: str, about: ActionContext) -> list[Any]:
    return [sku, about.attempt]


def hidden_context(sku: str, ctx: hidden.ActionContext) -> list[Any]:
    return [sku, ctx.attempt]


def optional_context(item: Item, ctx: ActionContext | None = None) -> list[Any]:
    return [item.sku, ctx is not None]


def nested(items: list[Item], at: datetime) -> list[Any]:
    return [items[0].count, at.year]


async def asynchronous(sku: str) -> str:
    await asyncio.sleep(0)
    return sku


class Stock:
    prefix = "x"

    @action("stock.method")
    def method(self, sku: str) -> str:
        return self.prefix + sku

    def __call__(self, sku: str) -> str:
        return self.prefix + sku


def nothing() -> None:
    pass


FITS: list[tuple[Callable[..., Any], dict[str, Any], Any]] = [
    (fields, {"sku": "a"}, ["a", 1]),
    (fields, {"sku": "a", "count": 2}, ["a", 2]),
    (untyped, {"sku": {"any": 1}}, [{"any": 1}, 1]),
    (whole, {"sku": "a"}, ["a", 1]),
    (typed_dict, {"sku": "a", "count": 2}, ["a", 2]),
    (model, {"sku": "a", "count": 3}, ["a", 3]),
    (rest, {"sku": "a", "b": 1, "c": None}, ["a", {"b": 1, "c": None}]),
    (positional, {"sku": "a"}, ["a", 1]),
    (with_context, {"sku": "a"}, ["a", 7]),
    (hidden_context, {"sku": "a"}, ["a", 7]),
    (optional_context, {"sku": "a"}, ["a", True]),
    (nested, {"items": [{"sku": "a", "count": 9}], "at": "2026-01-01T00:00:00Z"}, [9, 2026]),
    (asynchronous, {"sku": "a"}, "a"),
    (Stock(), {"sku": "a"}, "xa"),
    (functools.partial(fields, count=5), {"sku": "a"}, ["a", 5]),
    (nothing, {}, None),
]


@pytest.mark.parametrize(("function", "input", "expected"), FITS, ids=range(len(FITS)))
def test_input_fits(function: Callable[..., Any], input: dict[str, Any], expected: Any) -> None:
    tester = ActionTester(action("a")(function))
    outcome = tester.run(input, attempt=7)
    assert (outcome.output, outcome.failure, outcome.deferred) == (expected, None, False)


MISFITS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (fields, {}, "input.sku: is missing"),
    (fields, {"sku": 1}, "input.sku: expected str, got int"),
    (fields, {"sku": "a", "conut": 1}, "input.conut: the action has no such parameter"),
    (whole, {"sku": "a", "conut": 1}, "input.conut: the action has no such parameter"),
    (whole, {}, "input: Item needs the key 'sku'"),
    (whole, {"sku": "a", "count": "b"}, "input.count: expected int, got str"),
    (typed_dict, {"sku": "a"}, "input: Reserve needs the key 'count'"),
    (model, {}, "sku\n  Field required"),
    (nested, {"items": [{"sku": 1}], "at": ""}, "input.items[0].sku: expected str"),
    (with_context, {"sku": "a", "about": 1}, "input.about: the action has no such parameter"),
    (nothing, {"a": 1}, "input.a: the action has no such parameter"),
]


@pytest.mark.parametrize(("function", "input", "message"), MISFITS, ids=range(len(MISFITS)))
def test_input_does_not_fit(
    function: Callable[..., Any], input: dict[str, Any], message: str
) -> None:
    failed = ActionTester(action("a")(function)).run(input).failure
    assert failed is not None
    assert (failed.failure.type, failed.non_retryable) == ("InvalidInput", True)
    assert message in failed.failure.message


SPECS: list[tuple[Callable[..., Any], list[tuple[str, bool, Any]]]] = [
    (fields, [("sku", True, None), ("count", False, 1)]),
    (whole, [("sku", True, None), ("count", False, 1)]),
    (typed_dict, [("sku", True, None), ("count", True, None)]),
    (model, [("sku", True, None), ("count", False, 1)]),
    (with_context, [("sku", True, None)]),
    (hidden_context, [("sku", True, None)]),
    (nothing, []),
    (Stock().method, [("sku", True, None)]),
]


@pytest.mark.parametrize(("function", "expected"), SPECS, ids=range(len(SPECS)))
def test_parameters(function: Callable[..., Any], expected: list[tuple[str, bool, Any]]) -> None:
    made = definition_of(function if hasattr(function, "__self__") else action("a")(function))
    assert [(p.name, p.required, p.default_value) for p in made.spec.input] == expected


def test_method() -> None:
    assert ActionTester(Stock().method).run({"sku": "a"}).output == "xa"


def test_definition() -> None:
    @action("stock.reserve", start_to_close=timedelta(minutes=1), heartbeat=5)
    def documented(sku: str) -> None:
        """Reserves
        an item.

        Not said.
        """

    spec = definition_of(documented).spec
    assert (spec.name, spec.description) == ("stock.reserve", "Reserves an item.")
    assert (spec.start_to_close, spec.schedule_to_start, spec.heartbeat) == (60, None, 5)
    assert definition_of(action("b", description="Other.")(nothing)).spec.description == "Other."


BAD_ACTIONS: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: action("")(nothing), ValueError, "1 to 255 bytes"),
    (lambda: action("x" * 256)(nothing), ValueError, "1 to 255 bytes"),
    (lambda: action("std.echo")(nothing), ValueError, "are the server's"),
    (lambda: action("a", start_to_close=0)(nothing), ValueError, "start_to_close: must be more"),
    (lambda: action("a", heartbeat=timedelta(-1))(nothing), ValueError, "heartbeat"),
    (lambda: SyncWorker(SyncClient(), actions=[print]), TypeError, "decorate it with @action"),
    (lambda: ActionTester(print), TypeError, "decorate it with @action"),
    (lambda: SyncWorker(SyncClient(), actions=[Stock.method] * 2), ValueError, "two actions"),
    (lambda: SyncWorker(SyncClient(), max_tasks=0), ValueError, "max_tasks"),
    (lambda: SyncWorker(SyncClient(), drain_timeout=-1), ValueError, "drain_timeout"),
    (lambda: SyncWorker(SyncClient()).run(), ValueError, "provides no actions"),
    (lambda: SyncWorker(SyncClient()).stop(), RuntimeError, "was not started"),
    (lambda: SyncWorker(SyncClient()).health(), RuntimeError, "was not started"),
]


@pytest.mark.parametrize(("make", "kind", "message"), BAD_ACTIONS, ids=range(len(BAD_ACTIONS)))
def test_bad_action(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        make()


def test_context_cannot_be_positional_only() -> None:
    def function(ctx: ActionContext, /) -> None: ...

    with pytest.raises(TypeError, match="positional-only"):
        action("a")(function)


# Results


def test_results() -> None:
    @action("a")
    def function(kind: str, ctx: ActionContext) -> object:
        kinds: dict[str, object] = {
            "dataclass": Item("a"),
            "set": {1},
            "object": object(),
            "keys": {1: 2},
            "defer": ctx.defer(),
        }
        return kinds[kind]

    tester = ActionTester(function)
    assert tester.run({"kind": "dataclass"}).output == {"sku": "a", "count": 1}
    assert tester.run({"kind": "set"}).output == [1]
    assert tester.run({"kind": "defer"}).deferred
    assert isinstance(Deferred(), Deferred)
    for kind, message in [("object", "object cannot be sent"), ("keys", "keys must be strings")]:
        failed = tester.run({"kind": kind}).failure
        assert failed is not None
        assert (failed.failure.type, failed.non_retryable) == ("InvalidOutput", True)
        assert message in failed.failure.message


# Failures


class OuterError(Exception):
    pass


class InnerError(Exception):
    pass


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


def caused() -> None:
    try:
        raising(InnerError("inner"))()
    except InnerError as error:
        raise OuterError("outer") from error


def in_context() -> None:
    try:
        raising(InnerError("inner"))()
    except InnerError:
        raise OuterError("outer")  # noqa: B904 - the context is what is tested.


def suppressed() -> None:
    try:
        raising(InnerError("inner"))()
    except InnerError:
        raise OuterError("outer") from None


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def circle() -> None:
    first, second = OuterError("outer"), InnerError("inner")
    first.__cause__, second.__cause__ = second, first
    raise first


FAILURES: list[tuple[Callable[[], Any], dict[str, Any]]] = [
    (raising(ValueError("no")), {"type": "ValueError", "message": "no"}),
    (raising(SystemExit(3)), {"type": "SystemExit", "message": "3"}),
    (raising(KeyboardInterrupt()), {"type": "KeyboardInterrupt", "message": ""}),
    (raising(asyncio.CancelledError()), {"type": "CancelledError"}),
    (raising(UnprintableError()), {"type": "UnprintableError", "message": "(no message"}),
    (caused, {"type": "OuterError", "message": "outer", "causes": ["InnerError"]}),
    (in_context, {"type": "OuterError", "causes": ["InnerError"]}),
    (suppressed, {"type": "OuterError", "causes": []}),
    (circle, {"type": "OuterError", "causes": ["InnerError"]}),
    (
        raising(NonRetryable("never", details={"a": 1})),
        {"type": "NonRetryable", "message": "never", "details": {"a": 1}, "non_retryable": True},
    ),
    (
        raising(NonRetryable(OuterError("never"), type="Bad")),
        {"type": "Bad", "message": "never", "non_retryable": True},
    ),
    (
        raising(RetryAfter(2.5, InnerError("busy"))),
        {"type": "InnerError", "message": "busy", "retry_after": 2.5},
    ),
    (
        raising(RetryAfter(timedelta(minutes=1))),
        {"type": "RetryAfter", "message": "to be tried again after 60 s", "retry_after": 60},
    ),
    (
        raising(NonRetryable("x", details=object())),
        {"type": "NonRetryable", "details": None, "non_retryable": True},
    ),
]


@pytest.mark.parametrize(("function", "expected"), FAILURES, ids=range(len(FAILURES)))
def test_failures(function: Callable[..., Any], expected: dict[str, Any]) -> None:
    failed = ActionTester(action("a")(function)).run().failure
    assert failed is not None
    failure = failed.failure
    causes = []
    cause = failure.cause
    while cause is not None:
        causes.append(cause.type)
        cause = cause.cause
    assert failure.message.startswith(expected.get("message", ""))
    assert causes == expected.get("causes", [])
    assert (failure.type, failure.details) == (expected["type"], expected.get("details"))
    retry = (expected.get("non_retryable", False), expected.get("retry_after"))
    assert (failed.non_retryable, failed.retry_after) == retry
    # It begins in the program, not in how it is called.
    assert "test_worker_inputs.py" in failure.stack.splitlines()[0]
    assert "calls.py" not in failure.stack


def test_async_function_that_fails() -> None:
    @action("a")
    async def function(kind: str) -> None:
        await asyncio.sleep(0)
        raise {"exit": SystemExit(1), "cancel": asyncio.CancelledError()}[kind]

    for kind, expected in [("exit", "SystemExit"), ("cancel", "CancelledError")]:
        failed = ActionTester(function).run({"kind": kind}).failure
        assert failed is not None
        assert failed.failure.type == expected


def test_failures_are_bounded() -> None:
    def deep(left: int) -> None:
        # Two names, so that the traceback does not fold them.
        if left:
            deeper(left - 1)
        raise OuterError("ä" * 5000)

    def deeper(left: int) -> None:
        deep(left)

    def chained(left: int) -> None:
        try:
            if left:
                chained(left - 1)
            else:
                deep(200)
        except OuterError as error:
            raise OuterError("again") from error

    failed = ActionTester(action("a")(lambda: chained(20))).run().failure
    assert failed is not None
    chain = []
    each: models.Failure | None = failed.failure
    while each is not None:
        chain.append(each)
        each = each.cause
    assert len(chain) == 9

    failed = ActionTester(action("a")(lambda: deep(200))).run().failure
    assert failed is not None
    assert len(failed.failure.message.encode()) <= 4096
    assert failed.failure.message.endswith("…")
    assert 10_000 < len(failed.failure.stack.encode()) <= 16_384
    assert "… cut …" in failed.failure.stack


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf")])
def test_bad_delay(delay: float) -> None:
    with pytest.raises(ValueError, match="delay"):
        RetryAfter(delay)


# The context


def test_context() -> None:
    @action("stock.reserve", heartbeat=9)
    def function(ctx: ActionContext) -> object:
        ctx.heartbeat({"step": 1})
        ctx.heartbeat()
        ctx.check()
        return [
            ctx.action,
            ctx.attempt,
            ctx.delivery,
            ctx.idempotency_key,
            ctx.progress,
            ctx.heartbeat_timeout,
            ctx.deadline,
            ctx.time_left,
            ctx.cancelled,
            ctx.cancel_cause,
        ]

    outcome = ActionTester(function).run(
        attempt=2,
        delivery=3,
        idempotency_key="k",
        progress={"step": 0},
        deadline=datetime(2026, 1, 1, tzinfo=timezone.utc),
    )
    expected = ["stock.reserve", 2, 3, "k", {"step": 0}, 9, "2026-01-01T00:00:00+00:00"]
    assert outcome.output == [*expected, None, False, None]
    assert outcome.heartbeats == ({"step": 1}, {"step": 1})


def test_heartbeat_repeats_what_an_earlier_attempt_said() -> None:
    @action("a")
    def function(ctx: ActionContext) -> None:
        ctx.heartbeat()

    assert ActionTester(function).run(progress={"step": 5}).heartbeats == ({"step": 5},)
    assert ActionTester(function).run().heartbeats == (None,)


@pytest.mark.parametrize("progress", ["x" * 70_000, object()])
def test_bad_progress(progress: object) -> None:
    @action("a")
    def function(ctx: ActionContext) -> None:
        with pytest.raises(PayloadError, match="progress"):
            ctx.heartbeat(progress)

    outcome = ActionTester(function).run()
    assert (outcome.failure, outcome.heartbeats) == (None, ())


def test_logger(caplog: pytest.LogCaptureFixture) -> None:
    @action("stock.reserve")
    def function(ctx: ActionContext) -> None:
        ctx.logger.warning("about %d%%", 50, extra={"mine": 1})

    ActionTester(function).run()
    (record,) = [r for r in caplog.records if r.name == "autan.action.stock.reserve"]
    assert record.getMessage() == "about 50% [execution=test task=test]"
    assert (vars(record)["execution_uid"], vars(record)["mine"]) == ("test", 1)


# Cancellation


def test_cancelled_in_the_middle() -> None:
    @action("a")
    def function(ctx: ActionContext) -> None:
        ctx.heartbeat(1)
        assert ctx.wait_cancelled(30)
        ctx.check()

    tester = ActionTester(function)
    outcome = tester.run(on_heartbeat=lambda _: tester.cancel(reason="enough"))
    assert outcome.failure is not None
    failure = outcome.failure.failure
    assert (failure.type, failure.message, failure.cause) == (
        "Cancelled",
        "cancelled: enough",
        None,
    )


def test_success_after_a_cancellation_is_none() -> None:
    @action("a")
    def function(ctx: ActionContext) -> str:
        return f"{ctx.cancelled}"

    outcome = ActionTester(function).run(cancel=CancelCause.REQUESTED)
    assert outcome.output is None
    assert outcome.failure is not None
    assert outcome.failure.failure.type == "Cancelled"


def test_failure_after_a_cancellation_is_its_cause() -> None:
    @action("a")
    def function() -> None:
        raise OuterError("while cleaning up")

    failed = ActionTester(function).run(cancel=CancelCause.REQUESTED).failure
    assert failed is not None
    assert failed.failure.type == "Cancelled"
    assert failed.failure.cause is not None
    assert failed.failure.cause.message == "while cleaning up"


def test_own_cancellation_error_is_a_failure() -> None:
    failed = ActionTester(action("a")(raising(ActionCancelled("mine")))).run().failure
    assert failed is not None
    assert failed.failure.type == "ActionCancelled"


async def test_async_function_is_interrupted() -> None:
    cleaned = asyncio.Event()

    @action("a")
    async def function(ctx: ActionContext) -> None:
        try:
            ctx.heartbeat(1)
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    tester = ActionTester(function)
    outcome = await tester.run_async(on_heartbeat=lambda _: tester.cancel(CancelCause.DEADLINE))
    assert cleaned.is_set()
    assert outcome.failure is not None
    assert outcome.failure.failure.type == "Timeout"

    cleaned.clear()
    await tester.run_async(cancel=CancelCause.REQUESTED)
    assert cleaned.is_set()


async def test_plain_function_in_an_async_test() -> None:
    main = threading.get_ident()

    @action("a")
    def function() -> bool:
        return threading.get_ident() == main

    assert (await ActionTester(function).run_async()).output is False
