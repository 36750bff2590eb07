import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import workflows_pb2 as _workflows_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LeaseStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEASE_STATUS_UNSPECIFIED: _ClassVar[LeaseStatus]
    LEASE_STATUS_HELD: _ClassVar[LeaseStatus]
    LEASE_STATUS_CANCEL_REQUESTED: _ClassVar[LeaseStatus]
    LEASE_STATUS_LOST: _ClassVar[LeaseStatus]
LEASE_STATUS_UNSPECIFIED: LeaseStatus
LEASE_STATUS_HELD: LeaseStatus
LEASE_STATUS_CANCEL_REQUESTED: LeaseStatus
LEASE_STATUS_LOST: LeaseStatus

class WorkerIdentity(_message.Message):
    __slots__ = ("worker_id", "identity", "sdk", "build_id", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    BUILD_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    identity: str
    sdk: str
    build_id: str
    labels: _containers.ScalarMap[str, str]
    def __init__(self, worker_id: _Optional[str] = ..., identity: _Optional[str] = ..., sdk: _Optional[str] = ..., build_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class WorkerAction(_message.Message):
    __slots__ = ("name", "description", "input", "start_to_close_timeout", "schedule_to_start_timeout", "heartbeat_timeout", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    START_TO_CLOSE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TO_START_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    input: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.InputParameter]
    start_to_close_timeout: _duration_pb2.Duration
    schedule_to_start_timeout: _duration_pb2.Duration
    heartbeat_timeout: _duration_pb2.Duration
    version: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., input: _Optional[_Iterable[_Union[_workflows_pb2.InputParameter, _Mapping]]] = ..., start_to_close_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., schedule_to_start_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., version: _Optional[str] = ...) -> None: ...

class QueueSubscription(_message.Message):
    __slots__ = ("queue", "actions", "credits")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    queue: str
    actions: _containers.RepeatedCompositeFieldContainer[WorkerAction]
    credits: int
    def __init__(self, queue: _Optional[str] = ..., actions: _Optional[_Iterable[_Union[WorkerAction, _Mapping]]] = ..., credits: _Optional[int] = ...) -> None: ...

class WorkerTask(_message.Message):
    __slots__ = ("token", "action", "input", "queue", "attempt", "delivery", "idempotency_key", "progress", "schedule_time", "lease_expire_time", "deadline", "heartbeat_timeout", "project", "execution_uid", "workflow_name", "task_name", "task_execution_id", "action_execution_id", "item_index", "required_version", "affinity_key")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_TIME_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_UID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_VERSION_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_KEY_FIELD_NUMBER: _ClassVar[int]
    token: str
    action: str
    input: _payloads_pb2.Payload
    queue: str
    attempt: int
    delivery: int
    idempotency_key: str
    progress: _payloads_pb2.Payload
    schedule_time: _timestamp_pb2.Timestamp
    lease_expire_time: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    heartbeat_timeout: _duration_pb2.Duration
    project: str
    execution_uid: str
    workflow_name: str
    task_name: str
    task_execution_id: str
    action_execution_id: str
    item_index: int
    required_version: str
    affinity_key: str
    def __init__(self, token: _Optional[str] = ..., action: _Optional[str] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., queue: _Optional[str] = ..., attempt: _Optional[int] = ..., delivery: _Optional[int] = ..., idempotency_key: _Optional[str] = ..., progress: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., schedule_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., heartbeat_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., project: _Optional[str] = ..., execution_uid: _Optional[str] = ..., workflow_name: _Optional[str] = ..., task_name: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., action_execution_id: _Optional[str] = ..., item_index: _Optional[int] = ..., required_version: _Optional[str] = ..., affinity_key: _Optional[str] = ...) -> None: ...

class TaskHeartbeat(_message.Message):
    __slots__ = ("token", "progress")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    token: str
    progress: _payloads_pb2.Payload
    def __init__(self, token: _Optional[str] = ..., progress: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class TaskHeartbeatResult(_message.Message):
    __slots__ = ("token", "status", "lease_expire_time", "reason")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    token: str
    status: LeaseStatus
    lease_expire_time: _timestamp_pb2.Timestamp
    reason: str
    def __init__(self, token: _Optional[str] = ..., status: _Optional[_Union[LeaseStatus, str]] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class TaskResult(_message.Message):
    __slots__ = ("token", "result", "failure", "deferred")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    DEFERRED_FIELD_NUMBER: _ClassVar[int]
    token: str
    result: _payloads_pb2.Payload
    failure: TaskFailure
    deferred: Deferral
    def __init__(self, token: _Optional[str] = ..., result: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., failure: _Optional[_Union[TaskFailure, _Mapping]] = ..., deferred: _Optional[_Union[Deferral, _Mapping]] = ...) -> None: ...

class Deferral(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TaskFailure(_message.Message):
    __slots__ = ("failure", "non_retryable", "retry_after")
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    NON_RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_FIELD_NUMBER: _ClassVar[int]
    failure: _payloads_pb2.Failure
    non_retryable: bool
    retry_after: _duration_pb2.Duration
    def __init__(self, failure: _Optional[_Union[_payloads_pb2.Failure, _Mapping]] = ..., non_retryable: bool = ..., retry_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PollTasksRequest(_message.Message):
    __slots__ = ("project", "worker", "queues", "max_tasks", "wait")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    MAX_TASKS_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker: WorkerIdentity
    queues: _containers.RepeatedCompositeFieldContainer[QueueSubscription]
    max_tasks: int
    wait: _duration_pb2.Duration
    def __init__(self, project: _Optional[str] = ..., worker: _Optional[_Union[WorkerIdentity, _Mapping]] = ..., queues: _Optional[_Iterable[_Union[QueueSubscription, _Mapping]]] = ..., max_tasks: _Optional[int] = ..., wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class PollTasksResponse(_message.Message):
    __slots__ = ("tasks", "lease_duration", "heartbeat_interval", "drained")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[WorkerTask]
    lease_duration: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    drained: bool
    def __init__(self, tasks: _Optional[_Iterable[_Union[WorkerTask, _Mapping]]] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., drained: bool = ...) -> None: ...

class HeartbeatTasksRequest(_message.Message):
    __slots__ = ("project", "worker_id", "tasks")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    tasks: _containers.RepeatedCompositeFieldContainer[TaskHeartbeat]
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ..., tasks: _Optional[_Iterable[_Union[TaskHeartbeat, _Mapping]]] = ...) -> None: ...

class HeartbeatTasksResponse(_message.Message):
    __slots__ = ("tasks", "drained")
    TASKS_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    tasks: _containers.RepeatedCompositeFieldContainer[TaskHeartbeatResult]
    drained: bool
    def __init__(self, tasks: _Optional[_Iterable[_Union[TaskHeartbeatResult, _Mapping]]] = ..., drained: bool = ...) -> None: ...

class CompleteTaskRequest(_message.Message):
    __slots__ = ("project", "worker_id", "token", "result", "deferred")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    DEFERRED_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    token: str
    result: _payloads_pb2.Payload
    deferred: bool
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ..., token: _Optional[str] = ..., result: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., deferred: bool = ...) -> None: ...

class CompleteTaskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class FailTaskRequest(_message.Message):
    __slots__ = ("project", "worker_id", "token", "failure")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    token: str
    failure: TaskFailure
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ..., token: _Optional[str] = ..., failure: _Optional[_Union[TaskFailure, _Mapping]] = ...) -> None: ...

class FailTaskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReleaseTaskRequest(_message.Message):
    __slots__ = ("project", "worker_id", "token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    token: str
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class ReleaseTaskResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DrainWorkerRequest(_message.Message):
    __slots__ = ("project", "worker_id", "reason")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    reason: str
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DrainWorkerResponse(_message.Message):
    __slots__ = ("leased",)
    LEASED_FIELD_NUMBER: _ClassVar[int]
    leased: int
    def __init__(self, leased: _Optional[int] = ...) -> None: ...

class ConnectRequest(_message.Message):
    __slots__ = ("hello", "accepts", "heartbeats", "results", "releases", "credits", "drain")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    ACCEPTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEATS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    DRAIN_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    accepts: _containers.RepeatedScalarFieldContainer[str]
    heartbeats: _containers.RepeatedCompositeFieldContainer[TaskHeartbeat]
    results: _containers.RepeatedCompositeFieldContainer[TaskResult]
    releases: _containers.RepeatedScalarFieldContainer[str]
    credits: _containers.RepeatedCompositeFieldContainer[CreditGrant]
    drain: Drain
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., accepts: _Optional[_Iterable[str]] = ..., heartbeats: _Optional[_Iterable[_Union[TaskHeartbeat, _Mapping]]] = ..., results: _Optional[_Iterable[_Union[TaskResult, _Mapping]]] = ..., releases: _Optional[_Iterable[str]] = ..., credits: _Optional[_Iterable[_Union[CreditGrant, _Mapping]]] = ..., drain: _Optional[_Union[Drain, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("project", "worker", "queues", "held_tokens", "max_outstanding_bytes")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    HELD_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTSTANDING_BYTES_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker: WorkerIdentity
    queues: _containers.RepeatedCompositeFieldContainer[QueueSubscription]
    held_tokens: _containers.RepeatedScalarFieldContainer[str]
    max_outstanding_bytes: int
    def __init__(self, project: _Optional[str] = ..., worker: _Optional[_Union[WorkerIdentity, _Mapping]] = ..., queues: _Optional[_Iterable[_Union[QueueSubscription, _Mapping]]] = ..., held_tokens: _Optional[_Iterable[str]] = ..., max_outstanding_bytes: _Optional[int] = ...) -> None: ...

class CreditGrant(_message.Message):
    __slots__ = ("queue", "count")
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    queue: str
    count: int
    def __init__(self, queue: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class Drain(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("welcome", "tasks", "results", "leases", "going_away", "drained")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    GOING_AWAY_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    tasks: _containers.RepeatedCompositeFieldContainer[WorkerTask]
    results: _containers.RepeatedCompositeFieldContainer[TaskResultAck]
    leases: _containers.RepeatedCompositeFieldContainer[TaskHeartbeatResult]
    going_away: GoingAway
    drained: bool
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[WorkerTask, _Mapping]]] = ..., results: _Optional[_Iterable[_Union[TaskResultAck, _Mapping]]] = ..., leases: _Optional[_Iterable[_Union[TaskHeartbeatResult, _Mapping]]] = ..., going_away: _Optional[_Union[GoingAway, _Mapping]] = ..., drained: bool = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("session_id", "lease_duration", "heartbeat_interval", "accept_timeout", "lost_tokens", "payload_bytes_max", "current_time")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LEASE_DURATION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    LOST_TOKENS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    CURRENT_TIME_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    lease_duration: _duration_pb2.Duration
    heartbeat_interval: _duration_pb2.Duration
    accept_timeout: _duration_pb2.Duration
    lost_tokens: _containers.RepeatedScalarFieldContainer[str]
    payload_bytes_max: int
    current_time: _timestamp_pb2.Timestamp
    def __init__(self, session_id: _Optional[str] = ..., lease_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., accept_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., lost_tokens: _Optional[_Iterable[str]] = ..., payload_bytes_max: _Optional[int] = ..., current_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TaskResultAck(_message.Message):
    __slots__ = ("token", "error_reason", "error_message", "retryable")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_FIELD_NUMBER: _ClassVar[int]
    token: str
    error_reason: str
    error_message: str
    retryable: bool
    def __init__(self, token: _Optional[str] = ..., error_reason: _Optional[str] = ..., error_message: _Optional[str] = ..., retryable: bool = ...) -> None: ...

class GoingAway(_message.Message):
    __slots__ = ("reconnect_delay", "end_time")
    RECONNECT_DELAY_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    reconnect_delay: _duration_pb2.Duration
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, reconnect_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Worker(_message.Message):
    __slots__ = ("project", "worker", "queues", "actions", "connected", "draining", "leased", "credits", "create_time", "last_seen_time", "action_versions")
    class ActionVersionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CONNECTED_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    LEASED_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTION_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker: WorkerIdentity
    queues: _containers.RepeatedScalarFieldContainer[str]
    actions: _containers.RepeatedScalarFieldContainer[str]
    connected: bool
    draining: bool
    leased: int
    credits: int
    create_time: _timestamp_pb2.Timestamp
    last_seen_time: _timestamp_pb2.Timestamp
    action_versions: _containers.ScalarMap[str, str]
    def __init__(self, project: _Optional[str] = ..., worker: _Optional[_Union[WorkerIdentity, _Mapping]] = ..., queues: _Optional[_Iterable[str]] = ..., actions: _Optional[_Iterable[str]] = ..., connected: bool = ..., draining: bool = ..., leased: _Optional[int] = ..., credits: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_seen_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., action_versions: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Queue(_message.Message):
    __slots__ = ("project", "queue", "paused", "limits", "action_limits", "backlog", "oldest_schedule_time", "leased", "workers", "tasks_per_second", "etag")
    class ActionLimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: QueueLimits
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[QueueLimits, _Mapping]] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ACTION_LIMITS_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SCHEDULE_TIME_FIELD_NUMBER: _ClassVar[int]
    LEASED_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    TASKS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    paused: bool
    limits: QueueLimits
    action_limits: _containers.MessageMap[str, QueueLimits]
    backlog: int
    oldest_schedule_time: _timestamp_pb2.Timestamp
    leased: int
    workers: int
    tasks_per_second: float
    etag: str
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ..., paused: bool = ..., limits: _Optional[_Union[QueueLimits, _Mapping]] = ..., action_limits: _Optional[_Mapping[str, QueueLimits]] = ..., backlog: _Optional[int] = ..., oldest_schedule_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., leased: _Optional[int] = ..., workers: _Optional[int] = ..., tasks_per_second: _Optional[float] = ..., etag: _Optional[str] = ...) -> None: ...

class QueueLimits(_message.Message):
    __slots__ = ("concurrency", "rate_per_second", "burst")
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    concurrency: int
    rate_per_second: float
    burst: int
    def __init__(self, concurrency: _Optional[int] = ..., rate_per_second: _Optional[float] = ..., burst: _Optional[int] = ...) -> None: ...

class ListWorkersRequest(_message.Message):
    __slots__ = ("project", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListWorkersResponse(_message.Message):
    __slots__ = ("workers", "next_page_token")
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workers: _containers.RepeatedCompositeFieldContainer[Worker]
    next_page_token: str
    def __init__(self, workers: _Optional[_Iterable[_Union[Worker, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetWorkerRequest(_message.Message):
    __slots__ = ("project", "worker_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    worker_id: str
    def __init__(self, project: _Optional[str] = ..., worker_id: _Optional[str] = ...) -> None: ...

class GetWorkerResponse(_message.Message):
    __slots__ = ("worker",)
    WORKER_FIELD_NUMBER: _ClassVar[int]
    worker: Worker
    def __init__(self, worker: _Optional[_Union[Worker, _Mapping]] = ...) -> None: ...

class ListQueuesRequest(_message.Message):
    __slots__ = ("project", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListQueuesResponse(_message.Message):
    __slots__ = ("queues", "next_page_token")
    QUEUES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    queues: _containers.RepeatedCompositeFieldContainer[Queue]
    next_page_token: str
    def __init__(self, queues: _Optional[_Iterable[_Union[Queue, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetQueueRequest(_message.Message):
    __slots__ = ("project", "queue")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ...) -> None: ...

class GetQueueResponse(_message.Message):
    __slots__ = ("queue",)
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    queue: Queue
    def __init__(self, queue: _Optional[_Union[Queue, _Mapping]] = ...) -> None: ...

class UpdateQueueRequest(_message.Message):
    __slots__ = ("project", "queue", "paused", "limits", "action_limits", "etag")
    class ActionLimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: QueueLimits
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[QueueLimits, _Mapping]] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ACTION_LIMITS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    queue: str
    paused: bool
    limits: QueueLimits
    action_limits: _containers.MessageMap[str, QueueLimits]
    etag: str
    def __init__(self, project: _Optional[str] = ..., queue: _Optional[str] = ..., paused: bool = ..., limits: _Optional[_Union[QueueLimits, _Mapping]] = ..., action_limits: _Optional[_Mapping[str, QueueLimits]] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateQueueResponse(_message.Message):
    __slots__ = ("queue",)
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    queue: Queue
    def __init__(self, queue: _Optional[_Union[Queue, _Mapping]] = ...) -> None: ...
