"""Unary calls against a scripted server: requests, answers, pages, retries, errors."""

from __future__ import annotations

import dataclasses
import json
import threading
from typing import Any

import pytest
from grpc import StatusCode

from autan import Client, RetryPolicy, Task, Workflow, errors, models
from autan._proto.v1 import (
    counts_pb2,
    deletion_pb2,
    payloads_pb2,
    system_pb2,
    tasks_pb2,
    workbooks_pb2,
    workflows_pb2,
)
from autan._proto.v1 import executions_pb2 as pb
from fake import FakeServer, Refusal
from messages import AT_ONCE, execution, info, retry_info

DOWN = Refusal(StatusCode.UNAVAILABLE, "down")
BUSY = Refusal(StatusCode.RESOURCE_EXHAUSTED, "busy", [info("OVERLOADED"), retry_info(0)])
STARTED = pb.StartExecutionResponse(execution=execution(execution_id="e1"), started=True)


@dataclasses.dataclass
class Order:
    order_id: int


def client_of(fake: FakeServer, **options: Any) -> Client:
    options.setdefault("retry", AT_ONCE)
    return Client(fake.address, project="p", **options)


async def test_start(fake: FakeServer) -> None:
    fake.on("StartExecution", STARTED)
    async with client_of(fake, token="t", metadata={"x-a": "b"}) as client:
        run = await client.start(
            "ship",
            Order(2**60 + 1),
            id="ship-1",
            namespace="n",
            revision=3,
            params={"task_name": "t"},
            env={"region": "eu"},
            labels={"team": "a"},
            on_conflict=models.IdConflictPolicy.FAIL,
        )
    assert (run.id, run.started) == ("e1", True)
    (request,) = fake.requests["StartExecution"]
    assert request.input.json == '{"order_id":1152921504606846977}'
    assert json.loads(request.params.json) == {"task_name": "t"}
    assert json.loads(request.environment_variables.json) == {"region": "eu"}
    assert request.id_conflict_policy == pb.ID_CONFLICT_POLICY_FAIL
    expected = ("p", "n", "ship", 3, "ship-1", {"team": "a"})
    found = (
        request.project,
        request.workflow_namespace,
        request.workflow_name,
        request.workflow_revision,
        request.execution_id,
        dict(request.labels),
    )
    assert found == expected
    sent = fake.headers[0]
    assert (sent["authorization"], sent["x-a"], sent["autan-project"]) == ("Bearer t", "b", "p")


RETRIED = [([DOWN, BUSY, DOWN, STARTED], 4), ([STARTED], 1)]


@pytest.mark.parametrize(("replies", "attempts"), RETRIED)
async def test_retries_carry_one_request_id(
    fake: FakeServer, replies: list[Any], attempts: int
) -> None:
    fake.on("StartExecution", *replies)
    async with client_of(fake) as client:
        await client.start("ship")
        await client.start("ship")
    ids = [r.request_id for r in fake.requests["StartExecution"]]
    assert len(set(ids[:attempts])) == 1
    assert ids[0]
    # Another call is another request.
    assert ids[attempts] != ids[0]


NOT_RETRIED = [
    (DOWN, 4, errors.Unavailable),
    (Refusal(StatusCode.RESOURCE_EXHAUSTED), 1, errors.ResourceExhausted),
    (Refusal(StatusCode.DEADLINE_EXCEEDED), 1, errors.DeadlineExceeded),
    (Refusal(StatusCode.ABORTED), 1, errors.Aborted),
    (Refusal(StatusCode.INTERNAL), 1, errors.Internal),
    (
        Refusal(StatusCode.INVALID_ARGUMENT, "x", [info("INPUT_MISMATCH", missing="a")]),
        1,
        errors.InputMismatch,
    ),
]


@pytest.mark.parametrize(("refusal", "attempts", "expected"), NOT_RETRIED)
async def test_errors(
    fake: FakeServer, refusal: Refusal, attempts: int, expected: type[errors.RpcError]
) -> None:
    fake.on("StartExecution", refusal)
    async with client_of(fake) as client:
        with pytest.raises(expected) as caught:
            await client.start("ship")
    assert type(caught.value) is expected
    assert len(fake.requests["StartExecution"]) == attempts


async def test_deadline_of_an_attempt(fake: FakeServer) -> None:
    gate = threading.Event()
    fake.on("GetServerInfo", lambda _: gate.wait(5))
    async with client_of(fake, timeout=0.05) as client:
        with pytest.raises(errors.DeadlineExceeded):
            await client.server_info()
    gate.set()


async def test_no_server() -> None:
    policy = RetryPolicy(attempts_max=2, backoff_initial=0)
    async with Client("127.0.0.1:1", retry=policy) as client:
        with pytest.raises(errors.Unavailable):
            await client.server_info()


async def test_closed_client(fake: FakeServer) -> None:
    client = client_of(fake)
    await client.close()
    with pytest.raises(errors.ClientClosed):
        await client.server_info()
    with pytest.raises(errors.ClientClosed):
        await client.execution("e1").wait()


async def test_client_of_another_process(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with client_of(fake) as client:
        monkeypatch.setattr("os.getpid", lambda: -1)
        with pytest.raises(errors.ClientClosed, match="after the fork"):
            await client.server_info()


async def test_pages(fake: FakeServer) -> None:
    def page(request: Any) -> pb.ListExecutionsResponse:
        # The second page is empty without being the last.
        names, token = {"": (["a", "b"], "1"), "1": ([], "2"), "2": (["c"], "")}[request.page_token]
        found = [execution(execution_id=n) for n in names]
        return pb.ListExecutionsResponse(executions=found, next_page_token=token)

    fake.on("ListExecutions", page)
    async with client_of(fake) as client:
        found = [e.execution_id async for e in client.executions.list(filter="x", page_size=2)]
    assert found == ["a", "b", "c"]
    requests = fake.requests["ListExecutions"]
    assert [(r.filter, r.page_size, r.page_token, r.project) for r in requests] == [
        ("x", 2, "", "p"),
        ("x", 2, "1", "p"),
        ("x", 2, "2", "p"),
    ]


async def test_verbs(fake: FakeServer) -> None:
    paused = execution("PAUSED")
    fake.on("PauseExecution", pb.PauseExecutionResponse(execution=paused))
    fake.on("ResumeExecution", pb.ResumeExecutionResponse(execution=execution()))
    fake.on("CancelExecution", pb.CancelExecutionResponse(execution=execution("CANCELLED")))
    fake.on("StopExecution", pb.StopExecutionResponse(execution=execution("ERROR")))
    fake.on("DeleteExecution", deletion_pb2.DeleteExecutionResponse())
    async with client_of(fake) as client:
        run = client.execution("e1")
        states = [
            (await run.pause(reason="why")).state.name,
            (await run.resume(env={"a": 1}, reason="why")).state.name,
            (await run.cancel(reason="why")).state.name,
            (await run.stop(models.ExecutionState.ERROR, reason="why")).state.name,
        ]
        await run.delete(force=True, allow_missing=True, reason="why")
    assert states == ["PAUSED", "RUNNING", "CANCELLED", "ERROR"]
    for method, sent in fake.requests.items():
        assert [(r.execution_id, r.reason, bool(r.request_id)) for r in sent] == [
            ("e1", "why", True)
        ], method
    assert fake.requests["ResumeExecution"][0].env.json == '{"a":1}'
    assert fake.requests["StopExecution"][0].outcome == 5
    assert fake.requests["DeleteExecution"][0].force


async def test_reading(fake: FakeServer) -> None:
    full = execution(
        "ERROR",
        input=payloads_pb2.Payload(json='{"n":9007199254740993}'),
        error=payloads_pb2.Failure(type="action_error", message="no"),
        labels={"a": "b"},
        progress=pb.Progress(total=2, error=1),
    )
    full.create_time.FromJsonString("2026-01-02T03:04:05.000006Z")
    fake.on("GetExecution", pb.GetExecutionResponse(execution=full))
    fake.on("CountExecutions", counts_pb2.CountExecutionsResponse(total=3, groups={"ERROR": 3}))
    fake.on("GetServerInfo", system_pb2.GetServerInfoResponse(version="1.2.3", limits={"a": 1}))
    fake.on(
        "GetTaskExecution",
        tasks_pb2.GetTaskExecutionResponse(
            task_execution=tasks_pb2.TaskExecution(task_name="t", state="TASK_STATE_SKIPPED")
        ),
    )
    async with client_of(fake) as client:
        found = await client.executions.get("e1", view=models.View.BASIC)
        count = await client.executions.count(group_by=models.CountGroup.STATE)
        server = await client.server_info()
        task = await client.tasks.get("t1")
    assert found.input == {"n": 9007199254740993}
    assert found.output is None
    assert found.error == models.Failure(type="action_error", message="no")
    assert (found.progress.total, dict(found.labels)) == (2, {"a": "b"})
    assert found.create_time is not None
    assert found.create_time.isoformat() == "2026-01-02T03:04:05.000006+00:00"
    assert fake.requests["GetExecution"][0].view == 1
    assert (count.total, dict(count.groups)) == (3, {"ERROR": 3})
    assert (server.version, dict(server.limits)) == ("1.2.3", {"a": 1})
    assert (task.task_name, task.state.name) == ("t", "SKIPPED")


async def test_actions(fake: FakeServer) -> None:
    done = tasks_pb2.ActionExecution(action_execution_id="a1", state="ACTION_STATE_SUCCESS")
    fake.on(
        "CompleteActionExecution",
        tasks_pb2.CompleteActionExecutionResponse(action_execution=done),
    )
    fake.on(
        "FailActionExecution",
        Refusal(StatusCode.FAILED_PRECONDITION, "done", [info("ACTION_STATE", state="SUCCESS")]),
    )
    fake.on("UpdateActionExecution", tasks_pb2.UpdateActionExecutionResponse(action_execution=done))
    fake.on(
        "ListActionExecutions", tasks_pb2.ListActionExecutionsResponse(action_executions=[done])
    )
    async with client_of(fake) as client:
        action = await client.action_executions.complete("a1", Order(1))
        with pytest.raises(errors.WrongActionState):
            await client.action_executions.fail("a1", "no")
        await client.action_executions.update("a1", models.ActionState.PAUSED)
        of_task = [a async for a in client.action_executions.list("t1")]
        of_run = [a async for a in client.execution("e1").actions()]
    assert action.state == models.ActionState.SUCCESS
    assert fake.requests["CompleteActionExecution"][0].result.json == '{"order_id":1}'
    assert fake.requests["FailActionExecution"][0].error.json == '"no"'
    assert len(of_task) == len(of_run) == 1
    parents = [r.WhichOneof("parent") for r in fake.requests["ListActionExecutions"]]
    assert parents == ["task_execution_id", "execution_id"]


async def test_workflows(fake: FakeServer) -> None:
    warning = workflows_pb2.Diagnostic(
        severity="SEVERITY_WARNING", rule="unused", message="x", line=2, column=3
    )
    one = workflows_pb2.Workflow(name="w", revision=1, etag="e")
    fake.on(
        "CreateWorkflow", workflows_pb2.CreateWorkflowResponse(workflows=[one], warnings=[warning])
    )
    fake.on("UpdateWorkflow", workflows_pb2.UpdateWorkflowResponse(workflows=[one]))
    fake.on("GetWorkflow", workflows_pb2.GetWorkflowResponse(workflow=one))
    fake.on("ListWorkflows", workflows_pb2.ListWorkflowsResponse(workflows=[one]))
    fake.on("ListWorkflowRevisions", workflows_pb2.ListWorkflowRevisionsResponse(workflows=[one]))
    fake.on("DeleteWorkflow", workflows_pb2.DeleteWorkflowResponse())
    fake.on("ValidateWorkflow", workflows_pb2.ValidateWorkflowResponse(diagnostics=[warning]))
    definition = Workflow("w", tasks=[Task("t")])
    async with client_of(fake) as client:
        created = await client.workflows.create(definition, namespace="n", allow_existing=True)
        await client.workflows.update("text", etag="e")
        assert (await client.workflows.get("w")).etag == "e"
        assert [w.name async for w in client.workflows.list()] == ["w"]
        assert [w.name async for w in client.workflows.list(namespace="")] == ["w"]
        assert [w.revision async for w in client.workflows.list_revisions("w")] == [1]
        await client.workflows.delete("w", force=True)
        checked = await client.workflows.validate("text", kind=models.DocumentKind.WORKBOOK)
    assert str(created.warnings[0]) == "2:3: warning: x [unused]"
    assert not checked.valid
    assert fake.requests["CreateWorkflow"][0].source == definition.to_yaml()
    assert fake.requests["UpdateWorkflow"][0].source == "text"
    # No namespace means all of them, the empty one means the default one.
    scoped = [r.HasField("namespace") for r in fake.requests["ListWorkflows"]]
    assert scoped == [False, True]
    assert fake.requests["ValidateWorkflow"][0].kind == 2


async def test_workbooks(fake: FakeServer) -> None:
    book = workbooks_pb2.Workbook(name="b", workflow_names=["b.w"])
    fake.on("CreateWorkbook", workbooks_pb2.CreateWorkbookResponse(workbook=book))
    fake.on("UpdateWorkbook", workbooks_pb2.UpdateWorkbookResponse(workbook=book))
    fake.on("GetWorkbook", workbooks_pb2.GetWorkbookResponse(workbook=book))
    fake.on("ListWorkbooks", workbooks_pb2.ListWorkbooksResponse(workbooks=[book]))
    fake.on("DeleteWorkbook", workbooks_pb2.DeleteWorkbookResponse())
    async with client_of(fake) as client:
        created = await client.workbooks.create("text", strict=True)
        await client.workbooks.update("text", etag="e")
        assert (await client.workbooks.get("b")).name == "b"
        assert [b.name async for b in client.workbooks.list()] == ["b"]
        await client.workbooks.delete("b", allow_missing=True)
    assert created.workbook.workflow_names == ("b.w",)
    assert all(r.request_id for r in fake.requests["CreateWorkbook"])


async def test_bad_arguments_never_reach_the_server(fake: FakeServer) -> None:
    async with client_of(fake) as client:
        with pytest.raises(errors.PayloadError, match="input: must be a JSON object"):
            await client.start("w", [1])
        with pytest.raises(TypeError, match="a document is"):
            await client.workflows.create(1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="has no value 42"):
            await client.execution("e").stop(models.ExecutionState(42))
    assert not fake.requests
