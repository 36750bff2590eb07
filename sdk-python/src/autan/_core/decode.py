"""From messages of the contract to `autan.models`."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, TypeVar

from autan import models
from autan._core.payload import decode as payload
from autan._proto.v1 import (
    system_pb2,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from google.protobuf.timestamp_pb2 import Timestamp

    from autan._proto.v1 import (
        actions_pb2,
        environments_pb2,
        executions_pb2,
        payloads_pb2,
        tasks_pb2,
        workbooks_pb2,
        workflows_pb2,
    )

E = TypeVar("E", bound=models.OpenEnum)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def time(owner: Message, field: str) -> datetime | None:
    """Reads an optional time, in UTC; what is finer than a microsecond is cut off."""
    if not owner.HasField(field):
        return None
    value: Timestamp = getattr(owner, field)
    return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)


def execution(m: executions_pb2.Execution) -> models.Execution:
    """Reads an execution."""
    return models.Execution(
        project=m.project,
        execution_id=m.execution_id,
        uid=m.uid,
        kind=models.ExecutionKind(m.kind),
        workflow_name=m.workflow_name,
        workflow_namespace=m.workflow_namespace,
        workflow_revision=m.workflow_revision,
        state=models.ExecutionState(m.state),
        state_info=m.state_info,
        run=m.run,
        last_sequence=m.last_sequence,
        input=payload(m.input),
        output=payload(m.output),
        params=payload(m.params),
        error=failure(m.error) if m.HasField("error") else None,
        labels=dict(m.labels),
        description=m.description,
        create_time=time(m, "create_time"),
        update_time=time(m, "update_time"),
        end_time=time(m, "end_time"),
        parent_task_execution_id=m.parent_task_execution_id,
        root_execution_id=m.root_execution_id,
        item_index=m.item_index,
        progress=models.Progress(
            total=m.progress.total,
            active=m.progress.active,
            success=m.progress.success,
            error=m.progress.error,
            cancelled=m.progress.cancelled,
            skipped=m.progress.skipped,
            rolled_back=m.progress.rolled_back,
            undoing=m.progress.undoing,
            undo_failed=m.progress.undo_failed,
            running_actions=m.progress.running_actions,
        ),
        published_global=payload(m.published_global),
        source_execution_id=m.source_execution_id,
        expire_time=time(m, "expire_time"),
        etag=m.etag,
    )


def failure(m: payloads_pb2.Failure) -> models.Failure:
    """Reads why something ended in ERROR."""
    return models.Failure(
        type=m.type,
        message=m.message,
        details=payload(m.details),
        stack=m.stack,
        cause=failure(m.cause) if m.HasField("cause") else None,
        limit=(
            models.LimitHit(name=m.limit.name, allowed=m.limit.allowed)
            if m.HasField("limit")
            else None
        ),
    )


def task(m: tasks_pb2.TaskExecution) -> models.TaskExecution:
    """Reads a task execution."""
    return models.TaskExecution(
        task_execution_id=m.task_execution_id,
        execution_uid=m.execution_uid,
        task_name=m.task_name,
        type=models.TaskType(m.type),
        state=models.TaskState(m.state),
        state_info=m.state_info,
        result=payload(m.result),
        published=payload(m.published),
        published_global=payload(m.published_global),
        processed=m.processed,
        attempts=m.attempts,
        next_tasks=tuple(m.next_tasks),
        triggered_by=tuple(m.triggered_by),
        tags=tuple(m.tags),
        create_time=time(m, "create_time"),
        start_time=time(m, "start_time"),
        update_time=time(m, "update_time"),
        end_time=time(m, "end_time"),
        due_time=time(m, "due_time"),
        timeout_time=time(m, "timeout_time"),
        item_count=m.item_count,
        undo_of=m.undo_of,
        undone_by=m.undone_by,
        rolled_back=m.rolled_back,
    )


def action(m: tasks_pb2.ActionExecution) -> models.ActionExecution:
    """Reads an action execution."""
    return models.ActionExecution(
        action_execution_id=m.action_execution_id,
        task_execution_id=m.task_execution_id,
        execution_uid=m.execution_uid,
        task_name=m.task_name,
        name=m.name,
        state=models.ActionState(m.state),
        input=payload(m.input),
        output=payload(m.output),
        accepted=m.accepted,
        item_index=m.item_index,
        attempt=m.attempt,
        child_execution_id=m.child_execution_id,
        create_time=time(m, "create_time"),
        end_time=time(m, "end_time"),
        lease=_action_lease(m.lease) if m.HasField("lease") else None,
        failure=failure(m.failure) if m.HasField("failure") else None,
    )


def _action_lease(m: tasks_pb2.ActionLease) -> models.ActionLease:
    return models.ActionLease(
        worker_id=m.worker_id,
        worker_identity=m.worker_identity,
        queue=m.queue,
        delivery=m.delivery,
        start_time=time(m, "start_time"),
        expire_time=time(m, "expire_time"),
        last_heartbeat_time=time(m, "last_heartbeat_time"),
        progress=payload(m.progress),
    )


def workflow(m: workflows_pb2.Workflow) -> models.WorkflowInfo:
    """Reads a revision of a workflow."""
    return models.WorkflowInfo(
        project=m.project,
        namespace=m.namespace,
        name=m.name,
        revision=m.revision,
        revision_hash=m.revision_hash,
        source=m.source,
        description=m.description,
        tags=tuple(m.tags),
        type=m.type,
        input=tuple(_input(p) for p in m.input),
        output_keys=tuple(m.output_keys),
        task_names=tuple(m.task_names),
        workbook=m.workbook,
        create_time=time(m, "create_time"),
        update_time=time(m, "update_time"),
        etag=m.etag,
    )


def _input(m: workflows_pb2.InputParameter) -> models.InputParameter:
    return models.InputParameter(
        name=m.name, required=m.required, default_value=payload(m.default_value)
    )


def action_info(m: actions_pb2.Action) -> models.ActionInfo:
    """Reads an action, or a revision of one."""
    return models.ActionInfo(
        project=m.project,
        namespace=m.namespace,
        name=m.name,
        kind=models.ActionKind(m.kind),
        revision=m.revision,
        revision_hash=m.revision_hash,
        source=m.source,
        description=m.description,
        tags=tuple(m.tags),
        input=tuple(_input(p) for p in m.input),
        base=m.base,
        asynchronous=m.asynchronous,
        workbook=m.workbook,
        create_time=time(m, "create_time"),
        update_time=time(m, "update_time"),
        etag=m.etag,
    )


def environment(m: environments_pb2.Environment) -> models.EnvironmentInfo:
    """Reads an environment."""
    return models.EnvironmentInfo(
        project=m.project,
        name=m.name,
        description=m.description,
        variables=payload(m.variables),
        create_time=time(m, "create_time"),
        update_time=time(m, "update_time"),
        etag=m.etag,
    )


def workbook(m: workbooks_pb2.Workbook) -> models.WorkbookInfo:
    """Reads a workbook."""
    return models.WorkbookInfo(
        project=m.project,
        namespace=m.namespace,
        name=m.name,
        source=m.source,
        description=m.description,
        tags=tuple(m.tags),
        workflow_names=tuple(m.workflow_names),
        action_names=tuple(m.action_names),
        create_time=time(m, "create_time"),
        update_time=time(m, "update_time"),
        etag=m.etag,
    )


def diagnostic(m: workflows_pb2.Diagnostic) -> models.Diagnostic:
    """Reads a fault of a document."""
    return models.Diagnostic(
        severity=models.Severity(m.severity),
        rule=m.rule,
        message=m.message,
        path=m.path,
        line=m.line,
        column=m.column,
        end_line=m.end_line,
        end_column=m.end_column,
        suggestion=m.suggestion,
        excerpt=m.excerpt,
    )


def server_info(m: system_pb2.GetServerInfoResponse) -> models.ServerInfo:
    """Reads what the server says about itself."""
    return models.ServerInfo(
        version=m.version,
        capabilities=tuple(m.capabilities),
        limits=dict(m.limits),
        start_time=time(m, "start_time"),
        current_time=time(m, "current_time"),
        storage=m.storage,
        audit_violations=m.audit_violations,
        audit_failures=m.audit_failures,
    )


def cluster(m: system_pb2.GetClusterResponse) -> models.Cluster:
    """Reads which servers share the database."""
    return models.Cluster(
        servers=tuple(cluster_server(server) for server in m.servers),
        shards=m.shards,
        free_shards=m.free_shards,
    )


def cluster_server(m: system_pb2.ClusterServer) -> models.ClusterServer:
    """Reads a server of those that share a database."""
    return models.ClusterServer(
        server_id=m.server_id,
        address=m.address,
        version=m.version,
        state=system_pb2.ServerState.Name(m.state).removeprefix("SERVER_STATE_"),
        start_time=time(m, "start_time"),
        shards=m.shards,
        hands_out_work=m.hands_out_work,
        answers=m.answers,
    )
