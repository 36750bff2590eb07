"""Calls of TaskService: task executions and their action executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan._core import decode
from autan._core.call import Call, Page, Scope, mask, method, new_request_id
from autan._core.payload import encode
from autan._proto.v1 import tasks_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autan import models

_SERVICE = "TaskService"
_GET_TASK = method(_SERVICE, pb.GetTaskExecutionResponse)
_LIST_TASKS = method(_SERVICE, pb.ListTaskExecutionsResponse)
_SKIP = method(_SERVICE, pb.SkipTaskResponse)
_RETRY = method(_SERVICE, pb.RetryTaskResponse)
_GET_ACTION = method(_SERVICE, pb.GetActionExecutionResponse)
_LIST_ACTIONS = method(_SERVICE, pb.ListActionExecutionsResponse)
_COMPLETE = method(_SERVICE, pb.CompleteActionExecutionResponse)
_FAIL = method(_SERVICE, pb.FailActionExecutionResponse)
_UPDATE = method(_SERVICE, pb.UpdateActionExecutionResponse)


def get_task(
    scope: Scope, task_execution_id: str, *, view: models.View, payloads: Sequence[str]
) -> Call[models.TaskExecution]:
    """GetTaskExecution."""
    request = pb.GetTaskExecutionRequest(
        project=scope.project,
        task_execution_id=task_execution_id,
        view=view.wire_name,
        read_mask=mask(payloads),
    )
    return Call(_GET_TASK, request, lambda response: decode.task(response.task_execution))


def list_tasks(
    scope: Scope, execution_id: str, *, filter: str, page_size: int, view: models.View
) -> Callable[[str], Call[Page[models.TaskExecution]]]:
    """ListTaskExecutions."""

    def page(token: str) -> Call[Page[models.TaskExecution]]:
        request = pb.ListTaskExecutionsRequest(
            project=scope.project,
            execution_id=execution_id,
            filter=filter,
            page_size=page_size,
            page_token=token,
            view=view.wire_name,
        )
        return Call(_LIST_TASKS, request, _task_page)

    return page


def skip(
    scope: Scope, task_execution_id: str, *, result: object, reason: str
) -> Call[models.TaskExecution]:
    """SkipTask."""
    request = pb.SkipTaskRequest(
        project=scope.project,
        task_execution_id=task_execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    if result is not None:
        request.result.CopyFrom(encode(result, scope.converter, "result"))
    return Call(_SKIP, request, lambda response: decode.task(response.task_execution))


def retry(scope: Scope, task_execution_id: str, *, reason: str) -> Call[models.TaskExecution]:
    """RetryTask."""
    request = pb.RetryTaskRequest(
        project=scope.project,
        task_execution_id=task_execution_id,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_RETRY, request, lambda response: decode.task(response.task_execution))


def get_action(
    scope: Scope, action_execution_id: str, *, view: models.View, payloads: Sequence[str]
) -> Call[models.ActionExecution]:
    """GetActionExecution."""
    request = pb.GetActionExecutionRequest(
        project=scope.project,
        action_execution_id=action_execution_id,
        view=view.wire_name,
        read_mask=mask(payloads),
    )
    return Call(_GET_ACTION, request, _action)


def list_actions(
    scope: Scope,
    *,
    execution_id: str | None = None,
    task_execution_id: str | None = None,
    page_size: int,
    view: models.View,
) -> Callable[[str], Call[Page[models.ActionExecution]]]:
    """ListActionExecutions, of an execution or of a task."""

    def page(token: str) -> Call[Page[models.ActionExecution]]:
        request = pb.ListActionExecutionsRequest(
            project=scope.project,
            execution_id=execution_id,
            task_execution_id=task_execution_id,
            page_size=page_size,
            page_token=token,
            view=view.wire_name,
        )
        return Call(_LIST_ACTIONS, request, _action_page)

    return page


def complete(
    scope: Scope, action_execution_id: str, result: object
) -> Call[models.ActionExecution]:
    """CompleteActionExecution."""
    request = pb.CompleteActionExecutionRequest(
        project=scope.project,
        action_execution_id=action_execution_id,
        result=encode(result, scope.converter, "result"),
        request_id=new_request_id(),
    )
    return Call(_COMPLETE, request, _action)


def fail(scope: Scope, action_execution_id: str, error: object) -> Call[models.ActionExecution]:
    """FailActionExecution."""
    request = pb.FailActionExecutionRequest(
        project=scope.project,
        action_execution_id=action_execution_id,
        error=encode(error, scope.converter, "error"),
        request_id=new_request_id(),
    )
    return Call(_FAIL, request, _action)


def update(
    scope: Scope, action_execution_id: str, *, state: models.ActionState, reason: str
) -> Call[models.ActionExecution]:
    """UpdateActionExecution."""
    request = pb.UpdateActionExecutionRequest(
        project=scope.project,
        action_execution_id=action_execution_id,
        state=state.wire_name,
        reason=reason,
        request_id=new_request_id(),
    )
    return Call(_UPDATE, request, _action)


def _action(response: Any) -> models.ActionExecution:
    return decode.action(response.action_execution)


def _task_page(response: Any) -> Page[models.TaskExecution]:
    return Page([decode.task(m) for m in response.task_executions], response.next_page_token)


def _action_page(response: Any) -> Page[models.ActionExecution]:
    return Page([decode.action(m) for m in response.action_executions], response.next_page_token)
