"""Calls that look into an execution: what it waits for, and its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict

from autan import models
from autan._core import decode
from autan._core.call import Call, Scope, method
from autan._proto.v1 import explain_pb2, graph_pb2

if TYPE_CHECKING:
    from autan._core.call import Method

_SERVICE = "ExecutionService"
_EXPLAIN: Method[Any] = method(_SERVICE, explain_pb2.ExplainExecutionResponse)
_GRAPH: Method[Any] = method(_SERVICE, graph_pb2.GetExecutionGraphResponse)

_PREFIXES = ("EXECUTION_STATE_", "TASK_STATE_", "ACTION_STATE_", "ACTION_RUNNER_", "TIMER_KIND_")


def explain(
    scope: Scope, execution_id: str, *, task_execution_id: str, max_depth: int, max_causes: int
) -> Call[models.Explanation]:
    """ExplainExecution."""
    request = explain_pb2.ExplainExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        task_execution_id=task_execution_id,
        max_depth=max_depth,
        max_causes=max_causes,
    )
    return Call(_EXPLAIN, request, _explanation)


def graph(
    scope: Scope,
    execution_id: str,
    *,
    max_depth: int,
    max_nodes: int,
    errors_only: bool,
    statistics_only: bool,
) -> Call[models.ExecutionGraph]:
    """GetExecutionGraph."""
    request = graph_pb2.GetExecutionGraphRequest(
        project=scope.project,
        execution_id=execution_id,
        max_depth=max_depth,
        max_nodes=max_nodes,
        errors_only=errors_only,
        statistics_only=statistics_only,
    )
    return Call(_GRAPH, request, _graph)


def _explanation(m: Any) -> models.Explanation:
    return models.Explanation(
        uid=m.uid,
        state=models.ExecutionState(m.state),
        state_info=m.state_info,
        causes=[_cause(cause) for cause in m.causes],
        truncated=m.truncated,
    )


def _cause(m: Any) -> models.Cause:
    kind = m.WhichOneof("kind") or ""
    details: dict[str, object] = {}
    if kind:
        read = MessageToDict(getattr(m, kind), preserving_proto_field_name=True)
        details = {name: _word(value) for name, value in read.items() if name != "causes"}
    return models.Cause(
        kind=kind,
        text=m.text,
        task_execution_id=m.task_execution_id,
        task_name=m.task_name,
        undo=m.undo,
        since_time=decode.time(m, "since_time"),
        until_time=decode.time(m, "until_time"),
        details=details,
        causes=[_cause(cause) for cause in m.child.causes] if kind == "child" else [],
    )


def _word(value: Any) -> Any:
    """Takes the prefix off the words of the contract, also inside."""
    if isinstance(value, dict):
        return {name: _word(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_word(inner) for inner in value]
    if isinstance(value, str):
        for prefix in _PREFIXES:
            value = value.removeprefix(prefix)
    return value


def _graph(m: Any) -> models.ExecutionGraph:
    counts = m.statistics
    return models.ExecutionGraph(
        root=_execution(m.root) if m.HasField("root") else None,
        statistics={name: getattr(counts, name) for name in counts.DESCRIPTOR.fields_by_name},
        truncated=m.truncated,
    )


def _execution(m: Any) -> models.ExecutionNode:
    return models.ExecutionNode(
        execution_id=m.execution_id,
        uid=m.uid,
        workflow_name=m.workflow_name,
        state=models.ExecutionState(m.state),
        state_info=m.state_info,
        tasks=[_task(task) for task in m.tasks],
        truncated=m.truncated,
    )


def _task(m: Any) -> models.TaskNode:
    return models.TaskNode(
        task_execution_id=m.task_execution_id,
        task_name=m.task_name,
        state=models.TaskState(m.state),
        state_info=m.state_info,
        triggered_by=[edge.task_execution_id for edge in m.triggered_by],
        attempts=m.attempts,
        item_count=m.item_count,
        actions=[_action(action) for action in m.actions],
        children=[_execution(child) for child in m.children],
        undo_of=m.undo_of,
        rolled_back=m.rolled_back,
    )


def _action(m: Any) -> models.ActionNode:
    return models.ActionNode(
        action_execution_id=m.action_execution_id,
        action_name=m.action_name,
        state=models.ActionState(m.state),
        attempt=m.attempt,
        item_index=m.item_index,
    )
