"""Calls of WorkerService and WorkerAdminService."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan import models
from autan._core import leases
from autan._core.call import Call, Page, Scope, method
from autan._core.decode import time
from autan._core.payload import encode
from autan._proto.v1 import workers_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_SERVICE = "WorkerService"
CONNECT = method(_SERVICE, pb.ConnectResponse)
_POLL = method(_SERVICE, pb.PollTasksResponse)
_HEARTBEAT = method(_SERVICE, pb.HeartbeatTasksResponse)
_COMPLETE = method(_SERVICE, pb.CompleteTaskResponse)
_FAIL = method(_SERVICE, pb.FailTaskResponse)
_RELEASE = method(_SERVICE, pb.ReleaseTaskResponse)
_DRAIN = method(_SERVICE, pb.DrainWorkerResponse)

_ADMIN = "WorkerAdminService"
_LIST_WORKERS = method(_ADMIN, pb.ListWorkersResponse)
_GET_WORKER = method(_ADMIN, pb.GetWorkerResponse)
_LIST_QUEUES = method(_ADMIN, pb.ListQueuesResponse)
_GET_QUEUE = method(_ADMIN, pb.GetQueueResponse)
_UPDATE_QUEUE = method(_ADMIN, pb.UpdateQueueResponse)

_WAIT_MARGIN = 5.0
"""What a poll may take beyond its waiting, in seconds."""


def poll(
    scope: Scope,
    worker: leases.Identity,
    actions: Sequence[str | models.ActionSpec],
    *,
    queue: str,
    max_tasks: int,
    wait: float,
) -> Call[models.PolledTasks]:
    """PollTasks.

    Raises:
        TypeError: `actions` is one text instead of a list of them.
    """
    if isinstance(actions, str):
        raise TypeError("actions: a list of names, not one text")
    specs = [models.ActionSpec(name=a) if isinstance(a, str) else a for a in actions]
    subscription = pb.QueueSubscription(
        queue=queue, actions=[leases.spec(s, scope.converter) for s in specs]
    )
    request = pb.PollTasksRequest(
        project=scope.project,
        worker=worker.message(),
        queues=[subscription],
        max_tasks=max_tasks,
        wait=leases.duration(wait),
    )
    return Call(_POLL, request, _polled, timeout=wait + _WAIT_MARGIN)


def heartbeat(
    scope: Scope, worker_id: str, tasks: Mapping[str, object] | Sequence[str]
) -> Call[models.RenewedTasks]:
    """HeartbeatTasks.

    Raises:
        TypeError: `tasks` is one token instead of several.
        PayloadError: What is said of a progress cannot be sent as JSON, or is too large.
    """
    if isinstance(tasks, str):
        raise TypeError("tasks: a list of tokens, not one text")
    progress = dict.fromkeys(tasks) if not hasattr(tasks, "keys") else dict(tasks)
    request = pb.HeartbeatTasksRequest(project=scope.project, worker_id=worker_id)
    for token, value in progress.items():
        said = None if value is None else leases.progress(value, scope.converter)
        request.tasks.append(pb.TaskHeartbeat(token=token, progress=said))
    return Call(_HEARTBEAT, request, _renewed)


def complete(scope: Scope, worker_id: str, token: str, result: object) -> Call[None]:
    """CompleteTask, with a result."""
    request = pb.CompleteTaskRequest(
        project=scope.project,
        worker_id=worker_id,
        token=token,
        result=encode(result, scope.converter, "result"),
    )
    return Call(_COMPLETE, request, _nothing)


def defer(scope: Scope, worker_id: str, token: str) -> Call[None]:
    """CompleteTask, by somebody later."""
    request = pb.CompleteTaskRequest(
        project=scope.project, worker_id=worker_id, token=token, deferred=True
    )
    return Call(_COMPLETE, request, _nothing)


def fail(scope: Scope, worker_id: str, token: str, failed: models.TaskFailure) -> Call[None]:
    """FailTask."""
    request = pb.FailTaskRequest(
        project=scope.project,
        worker_id=worker_id,
        token=token,
        failure=leases.task_failure(failed),
    )
    if failed.failure.details is not None:
        details = encode(failed.failure.details, scope.converter, "details")
        request.failure.failure.details.CopyFrom(details)
    return Call(_FAIL, request, _nothing)


def end(scope: Scope, worker_id: str, result: pb.TaskResult) -> Call[None]:
    """CompleteTask or FailTask, as the end of a task that could not be sent over a stream."""
    if result.WhichOneof("outcome") == "failure":
        failing = pb.FailTaskRequest(
            project=scope.project,
            worker_id=worker_id,
            token=result.token,
            failure=result.failure,
        )
        return Call(_FAIL, failing, _nothing)
    request = pb.CompleteTaskRequest(
        project=scope.project,
        worker_id=worker_id,
        token=result.token,
        deferred=result.HasField("deferred"),
    )
    if result.HasField("result"):
        request.result.CopyFrom(result.result)
    return Call(_COMPLETE, request, _nothing)


def release(scope: Scope, worker_id: str, token: str) -> Call[None]:
    """ReleaseTask."""
    request = pb.ReleaseTaskRequest(project=scope.project, worker_id=worker_id, token=token)
    return Call(_RELEASE, request, _nothing)


def drain(scope: Scope, worker_id: str, *, reason: str) -> Call[int]:
    """DrainWorker: how many tasks it still has."""
    request = pb.DrainWorkerRequest(project=scope.project, worker_id=worker_id, reason=reason)
    return Call(_DRAIN, request, lambda response: int(response.leased))


def list_workers(scope: Scope, *, page_size: int) -> Callable[[str], Call[Page[models.WorkerInfo]]]:
    """ListWorkers."""

    def page(token: str) -> Call[Page[models.WorkerInfo]]:
        request = pb.ListWorkersRequest(
            project=scope.project, page_size=page_size, page_token=token
        )
        return Call(_LIST_WORKERS, request, _worker_page)

    return page


def get_worker(scope: Scope, worker_id: str) -> Call[models.WorkerInfo]:
    """GetWorker."""
    request = pb.GetWorkerRequest(project=scope.project, worker_id=worker_id)
    return Call(_GET_WORKER, request, lambda response: _worker(response.worker))


def list_queues(scope: Scope, *, page_size: int) -> Callable[[str], Call[Page[models.QueueInfo]]]:
    """ListQueues."""

    def page(token: str) -> Call[Page[models.QueueInfo]]:
        request = pb.ListQueuesRequest(project=scope.project, page_size=page_size, page_token=token)
        return Call(_LIST_QUEUES, request, _queue_page)

    return page


def get_queue(scope: Scope, queue: str) -> Call[models.QueueInfo]:
    """GetQueue."""
    request = pb.GetQueueRequest(project=scope.project, queue=queue)
    return Call(_GET_QUEUE, request, lambda response: _queue(response.queue))


def update_queue(
    scope: Scope,
    queue: str,
    *,
    paused: bool | None,
    limits: models.QueueLimits | None,
    action_limits: Mapping[str, models.QueueLimits],
    etag: str,
) -> Call[models.QueueInfo]:
    """UpdateQueue."""
    request = pb.UpdateQueueRequest(
        project=scope.project,
        queue=queue,
        limits=None if limits is None else _limits_message(limits),
        action_limits={name: _limits_message(each) for name, each in action_limits.items()},
        etag=etag,
    )
    if paused is not None:
        request.paused = paused
    return Call(_UPDATE_QUEUE, request, lambda response: _queue(response.queue))


def _nothing(_response: Any) -> None:
    return None


def _polled(response: Any) -> models.PolledTasks:
    return models.PolledTasks(
        tasks=tuple(leases.task(m) for m in response.tasks),
        lease_duration=leases.seconds(response.lease_duration),
        heartbeat_interval=leases.seconds(response.heartbeat_interval),
        drained=response.drained,
    )


def _renewed(response: Any) -> models.RenewedTasks:
    return models.RenewedTasks(
        tasks=tuple(leases.lease(m) for m in response.tasks), drained=response.drained
    )


def _worker(m: pb.Worker) -> models.WorkerInfo:
    return models.WorkerInfo(
        project=m.project,
        worker_id=m.worker.worker_id,
        identity=m.worker.identity,
        sdk=m.worker.sdk,
        build_id=m.worker.build_id,
        labels=dict(m.worker.labels),
        queues=tuple(m.queues),
        actions=tuple(m.actions),
        connected=m.connected,
        draining=m.draining,
        leased=m.leased,
        credits=m.credits,
        create_time=time(m, "create_time"),
        last_seen_time=time(m, "last_seen_time"),
        action_versions=dict(m.action_versions),
    )


def _queue(m: pb.Queue) -> models.QueueInfo:
    return models.QueueInfo(
        project=m.project,
        queue=m.queue,
        paused=m.paused,
        limits=_limits(m.limits),
        action_limits={name: _limits(each) for name, each in m.action_limits.items()},
        backlog=m.backlog,
        oldest_schedule_time=time(m, "oldest_schedule_time"),
        leased=m.leased,
        workers=m.workers,
        tasks_per_second=m.tasks_per_second,
        etag=m.etag,
    )


def _limits(m: pb.QueueLimits) -> models.QueueLimits:
    return models.QueueLimits(
        concurrency=m.concurrency, rate_per_second=m.rate_per_second, burst=m.burst
    )


def _limits_message(limits: models.QueueLimits) -> pb.QueueLimits:
    return pb.QueueLimits(
        concurrency=limits.concurrency,
        rate_per_second=limits.rate_per_second,
        burst=limits.burst,
    )


def _worker_page(response: Any) -> Page[models.WorkerInfo]:
    return Page([_worker(m) for m in response.workers], response.next_page_token)


def _queue_page(response: Any) -> Page[models.QueueInfo]:
    return Page([_queue(m) for m in response.queues], response.next_page_token)
