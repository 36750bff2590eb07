"""Runs one scenario through the Python SDK.

Reads a case as JSON from stdin and prints one JSON object with what the SDK saw. Knows nothing of
what is expected: that is for the runner.
"""

from __future__ import annotations

import base64
import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import autan
from autan import errors, models

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# How long anything may take on a busy machine, in seconds.
PATIENCE = 60.0


class Run:
    """The executions of one case, by the names that its steps give them."""

    def __init__(self, client: autan.SyncClient, source: str) -> None:
        self.client = client
        self.source = source
        self.handles: dict[str, autan.SyncExecutionHandle] = {}
        # Where the last watch of many ended.
        self.token = ""

    def perform(self, step: dict[str, Any]) -> Any:
        """Makes one call and returns what is worth comparing of its answer."""
        try:
            return getattr(self, "do_" + step["do"])(step)
        except errors.AutanError as error:
            if not error.reason:
                raise
            return {"refused": error.reason}

    def handle(self, step: dict[str, Any]) -> autan.SyncExecutionHandle:
        return self.handles[step.get("of", "run")]

    def do_create(self, step: dict[str, Any]) -> Any:
        source = step.get("source", self.source)
        if step.get("kind") == "workbook":
            self.client.workbooks.create(source)
        elif step.get("kind") == "actions":
            self.client.actions.create(source)
        else:
            self.client.workflows.create(source)

    def do_create_environment(self, step: dict[str, Any]) -> Any:
        return self.client.environments.create(step["environment"], step["variables"]).variables

    def do_update_environment(self, step: dict[str, Any]) -> Any:
        change = {"set": step.get("set"), "remove": step.get("remove", ())}
        return self.client.environments.update(step["environment"], **change).variables

    def do_delete_environment(self, step: dict[str, Any]) -> Any:
        self.client.environments.delete(step["environment"])

    def do_run_action(self, step: dict[str, Any]) -> Any:
        run = self.client.run_action(
            step["action"], step.get("input"), environment=step.get("environment", "")
        )
        return result(run)

    def do_evaluate(self, step: dict[str, Any]) -> Any:
        try:
            return {"value": self.client.evaluate(step["expression"], step.get("context"))}
        except errors.ExpressionError as error:
            names = ("syntax", "offset", "length", "line", "column")
            return {"error": {name: getattr(error, name) for name in names}}

    def do_start(self, step: dict[str, Any]) -> Any:
        handle = self.client.start(
            step["workflow"],
            step.get("input"),
            id=step.get("id", ""),
            params=step.get("params"),
            environment=step.get("environment", ""),
            labels=step.get("labels"),
        )
        self.handles[step.get("as", "run")] = handle
        return {"started": handle.started}

    def do_child(self, step: dict[str, Any]) -> Any:
        def wanted(event: models.HistoryEvent) -> bool:
            data = event.data
            return isinstance(data, models.ChildStarted) and event.task_name == step["task"]

        data = find(self.handle(step), wanted).data
        assert isinstance(data, models.ChildStarted)
        self.handles[step["as"]] = self.client.execution(data.child_execution_id)

    def do_await(self, step: dict[str, Any]) -> Any:
        changes = (models.TaskCreated, models.TaskStateChanged, models.ExecutionStateChanged)

        def wanted(event: models.HistoryEvent) -> bool:
            return (
                isinstance(event.data, changes)
                and event.task_name == step.get("task", "")
                and event.data.state.name == step["state"]
            )

        find(self.handle(step), wanted)

    def action(self, step: dict[str, Any]) -> str:
        def wanted(event: models.HistoryEvent) -> bool:
            data = event.data
            return (
                isinstance(data, models.ActionStarted)
                and event.task_name == step["task"]
                and data.item_index == step.get("item", 0)
                and data.attempt == step.get("attempt", 1)
                and data.action_name == step.get("action", data.action_name)
            )

        data = find(self.handle(step), wanted).data
        assert isinstance(data, models.ActionStarted)
        return data.action_execution_id

    def do_complete(self, step: dict[str, Any]) -> Any:
        result = step.get("result")
        if "bytes" in step:
            metadata = step.get("metadata", {})
            result = models.Binary(step["bytes"].encode(), step["content_type"], metadata)
        self.client.action_executions.complete(self.action(step), result)

    def do_bytes(self, step: dict[str, Any]) -> Any:
        found = self.client.action_executions.get(self.action(step)).output
        assert isinstance(found, models.Binary)
        return {
            "bytes": found.data.decode(),
            "content_type": found.content_type,
            "metadata": dict(found.metadata),
        }

    def do_fail(self, step: dict[str, Any]) -> Any:
        self.client.action_executions.fail(self.action(step), step.get("error"))

    def do_cancel_action(self, step: dict[str, Any]) -> Any:
        self.client.action_executions.update(self.action(step), models.ActionState.CANCELLED)

    def do_pause(self, step: dict[str, Any]) -> Any:
        return {"state": self.handle(step).pause().state.name}

    def do_resume(self, step: dict[str, Any]) -> Any:
        return {"state": self.handle(step).resume(env=step.get("env")).state.name}

    def do_rerun(self, step: dict[str, Any]) -> Any:
        handle = self.handle(step)
        task = task_id(handle, step["task"]) if "task" in step else ""
        execution = handle.rerun(
            task=task,
            reset=step.get("reset", False),
            env=step.get("env"),
            input=step.get("input"),
        )
        return {"state": execution.state.name}

    def do_rollback(self, step: dict[str, Any]) -> Any:
        handle = self.handle(step)
        task = task_id(handle, step["task"]) if "task" in step else ""
        return {"state": handle.rollback(to_task=task).state.name}

    def do_skip(self, step: dict[str, Any]) -> Any:
        task = task_id(self.handle(step), step["task"])
        return {"state": self.client.tasks.skip(task, result=step.get("result")).state.name}

    def do_cancel(self, step: dict[str, Any]) -> Any:
        return {"state": self.handle(step).cancel().state.name}

    def do_terminate(self, step: dict[str, Any]) -> Any:
        found = self.handle(step).terminate(reason=step.get("reason", ""))
        assert found.error is not None
        return {"state": found.state.name, "info": found.state_info, "type": found.error.type}

    def do_drained(self, step: dict[str, Any]) -> Any:
        found = self.handle(step).wait_drained(timeout=PATIENCE)
        return {"state": found.state.name, "running": found.progress.running_actions}

    def do_restart(self, step: dict[str, Any]) -> Any:
        source = self.handle(step)
        handle = source.restart(
            id=step.get("id", ""), input=step.get("input"), labels=step.get("labels")
        )
        self.handles[step.get("as", "run")] = handle
        found = handle.get()
        repeats = found.source_execution_id == source.get().uid
        return {"repeats": repeats, "input": found.input, "labels": found.labels}

    def do_update(self, step: dict[str, Any]) -> Any:
        handle, etag = self.handle(step), step.get("etag", "")
        found = handle.update(
            labels=step.get("labels"),
            description=step.get("description"),
            env=step.get("env"),
            etag=handle.get().etag if etag == "current" else etag,
        )
        return {"labels": found.labels, "description": found.description}

    def do_retry(self, step: dict[str, Any]) -> Any:
        task = task_id(self.handle(step), step["task"])
        return {"state": self.client.tasks.retry(task).state.name}

    def do_stop(self, step: dict[str, Any]) -> Any:
        outcome = models.ExecutionState[step["outcome"]]
        return {"state": self.handle(step).stop(outcome).state.name}

    def do_wait(self, step: dict[str, Any]) -> Any:
        return {"state": self.handle(step).wait(timeout=PATIENCE).state.name}

    def do_result(self, step: dict[str, Any]) -> Any:
        return result(self.handle(step))

    def do_delete(self, step: dict[str, Any]) -> Any:
        self.handle(step).delete(reason=step.get("reason", ""), force=step.get("force", False))
        del self.handles[step.get("of", "run")]

    def do_batch(self, step: dict[str, Any]) -> Any:
        verb, which = VERBS[step["verb"]], which_of(step)
        begun = self.client.batches.start(verb, rate=step.get("rate", 1000), **which)
        found = self.client.batches.wait(begun.batch_id)
        assert self.client.batches.cancel(begun.batch_id) == found
        counts = {"done": found.done, "skipped": found.skipped, "failed": found.failed}
        return {"verb": found.verb, "state": found.state.name, **counts}

    def do_preview(self, step: dict[str, Any]) -> Any:
        found = self.client.batches.preview(VERBS[step["verb"]], **which_of(step))
        return {"matched": found.matched, "sample": sorted(found.sample)}

    def do_batches(self, step: dict[str, Any]) -> Any:
        return [batch.verb for batch in self.client.batches.list(page_size=step.get("page", 0))]

    def do_watch_all(self, step: dict[str, Any]) -> Any:
        token = self.token if step.get("resume") else ""
        watch = self.client.executions.watch(
            filter=step.get("filter", ""), resume_token=token, retained=True
        )
        with closing(watch) as changes:
            for change in changes:
                gone, found = change.deleted, change.execution
                if found:
                    seen = (found.execution_id, found.state.name)
                else:
                    seen = (gone.execution_id if gone else "", "DELETED")
                if seen == (step["id"], step["state"]):
                    self.token = change.resume_token
                    return {"seen": seen[0], **({"reason": gone.reason} if gone else {})}
        raise LookupError("the watch has ended")

    def do_watch_events(self, step: dict[str, Any]) -> Any:
        watch = self.client.executions.watch(
            filter=step.get("filter", ""),
            resume_token=self.token if step.get("resume") else "",
            retained=True,
            events=True,
            event_types=step.get("types", ()),
        )
        told: list[models.HistoryEvent] = []
        with closing(watch) as changes:
            for change in changes:
                found, event = change.execution, change.event
                if found is None or event is None or found.execution_id != step["id"]:
                    continue
                told.append(event)
                data = event.data
                is_change = isinstance(data, models.ExecutionStateChanged)
                if is_change and data.state.name == step["state"]:
                    self.token = change.resume_token
                    return lines(told)
        raise LookupError("the watch has ended")

    def do_explain(self, step: dict[str, Any]) -> Any:
        handle = self.handle(step)
        task = task_id(handle, step["task"]) if "task" in step else ""
        found = handle.explain(task_execution_id=task)
        return {"state": found.state.name, "causes": list(causes(found.causes, ""))}

    def do_callers(self, step: dict[str, Any]) -> Any:
        handle = self.handle(step)
        history = [f"{event.type} {event.identity}" for event in handle.history() if event.identity]
        paused = [cause.text for cause in handle.explain().causes if cause.kind == "paused"]
        return {"history": history, "paused": paused}

    def do_graph(self, step: dict[str, Any]) -> Any:
        found = self.handle(step).graph(errors_only=step.get("errors", False))
        assert found.root is not None
        counts = {name: found.statistics[name] for name in ("executions", "tasks")}
        return {"nodes": list(nodes(found.root, "")), **counts}

    def do_history(self, step: dict[str, Any]) -> Any:
        handle = self.handle(step)
        found = handle.history(
            after_sequence=step.get("after", 0),
            before_sequence=step.get("before", 0),
            event_types=step.get("types", ()),
            task_execution_id=task_id(handle, step["task"]) if "task" in step else "",
            descending=step.get("newest", False),
        )
        return lines(found)

    def do_list(self, step: dict[str, Any]) -> Any:
        found = self.client.executions.list(filter=step["filter"])
        return sorted(execution.execution_id for execution in found)

    def outcome(self) -> dict[str, Any]:
        """What became of the execution that the case is about."""
        handle = self.handles.get("run")
        if handle is None:
            return {}
        execution = handle.wait(timeout=PATIENCE)
        return {
            "state": execution.state.name,
            "output": execution.output,
            "tasks": [
                {"name": task.task_name, "state": task.state.name, "published": task.published}
                for task in handle.tasks(view=models.View.FULL)
            ],
            "history": lines(handle.history()),
            "watch": lines(handle.events()),
        }


def causes(found: Iterable[models.Cause], indent: str) -> Iterable[str]:
    """One line for each cause: the task, and the kind of the cause."""
    for cause in found:
        undo = "undo " if cause.undo else ""
        yield f"{indent}{undo}{cause.task_name or '.'} {cause.kind}"
        yield from causes(cause.causes, indent + "  ")


def nodes(execution: models.ExecutionNode, indent: str) -> Iterable[str]:
    """One line for each task: its name, state and the number of its actions."""
    for task in execution.tasks:
        undo = "undo " if task.undo_of else ""
        yield f"{indent}{undo}{task.task_name} {task.state.name} {len(task.actions)}"
        for child in task.children:
            yield from nodes(child, indent + "  ")


VERBS = {
    "pause": models.BatchPause(),
    "resume": models.BatchResume(env={}),
    "cancel": models.BatchCancel(),
    "terminate": models.BatchTerminate(),
    "rerun": models.BatchRerun(reset=True),
    "rollback": models.BatchRollback(),
    "delete": models.BatchDelete(force=True),
}


def which_of(step: dict[str, Any]) -> dict[str, Any]:
    """The executions that a batch is about."""
    return {"filter": step.get("filter", ""), "ids": step.get("ids", ())}


def task_id(handle: autan.SyncExecutionHandle, name: str) -> str:
    """The id of the latest execution of a task."""
    found = [task.task_execution_id for task in handle.tasks() if task.task_name == name]
    return found[-1]


def find(
    handle: autan.SyncExecutionHandle, wanted: Callable[[models.HistoryEvent], bool]
) -> models.HistoryEvent:
    """Follows the execution until something happens."""
    with closing(handle.events()) as events:
        for event in events:
            if wanted(event):
                return event
    raise LookupError("the execution ended before it happened")


def result(handle: autan.SyncExecutionHandle) -> dict[str, Any]:
    """How an execution, or a single action, ends."""
    try:
        return {"result": handle.result(timeout=PATIENCE)}
    except errors.ExecutionFailed as error:
        return {"failed": error.execution.output}
    except errors.ExecutionCancelled as error:
        return {"cancelled": error.execution.output}


def lines(events: Iterable[models.HistoryEvent]) -> list[str]:
    """Events as `task event detail`, without what differs from run to run."""
    return [
        " ".join(filter(None, [event.task_name or ".", event.type, detail(event.data)]))
        for event in events
    ]


def detail(data: Any) -> str:
    match data:
        case models.ExecutionStarted():
            return data.workflow_name
        case models.ExecutionStateChanged() | models.TaskStateChanged():
            return f"{data.previous_state.name} -> {data.state.name}"
        case models.TaskCreated():
            undo = ["undo"] if data.undo_of else []
            return " ".join([data.state.name, *undo, *data.triggered_by])
        case models.ActionStarted():
            return f"{data.action_name} item {data.item_index} attempt {data.attempt}"
        case models.ActionStateChanged():
            return data.state.name
        case models.VariablesPublished():
            return " ".join([*data.branch, *(f"global:{name}" for name in data.global_)])
        case models.TimerStarted() | models.TimerFired():
            return data.kind.name
        case models.ChildStarted():
            return f"{data.workflow_name} item {data.item_index}"
        case models.VerbApplied():
            return data.verb
        case models.EnvironmentChanged() | models.TaskInputChanged():
            return " ".join(data.names)
        case _:
            return ""


def main() -> None:
    case = json.load(sys.stdin)
    with autan.SyncClient(
        case["address"], project=case["project"], identity=case["identity"]
    ) as client:
        run = Run(client, case["source"])
        answers = [run.perform(step) for step in case["steps"]]
        json.dump({"answers": answers, **run.outcome()}, sys.stdout, default=form)


def form(value: object) -> object:
    """Bytes as the other languages show them within JSON."""
    assert isinstance(value, models.Binary)
    text = base64.b64encode(value.data).decode()
    return {
        "$binary": {
            "contentType": value.content_type,
            "base64": text,
            "metadata": dict(value.metadata),
        }
    }


if __name__ == "__main__":
    main()
