"""Calls of ExecutionService, except for the watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from google.protobuf.duration_pb2 import Duration

from autan import models
from autan._core import decode, events
from autan._core.call import Call, Page, Scope, mask, method, new_request_id
from autan._core.payload import encode_object, set_environment
from autan._proto.v1 import counts_pb2, deletion_pb2, history_pb2
from autan._proto.v1 import executions_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SERVICE = "ExecutionService"
_START = method(_SERVICE, pb.StartExecutionResponse)
_GET = method(_SERVICE, pb.GetExecutionResponse)
_LIST = method(_SERVICE, pb.ListExecutionsResponse)
_COUNT = method(_SERVICE, counts_pb2.CountExecutionsResponse)
_WAIT = method(_SERVICE, pb.WaitExecutionResponse)
_PAUSE = method(_SERVICE, pb.PauseExecutionResponse)
_RESUME = method(_SERVICE, pb.ResumeExecutionResponse)
_CANCEL = method(_SERVICE, pb.CancelExecutionResponse)
_TERMINATE = method(_SERVICE, pb.TerminateExecutionResponse)
_RESTART = method(_SERVICE, pb.RestartExecutionResponse)
_UPDATE = method(_SERVICE, pb.UpdateExecutionResponse)
_STOP = method(_SERVICE, pb.StopExecutionResponse)
_RERUN = method(_SERVICE, pb.RerunExecutionResponse)
_ROLLBACK = method(_SERVICE, pb.RollbackExecutionResponse)
_DELETE = method(_SERVICE, deletion_pb2.DeleteExecutionResponse)
_HISTORY = method(_SERVICE, history_pb2.ListHistoryEventsResponse)
WATCH = method(_SERVICE, pb.WatchExecutionResponse)

WAIT_MAX = 10.0
"""Longest that the server waits in a call, in seconds."""
_WAIT_MARGIN = 5.0
"""What a waiting call may take beyond the waiting, in seconds."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The options of a start; see `Client.start`."""

    id: str = ""
    namespace: str = ""
    revision: int = 0
    params: Mapping[str, object] | None = None
    environment: str = ""
    env: Mapping[str, object] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    on_conflict: models.IdConflictPolicy = models.IdConflictPolicy.USE_EXISTING
    validate_only: bool = False


@dataclass(frozen=True, kw_only=True)
class Started:
    """What a start answers."""

    execution: models.Execution
    started: bool


def start(scope: Scope, name: str, input: object, options: Start) -> Call[Started]:
    """StartExecution."""
    request = pb.StartExecutionRequest(
        project=scope.project,
        workflow_namespace=options.namespace,
        workflow_name=name,
        workflow_revision=options.revision,
        execution_id=options.id,
        labels=options.labels,
        description=options.description,
        id_conflict_policy=options.on_conflict.wire_name,
        request_id=new_request_id(),
        validate_only=options.validate_only,
    )
    if input is not None:
        request.input.CopyFrom(encode_object(input, scope.converter, "input"))
    if options.params:
        request.params.CopyFrom(encode_object(options.params, scope.converter, "params"))
    set_environment(request, scope, options.environment, options.env)
    return Call(_START, request, _started)


def get(
    scope: Scope, execution_id: str, *, view: models.View, payloads: Sequence[str]
) -> Call[models.Execution]:
    """GetExecution."""
    request = pb.GetExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        view=view.wire_name,
        read_mask=mask(payloads),
    )
    return Call(_GET, request, _execution)


def list_(
    scope: Scope, *, filter: str, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.Execution]]]:
    """ListExecutions."""

    def page(token: str) -> Call[Page[models.Execution]]:
        request = pb.ListExecutionsRequest(
            project=scope.project,
            filter=filter,
            page_size=page_size,
            page_token=token,
            view=view.wire_name,
        )
        return Call(_LIST, request, _page)

    return page


def count(scope: Scope, *, filter: str, group_by: models.CountGroup) -> Call[models.Count]:
    """CountExecutions."""
    request = counts_pb2.CountExecutionsRequest(
        project=scope.project, filter=filter, group_by=group_by.wire_name
    )
    return Call(_COUNT, request, lambda r: models.Count(total=r.total, groups=dict(r.groups)))


def wait(
    scope: Scope, execution_id: str, *, seconds: float, drained: bool = False
) -> Call[tuple[models.Execution, bool]]:
    """WaitExecution: the execution, and whether it is finished, or drained if that is enough."""
    waited = min(seconds, WAIT_MAX)
    timeout = Duration()
    timeout.FromNanoseconds(int(waited * 1e9))
    request = pb.WaitExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        timeout=timeout,
        until="WAIT_UNTIL_DRAINED" if drained else "WAIT_UNTIL_FINISHED",
    )
    return Call(_WAIT, request, _waited, timeout=waited + _WAIT_MARGIN)


def pause(
    scope: Scope, execution_id: str, *, timeouts_run: bool, reason: str
) -> Call[models.Execution]:
    """PauseExecution."""
    request = pb.PauseExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        reason=reason,
        request_id=new_request_id(),
        timeouts_run=timeouts_run,
    )
    return Call(_PAUSE, request, _execution)


def resume(
    scope: Scope, execution_id: str, *, env: Mapping[str, object] | None, reason: str
) -> Call[models.Execution]:
    """ResumeExecution."""
    request = pb.ResumeExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    if env is not None:
        request.env.CopyFrom(encode_object(env, scope.converter, "env"))
    return Call(_RESUME, request, _execution)


def cancel(scope: Scope, execution_id: str, *, reason: str) -> Call[models.Execution]:
    """CancelExecution."""
    request = pb.CancelExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_CANCEL, request, _execution)


def terminate(scope: Scope, execution_id: str, *, reason: str) -> Call[models.Execution]:
    """TerminateExecution."""
    request = pb.TerminateExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_TERMINATE, request, _execution)


@dataclass(frozen=True, kw_only=True)
class Restart:
    """The options of a restart; see `ExecutionHandle.restart`."""

    id: str = ""
    latest_revision: bool = False
    input: object = None
    params: Mapping[str, object] | None = None
    environment: str = ""
    env: Mapping[str, object] | None = None
    labels: Mapping[str, str] | None = None
    description: str = ""
    reason: str = ""


def restart(scope: Scope, execution_id: str, options: Restart) -> Call[models.Execution]:
    """RestartExecution."""
    request = pb.RestartExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        new_execution_id=options.id,
        latest_revision=options.latest_revision,
        labels=options.labels or {},
        clear_labels=options.labels is not None,
        description=options.description,
        reason=options.reason,
        request_id=new_request_id(),
    )
    if options.input is not None:
        request.input.CopyFrom(encode_object(options.input, scope.converter, "input"))
    if options.params is not None:
        request.params.CopyFrom(encode_object(options.params, scope.converter, "params"))
    set_environment(request, scope, options.environment, options.env)
    return Call(_RESTART, request, _execution)


def update(
    scope: Scope,
    execution_id: str,
    *,
    labels: Mapping[str, str] | None,
    description: str | None,
    env: Mapping[str, object] | None,
    etag: str,
    reason: str,
) -> Call[models.Execution]:
    """UpdateExecution."""
    given = {"labels": labels, "description": description, "environment": env}
    request = pb.UpdateExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        labels=labels or {},
        description=description or "",
        update_mask=mask([field for field, value in given.items() if value is not None]),
        etag=etag,
        reason=reason,
        request_id=new_request_id(),
    )
    if env is not None:
        request.environment.CopyFrom(encode_object(env, scope.converter, "env"))
    return Call(_UPDATE, request, _execution)


def stop(
    scope: Scope, execution_id: str, *, outcome: models.ExecutionState, reason: str
) -> Call[models.Execution]:
    """StopExecution."""
    request = pb.StopExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        outcome=outcome.wire_name,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_STOP, request, _execution)


def rerun(
    scope: Scope,
    execution_id: str,
    *,
    task_execution_id: str,
    reset: bool,
    env: Mapping[str, object] | None,
    input: Mapping[str, object] | None,
    reason: str,
) -> Call[models.Execution]:
    """RerunExecution."""
    request = pb.RerunExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        task_execution_id=task_execution_id,
        reset=reset,
        reason=reason,
        request_id=new_request_id(),
    )
    if env is not None:
        request.env.CopyFrom(encode_object(env, scope.converter, "env"))
    if input is not None:
        request.input.CopyFrom(encode_object(input, scope.converter, "input"))
    return Call(_RERUN, request, _execution)


def rollback(
    scope: Scope, execution_id: str, *, to_task_execution_id: str, reason: str
) -> Call[models.Execution]:
    """RollbackExecution."""
    request = pb.RollbackExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        to_task_execution_id=to_task_execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_ROLLBACK, request, _execution)


def delete(
    scope: Scope, execution_id: str, *, force: bool, allow_missing: bool, reason: str
) -> Call[None]:
    """DeleteExecution."""
    request = deletion_pb2.DeleteExecutionRequest(
        project=scope.project,
        execution_id=execution_id,
        force=force,
        allow_missing=allow_missing,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_DELETE, request, lambda _: None)


def history(
    scope: Scope,
    execution_id: str,
    *,
    after_sequence: int,
    before_sequence: int,
    event_types: Sequence[str],
    task_execution_id: str,
    descending: bool,
    include_payloads: bool,
    page_size: int,
) -> Callable[[str], Call[Page[models.HistoryEvent]]]:
    """ListHistoryEvents."""

    def page(token: str) -> Call[Page[models.HistoryEvent]]:
        request = history_pb2.ListHistoryEventsRequest(
            project=scope.project,
            execution_id=execution_id,
            after_sequence=after_sequence,
            before_sequence=before_sequence,
            event_types=event_types,
            task_execution_id=task_execution_id,
            descending=descending,
            page_size=page_size,
            page_token=token,
            include_payloads=include_payloads,
        )
        return Call(_HISTORY, request, _history_page)

    return page


def _execution(response: Any) -> models.Execution:
    return decode.execution(response.execution)


def _started(response: Any) -> Started:
    return Started(execution=decode.execution(response.execution), started=response.started)


def _waited(response: Any) -> tuple[models.Execution, bool]:
    return decode.execution(response.execution), response.finished or response.drained


def _page(response: Any) -> Page[models.Execution]:
    return Page([decode.execution(m) for m in response.executions], response.next_page_token)


def _history_page(response: Any) -> Page[models.HistoryEvent]:
    return Page([events.event(m) for m in response.events], response.next_page_token)
