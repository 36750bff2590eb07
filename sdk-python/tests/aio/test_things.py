"""Actions, environments, expressions and single runs against a scripted server."""

from __future__ import annotations

from typing import Any

import pytest

from autan import Client, ExecutionCancelled, ExecutionFailed, errors, models
from autan._proto.v1 import actions_pb2, environments_pb2, payloads_pb2, tasks_pb2, workflows_pb2
from autan._proto.v1 import executions_pb2 as pb
from fake import FakeServer
from messages import AT_ONCE, end, execution

DOCUMENT = "version: '2.0'"


def client_of(fake: FakeServer) -> Client:
    return Client(fake.address, project="p", retry=AT_ONCE)


async def test_actions(fake: FakeServer) -> None:
    greet = actions_pb2.Action(
        name="greet",
        kind="ACTION_KIND_ADHOC",
        revision=2,
        base="std.echo",
        input=[workflows_pb2.InputParameter(name="who", required=True)],
        etag="e2",
    )
    echo = actions_pb2.Action(name="std.echo", kind="ACTION_KIND_SYSTEM")
    fake.on("CreateAction", actions_pb2.CreateActionResponse(actions=[greet]))
    fake.on("UpdateAction", actions_pb2.UpdateActionResponse(actions=[greet]))
    fake.on("GetAction", actions_pb2.GetActionResponse(action=greet))
    fake.on("ListActions", actions_pb2.ListActionsResponse(actions=[echo, greet]))
    fake.on("ListActionRevisions", actions_pb2.ListActionRevisionsResponse(actions=[greet]))
    fake.on("DeleteAction", actions_pb2.DeleteActionResponse())
    fake.on("ValidateAction", actions_pb2.ValidateActionResponse(valid=True))
    async with client_of(fake) as client:
        created = await client.actions.create(DOCUMENT, namespace="n", allow_existing=True)
        await client.actions.update(DOCUMENT, etag="e1", validate_only=True)
        found = await client.actions.get("greet", revision=2)
        kinds = [a.kind.name async for a in client.actions.list(filter="tag = x")]
        adhoc = models.ActionKind.ADHOC
        _ = [a async for a in client.actions.list(kind=adhoc, namespace="n")]
        revisions = [a.revision async for a in client.actions.list_revisions("greet")]
        await client.actions.delete("greet", etag="e2", allow_missing=True)
        checked = await client.actions.validate(DOCUMENT, strict=True)
    assert created.actions == (found,)
    assert (found.base, found.input[0].name, found.etag) == ("std.echo", "who", "e2")
    assert (kinds, revisions, checked.valid) == (["SYSTEM", "ADHOC"], [2], True)
    sent = {method: requests[-1] for method, requests in fake.requests.items()}
    assert sent["CreateAction"].allow_existing
    assert sent["CreateAction"].namespace == "n"
    assert (sent["UpdateAction"].etag, sent["UpdateAction"].validate_only) == ("e1", True)
    assert [(r.kind, r.filter, r.HasField("namespace")) for r in fake.requests["ListActions"]] == [
        (0, "tag = x", False),
        (2, "", True),
    ]
    assert (sent["DeleteAction"].etag, sent["DeleteAction"].allow_missing) == ("e2", True)
    assert all(sent[m].request_id for m in ("CreateAction", "UpdateAction", "DeleteAction"))


async def test_environments(fake: FakeServer) -> None:
    prod = environments_pb2.Environment(
        name="prod", variables=payloads_pb2.Payload(json='{"region":"eu"}'), etag="e1"
    )
    fake.on("CreateEnvironment", environments_pb2.CreateEnvironmentResponse(environment=prod))
    fake.on("UpdateEnvironment", environments_pb2.UpdateEnvironmentResponse(environment=prod))
    fake.on("GetEnvironment", environments_pb2.GetEnvironmentResponse(environment=prod))
    fake.on("ListEnvironments", environments_pb2.ListEnvironmentsResponse(environments=[prod]))
    fake.on("DeleteEnvironment", environments_pb2.DeleteEnvironmentResponse())
    changes: list[tuple[dict[str, Any], list[str], str]] = [
        ({"description": ""}, ["description"], ""),
        ({"variables": {"a": 1}, "etag": "e1"}, ["variables"], '{"a":1}'),
        ({"set": {"a": 1}, "remove": ["b"]}, ["variables.a", "variables.b"], '{"a":1}'),
        ({"remove": ["b"]}, ["variables.b"], "{}"),
    ]
    async with client_of(fake) as client:
        await client.environments.create("prod", {"region": "eu"}, allow_existing=True)
        for change, _, _ in changes:
            await client.environments.update("prod", **change)
        with pytest.raises(ValueError, match="either variables"):
            await client.environments.update("prod", variables={}, remove=["a"])
        with pytest.raises(TypeError):
            await client.environments.update("prod", remove="a")
        found = await client.environments.get("prod")
        names = [e.name async for e in client.environments.list(filter="name = p*")]
        await client.environments.delete("prod", etag="e1", allow_missing=True)
    assert (found.variables, found.etag, names) == ({"region": "eu"}, "e1", ["prod"])
    (created,) = fake.requests["CreateEnvironment"]
    assert (created.variables.json, created.allow_existing) == ('{"region":"eu"}', True)
    updates = fake.requests["UpdateEnvironment"]
    assert [(list(r.update_mask.paths), r.variables.json) for r in updates] == [
        (paths, text) for _, paths, text in changes
    ]
    assert all(r.HasField("update_mask") for r in updates)
    assert updates[1].etag == "e1"


async def test_environment_of_a_start(fake: FakeServer) -> None:
    fake.on("StartExecution", pb.StartExecutionResponse(execution=execution(), started=True))
    async with client_of(fake) as client:
        await client.start("ship", environment="prod")
        await client.start("ship", env={"a": 1})
        with pytest.raises(ValueError, match="either environment"):
            await client.start("ship", environment="prod", env={})
    named, given = fake.requests["StartExecution"]
    assert named.environment_name == "prod"
    assert given.environment_variables.json == '{"a":1}'


EXPRESSION_ERROR = workflows_pb2.ExpressionError(
    message="no such function", offset=3, length=2, line=1, column=4, excerpt="x\n^"
)


async def test_evaluate(fake: FakeServer) -> None:
    fake.on(
        "EvaluateExpression",
        workflows_pb2.EvaluateExpressionResponse(value=payloads_pb2.Payload(json="3")),
        workflows_pb2.EvaluateExpressionResponse(error=EXPRESSION_ERROR),
    )
    async with client_of(fake) as client:
        language = models.ExpressionLanguage.YAQL
        assert (
            await client.evaluate("$.a + env().b", {"a": 1}, env={"b": 2}, language=language) == 3
        )
        with pytest.raises(errors.ExpressionError, match="no such function") as caught:
            await client.evaluate("<% f() %>")
    error = caught.value
    assert (error.syntax, error.offset, error.length, error.line, error.column) == (
        False,
        3,
        2,
        1,
        4,
    )
    assert str(error) == "1:4: no such function"
    asked, bare = fake.requests["EvaluateExpression"]
    assert (asked.context.json, asked.env.json, asked.language) == ('{"a":1}', '{"b":2}', 1)
    assert not bare.HasField("context")


def attempt(state: str, output: str) -> tasks_pb2.ActionExecution:
    return tasks_pb2.ActionExecution(
        action_execution_id="a1",
        state=f"ACTION_STATE_{state}",
        output=payloads_pb2.Payload(json=output),
    )


def ran(state: str, *, finished: bool, output: str = "null") -> actions_pb2.RunActionResponse:
    return actions_pb2.RunActionResponse(
        execution=execution(state, kind="EXECUTION_KIND_ACTION"),
        action_execution=attempt(state, output),
        finished=finished,
        started=True,
    )


async def test_run_finished_at_once(fake: FakeServer) -> None:
    fake.on(
        "RunAction",
        ran("SUCCESS", finished=True, output='{"n":1}'),
        ran("ERROR", finished=True, output='"why"'),
        ran("CANCELLED", finished=True),
    )
    async with client_of(fake) as client:
        run = await client.run_action(
            "std.echo", {"output": 1}, id="r1", environment="prod", discard=True
        )
        assert (run.id, run.started, run.finished) == ("e1", True, True)
        assert await run.result() == {"n": 1}
        failed = await client.run_action(
            "std.fail", wait=2, synchronous=True, timeout=1.5, target="gpu"
        )
        with pytest.raises(ExecutionFailed) as caught:
            await failed.result()
        assert caught.value.execution.output == "why"
        assert caught.value.execution.kind == models.ExecutionKind.ACTION
        cancelled = await client.run_action("std.noop", env={"a": 1})
        with pytest.raises(ExecutionCancelled):
            await cancelled.result()
    first, second, third = fake.requests["RunAction"]
    assert (first.action_name, first.input.json, first.save) == ("std.echo", '{"output":1}', False)
    assert (first.execution_id, first.environment_name) == ("r1", "prod")
    waits = [r.wait_timeout.ToNanoseconds() / 1e9 for r in (first, second, third)]
    assert waits == [10, 2, 0]
    assert (second.synchronous, second.save) == (True, True)
    assert (second.timeout.ToNanoseconds(), second.target) == (1_500_000_000, "gpu")
    assert (third.HasField("timeout"), third.target) == (False, "")
    assert third.environment_variables.json == '{"a":1}'


async def test_run_that_takes_longer(fake: FakeServer) -> None:
    fake.on("RunAction", ran("RUNNING", finished=False))
    fake.on("WatchExecution", [end(finished=execution("SUCCESS"))])
    listed = tasks_pb2.ListActionExecutionsResponse(action_executions=[attempt("SUCCESS", "null")])
    fake.on("ListActionExecutions", listed)
    done = tasks_pb2.GetActionExecutionResponse(action_execution=attempt("SUCCESS", "42"))
    fake.on("GetActionExecution", done)
    async with client_of(fake) as client:
        assert await (await client.run_action("std.async_noop")).result(int) == 42


async def test_chosen_payloads(fake: FakeServer) -> None:
    fake.on("GetExecution", pb.GetExecutionResponse(execution=execution()))
    fake.on("GetTaskExecution", tasks_pb2.GetTaskExecutionResponse())
    fake.on("GetActionExecution", tasks_pb2.GetActionExecutionResponse())
    async with client_of(fake) as client:
        await client.execution("e1").get(payloads=["input"])
        await client.executions.get("e1", payloads=["output", "params"])
        await client.executions.get("e1")
        await client.tasks.get("t1", payloads=["result"])
        await client.action_executions.get("a1", payloads=["input"])
        with pytest.raises(TypeError):
            await client.executions.get("e1", payloads="input")
    masks = [list(r.read_mask.paths) for r in fake.requests["GetExecution"]]
    assert masks == [["input"], ["output", "params"], []]
    assert list(fake.requests["GetTaskExecution"][0].read_mask.paths) == ["result"]
    assert list(fake.requests["GetActionExecution"][0].read_mask.paths) == ["input"]
