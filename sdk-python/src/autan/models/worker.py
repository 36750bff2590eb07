"""Workers and queues, and the tasks that workers take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from autan.models.enums import LeaseStatus
    from autan.models.execution import Failure
    from autan.models.workflow import InputParameter


@dataclass(frozen=True, kw_only=True)
class WorkerInfo:
    """A worker, as the server knows it.

    Attributes:
        project: Tenant.
        worker_id: UUID that it has made for itself.
        identity: For people, such as "host:pid".
        sdk: Name and version of its SDK.
        build_id: Which build of its program it is.
        labels: For people and tools.
        queues: Names of the queues that it serves.
        actions: Names of the actions that it provides.
        connected: Whether it has a stream open.
        draining: Whether it gets no more tasks.
        leased: Tasks that it has.
        credits: Tasks that it could take besides.
        create_time: When it was first heard of.
        last_seen_time: When it was last heard of.
        action_versions: Versions of those of its actions that have one, by name.
    """

    project: str
    worker_id: str
    identity: str
    sdk: str
    build_id: str
    labels: Mapping[str, str]
    queues: tuple[str, ...]
    actions: tuple[str, ...]
    connected: bool
    draining: bool
    leased: int
    credits: int
    create_time: datetime | None
    last_seen_time: datetime | None
    action_versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class QueueLimits:
    """Limits of what is handed out.

    Attributes:
        concurrency: Most tasks that workers have at the same time; 0 = no limit.
        rate_per_second: Most tasks that are handed out per second, on average; 0 = no limit.
        burst: Most tasks that are handed out at once within the rate; 0 = as many as in one second,
            at least 1.
    """

    concurrency: int = 0
    rate_per_second: float = 0.0
    burst: int = 0


@dataclass(frozen=True, kw_only=True)
class QueueInfo:
    """A queue.

    Attributes:
        project: Tenant.
        queue: Its name.
        paused: Whether nothing is handed out.
        limits: Limits of all its tasks together.
        action_limits: Limits of single actions in it, by name.
        backlog: Tasks that wait, for any of its workers. One that waits in several queues is
            counted in each.
        oldest_schedule_time: When the oldest of them was called.
        leased: Tasks that workers have.
        workers: Workers that serve it.
        tasks_per_second: Tasks handed out per second, over the last minute.
        etag: Changes with every update; guards updates.
    """

    project: str
    queue: str
    paused: bool
    limits: QueueLimits
    action_limits: Mapping[str, QueueLimits]
    backlog: int
    oldest_schedule_time: datetime | None
    leased: int
    workers: int
    tasks_per_second: float
    etag: str


@dataclass(frozen=True, kw_only=True)
class WorkerTask:
    """A task under a lease.

    Attributes:
        token: Names the lease.
        action: Name of the action.
        input: Its input.
        queue: Queue that it came from.
        attempt: Attempt of the task's `retry`, from 1.
        delivery: How often this attempt was handed out, from 1: more than once if its worker was
            lost.
        idempotency_key: The same for all attempts and deliveries of one call, and for no other.
        progress: What an earlier attempt or delivery has said last of its progress.
        schedule_time: When the call was made.
        lease_expire_time: When the lease ends unless it is renewed.
        deadline: When the attempt fails because it takes too long; None = never.
        heartbeat_timeout: How long it may say nothing of itself, in seconds; None = as long as its
            worker is alive.
        project: Tenant.
        execution_uid: Uid of the execution.
        workflow_name: Name of the workflow; of an action that was run without one, of the action.
        task_name: Name of the task.
        task_execution_id: Id of the task execution.
        action_execution_id: Id of the action execution.
        item_index: Item of a with-items task, from 0.
        required_version: The version of the action that its task requires; empty = any.
        affinity_key: What tasks that are best run by the same worker have in common, as the
            workflow says; empty = nothing.
    """

    token: str
    action: str
    input: Any = field(default_factory=dict)
    queue: str = "default"
    attempt: int = 1
    delivery: int = 1
    idempotency_key: str = ""
    progress: Any = None
    schedule_time: datetime | None = None
    lease_expire_time: datetime | None = None
    deadline: datetime | None = None
    heartbeat_timeout: float | None = None
    project: str = ""
    execution_uid: str = ""
    workflow_name: str = ""
    task_name: str = ""
    task_execution_id: str = ""
    action_execution_id: str = ""
    item_index: int = 0
    required_version: str = ""
    affinity_key: str = ""


@dataclass(frozen=True, kw_only=True)
class TaskFailure:
    """A failure of a task, as it is told to the server.

    Attributes:
        failure: What went wrong. Its `details` are what the workflow sees as the error result;
            without them it sees the message.
        non_retryable: Whether another attempt is of no use: the `retry` of the task is not asked.
        retry_after: How long to wait before the next attempt, in seconds, instead of what `retry`
            says; None = as it says.
    """

    failure: Failure
    non_retryable: bool = False
    retry_after: float | None = None


@dataclass(frozen=True, kw_only=True)
class ActionSpec:
    """What the server is told of an action that a worker provides.

    Attributes:
        name: Name, as workflows call it; at most 255 bytes.
        description: What it does, for people; at most 4 KiB.
        input: Its parameters, for people and tools; at most 128.
        start_to_close: How long one attempt may take, in seconds; None = for ever. An attempt that
            takes longer fails.
        schedule_to_start: How long a call may wait for a worker, in seconds; None = for ever. A
            call that waits longer fails.
        heartbeat: How long an attempt may say nothing of itself, in seconds; None = as long as its
            worker is alive. An attempt that is silent for longer is handed out again.
        version: Which version of the action it is, for tasks that require one; empty = none.
    """

    name: str
    description: str = ""
    input: tuple[InputParameter, ...] = ()
    start_to_close: float | None = None
    schedule_to_start: float | None = None
    heartbeat: float | None = None
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class PolledTasks:
    """What a poll brings.

    Attributes:
        tasks: Tasks, each under a lease; empty if there were none in time.
        lease_duration: How long a lease lasts unless it is renewed, in seconds.
        heartbeat_interval: How often to renew, in seconds.
        drained: Whether the worker was drained: it gets no more tasks.
    """

    tasks: tuple[WorkerTask, ...]
    lease_duration: float
    heartbeat_interval: float
    drained: bool


@dataclass(frozen=True, kw_only=True)
class TaskLease:
    """What became of a lease.

    Attributes:
        token: Names the lease.
        status: What became of it.
        expire_time: When it ends unless it is renewed again.
        reason: Why it was cancelled or lost.
    """

    token: str
    status: LeaseStatus
    expire_time: datetime | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class RenewedTasks:
    """What renewing leases brings.

    Attributes:
        tasks: One for each lease, in the order in which they were given.
        drained: Whether the worker was drained: it gets no more tasks.
    """

    tasks: tuple[TaskLease, ...]
    drained: bool


@dataclass(frozen=True, kw_only=True)
class ActionLease:
    """The present lease of an action execution that workers run, or the last one.

    Attributes:
        worker_id: Worker that has it.
        worker_identity: The worker, for people.
        queue: Queue that it came from.
        delivery: How often the action execution was handed out.
        start_time: When it was handed out.
        expire_time: When it ends unless it is renewed; None if the action execution has ended.
        last_heartbeat_time: When the worker was last heard of, for this action execution.
        progress: What it has said last of its progress; FULL view only.
    """

    worker_id: str
    worker_identity: str
    queue: str
    delivery: int
    start_time: datetime | None
    expire_time: datetime | None
    last_heartbeat_time: datetime | None
    progress: Any
