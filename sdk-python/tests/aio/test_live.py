"""The client against a real server, started for each test by `autan.testing`.

Without a binary these are skipped, loudly; in CI they fail.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from autan import (
    Client,
    ExecutionCancelled,
    ExecutionFailed,
    Fail,
    Task,
    Workbook,
    Workflow,
    errors,
    models,
)
from live import local_server

if TYPE_CHECKING:
    from pathlib import Path

ECHO = Workflow(
    "echo",
    input=["value"],
    output={"value": "<% $.value %>"},
    tasks=[Task("say", action="std.echo", input={"output": "<% $.value %>"})],
)
WAITING = Workflow("waiting", tasks=[Task("outside", action="std.async_noop")])
FAILING = Workflow("failing", tasks=[Task("end", on_success=Fail("on purpose"))])


@dataclasses.dataclass
class Echoed:
    value: int


async def action_of(client: Client, execution_id: str) -> models.ActionExecution:
    """Returns the action of the only task, once it has begun."""
    async for event in client.execution(execution_id).events():
        if isinstance(event.data, models.ActionStarted):
            return await client.action_executions.get(event.data.action_execution_id)
    raise AssertionError("the execution ended without an action")


async def test_result_and_history() -> None:
    async with local_server() as server, Client(server.address) as client:
        assert (await client.server_info()).version
        cluster = await client.cluster()
        assert [(s.state, s.answers) for s in cluster.servers] == [("LIVE", True)]
        await client.workflows.create(ECHO)
        run = await client.start("echo", Echoed(2**60 + 1), id="e1", labels={"team": "a"})
        again = await client.start("echo", Echoed(1), id="e1")
        assert (run.started, again.started) == (True, False)
        assert await run.result(Echoed, timeout=30) == Echoed(2**60 + 1)

        watched = [e.sequence async for e in run.events()]
        stored = [e.sequence async for e in run.history(page_size=2)]
        assert watched == stored == list(range(1, len(stored) + 1))
        later = [e.sequence async for e in run.events(after_sequence=2)]
        assert later == stored[2:]

        tasks = [t async for t in run.tasks(view=models.View.FULL)]
        assert [(t.task_name, t.state.name, t.result) for t in tasks] == [
            ("say", "SUCCESS", 2**60 + 1)
        ]
        found = [e.execution_id async for e in client.executions.list(filter='labels.team = "a"')]
        assert found == ["e1"]
        count = await client.executions.count(group_by=models.CountGroup.STATE)
        assert dict(count.groups) == {"SUCCESS": 1}


async def test_action_from_outside() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.workflows.create(WAITING)
        run = await client.start("waiting")
        action = await action_of(client, run.id)
        with pytest.raises(errors.DeadlineExceeded):
            await run.wait(timeout=0.1)
        await client.action_executions.complete(action.action_execution_id, {"done": True})
        assert (await run.wait(timeout=30)).state == models.ExecutionState.SUCCESS
        with pytest.raises(errors.WrongActionState):
            await client.action_executions.fail(action.action_execution_id, "late")


async def test_verbs() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.workflows.create(WAITING)
        run = await client.start("waiting")
        await action_of(client, run.id)
        assert (await run.pause(reason="lunch")).state == models.ExecutionState.PAUSED
        assert (await run.resume()).state == models.ExecutionState.RUNNING
        with pytest.raises(errors.WrongExecutionState):
            await run.delete()
        await run.cancel(reason="enough")
        with pytest.raises(ExecutionCancelled):
            await run.result(timeout=30)
        await run.delete()
        with pytest.raises(errors.ExecutionNotFound):
            await run.get()
        await run.delete(allow_missing=True)


async def test_failure_is_data() -> None:
    async with local_server() as server, Client(server.address) as client:
        await client.workflows.create(FAILING)
        run = await client.start("failing")
        with pytest.raises(ExecutionFailed, match="on purpose") as caught:
            await run.result(timeout=30)
        assert caught.value.execution.state == models.ExecutionState.ERROR


async def test_definitions() -> None:
    async with local_server() as server, Client(server.address) as client:
        first = (await client.workflows.create(ECHO)).workflows[0]
        assert (first.name, first.revision, first.task_names) == ("echo", 1, ("say",))
        assert [(p.name, p.required) for p in first.input] == [("value", True)]
        with pytest.raises(errors.WorkflowAlreadyExists):
            await client.workflows.create(ECHO)
        changed = dataclasses.replace(ECHO, description="Says it.")
        await client.workflows.update(changed, etag=first.etag)
        with pytest.raises(errors.EtagMismatch):
            await client.workflows.update(ECHO, etag=first.etag)
        revisions = [w.revision async for w in client.workflows.list_revisions("echo")]
        assert revisions == [2, 1]
        assert [w.name async for w in client.workflows.list()] == ["echo"]
        await client.workflows.delete("echo")
        with pytest.raises(errors.WorkflowNotFound):
            await client.workflows.get("echo")

        broken = json.dumps({"version": "2.0", "w": {"tasks": {"t": {"acton": "std.noop"}}}})
        checked = await client.workflows.validate(broken)
        assert not checked.valid
        assert checked.diagnostics[0].line >= 1
        with pytest.raises(errors.InvalidDefinition):
            await client.workflows.create(broken)
        with pytest.raises(errors.WorkflowNotFound):
            await client.start("missing")
        await client.workflows.create(ECHO)
        with pytest.raises(errors.InputMismatch):
            await client.start("echo", {"other": 1})


async def test_workbook() -> None:
    book = Workbook("book", workflows=[WAITING, ECHO])
    async with local_server() as server, Client(server.address) as client:
        applied = await client.workbooks.create(book)
        assert sorted(applied.workbook.workflow_names) == ["book.echo", "book.waiting"]
        run = await client.start("book.echo", {"value": "x"})
        assert await run.result(timeout=30) == {"value": "x"}


GREET = """
version: '2.0'
greet:
  base: std.echo
  base-input:
    output: "<% env().word %>, <% $.who %>!"
  input:
    - who
"""


async def test_actions_and_environments() -> None:
    async with local_server() as server, Client(server.address) as client:
        assert (await client.actions.validate(GREET)).valid
        (greet,) = (await client.actions.create(GREET)).actions
        assert (greet.kind.name, greet.base, greet.input[0].name) == ("ADHOC", "std.echo", "who")
        adhoc = models.ActionKind.ADHOC
        assert [a.name async for a in client.actions.list(kind=adhoc)] == ["greet"]
        assert (await client.actions.get("std.echo")).kind == models.ActionKind.SYSTEM
        with pytest.raises(errors.ActionIsSystem):
            await client.actions.delete("std.echo")

        first = await client.environments.create("polite", {"word": "Good day", "x": 1})
        changed = await client.environments.update(
            "polite", set={"word": "Hello"}, remove=["x"], etag=first.etag
        )
        assert changed.variables == {"word": "Hello"}
        with pytest.raises(errors.EtagMismatch):
            await client.environments.delete("polite", etag=first.etag)
        with pytest.raises(errors.EnvironmentAlreadyExists):
            await client.environments.create("polite", {})

        run = await client.run_action("greet", {"who": "Ada"}, environment="polite")
        assert await run.result(str, timeout=30) == "Hello, Ada!"
        assert (await run.get(payloads=["input"])).kind == models.ExecutionKind.ACTION
        brief = await client.run_action("std.echo", {"output": 1}, discard=True)
        assert await brief.result() == 1
        with pytest.raises(errors.ExecutionNotFound):
            await brief.get()
        with pytest.raises(errors.EnvironmentNotFound):
            await client.run_action("greet", {"who": "Ada"}, environment="rude")
        with pytest.raises(errors.ActionNotFound):
            await client.run_action("std.missing")
        with pytest.raises(ExecutionFailed):
            await (await client.run_action("std.fail")).result(timeout=30)


async def test_action_run_completed_from_outside() -> None:
    async with local_server() as server, Client(server.address) as client:
        run = await client.run_action("std.async_noop", id="r1")
        assert not run.finished
        action = await action_of(client, run.id)
        await client.action_executions.complete(action.action_execution_id, {"done": True})
        assert await run.result(timeout=30) == {"done": True}


async def test_expressions() -> None:
    async with local_server() as server, Client(server.address) as client:
        assert await client.evaluate("<% $.a + env().b %>", {"a": 1}, env={"b": 2}) == 3
        with pytest.raises(errors.ExpressionError) as caught:
            await client.evaluate("<% $.a + %>")
        assert (caught.value.syntax, caught.value.line) == (True, 1)


async def test_survives_a_crash(tmp_path: Path) -> None:
    async with local_server(data_dir=tmp_path) as server, Client(server.address) as client:
        await client.workflows.create(WAITING)
        await client.start("waiting", id="e1")
        action = await action_of(client, "e1")
        server.kill()
    async with local_server(data_dir=tmp_path) as server, Client(server.address) as client:
        await client.action_executions.complete(action.action_execution_id)
        finished = await client.execution("e1").wait(timeout=30)
        assert finished.state == models.ExecutionState.SUCCESS
