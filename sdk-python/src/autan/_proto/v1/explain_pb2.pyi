import datetime

from autan._proto.v1 import history_pb2 as _history_pb2
from autan._proto.v1 import states_pb2 as _states_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ActionRunner(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_RUNNER_UNSPECIFIED: _ClassVar[ActionRunner]
    ACTION_RUNNER_SERVER: _ClassVar[ActionRunner]
    ACTION_RUNNER_EXTERNAL: _ClassVar[ActionRunner]
    ACTION_RUNNER_WORKER: _ClassVar[ActionRunner]
ACTION_RUNNER_UNSPECIFIED: ActionRunner
ACTION_RUNNER_SERVER: ActionRunner
ACTION_RUNNER_EXTERNAL: ActionRunner
ACTION_RUNNER_WORKER: ActionRunner

class ExplainExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "task_execution_id", "max_depth", "max_causes")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    MAX_CAUSES_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    task_execution_id: str
    max_depth: int
    max_causes: int
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., max_depth: _Optional[int] = ..., max_causes: _Optional[int] = ...) -> None: ...

class ExplainExecutionResponse(_message.Message):
    __slots__ = ("uid", "state", "state_info", "causes", "truncated")
    UID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    uid: str
    state: _states_pb2.ExecutionState
    state_info: str
    causes: _containers.RepeatedCompositeFieldContainer[Cause]
    truncated: bool
    def __init__(self, uid: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., state_info: _Optional[str] = ..., causes: _Optional[_Iterable[_Union[Cause, _Mapping]]] = ..., truncated: bool = ...) -> None: ...

class Cause(_message.Message):
    __slots__ = ("text", "task_execution_id", "task_name", "since_time", "until_time", "undo", "action", "timer", "join", "child", "items", "paused", "held", "steps", "unknown")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    UNDO_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    TIMER_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    text: str
    task_execution_id: str
    task_name: str
    since_time: _timestamp_pb2.Timestamp
    until_time: _timestamp_pb2.Timestamp
    undo: bool
    action: ActionCause
    timer: TimerCause
    join: JoinCause
    child: ChildCause
    items: ItemsCause
    paused: PausedCause
    held: HeldCause
    steps: StepsCause
    unknown: UnknownCause
    def __init__(self, text: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., task_name: _Optional[str] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., undo: bool = ..., action: _Optional[_Union[ActionCause, _Mapping]] = ..., timer: _Optional[_Union[TimerCause, _Mapping]] = ..., join: _Optional[_Union[JoinCause, _Mapping]] = ..., child: _Optional[_Union[ChildCause, _Mapping]] = ..., items: _Optional[_Union[ItemsCause, _Mapping]] = ..., paused: _Optional[_Union[PausedCause, _Mapping]] = ..., held: _Optional[_Union[HeldCause, _Mapping]] = ..., steps: _Optional[_Union[StepsCause, _Mapping]] = ..., unknown: _Optional[_Union[UnknownCause, _Mapping]] = ...) -> None: ...

class WorkerWait(_message.Message):
    __slots__ = ("worker_id", "worker_identity", "queue", "delivery", "lease_expire_time", "last_heartbeat_time", "sessions", "queue_paused", "unknown_action", "required_version")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    LEASE_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_TIME_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    QUEUE_PAUSED_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ACTION_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_VERSION_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    worker_identity: str
    queue: str
    delivery: int
    lease_expire_time: _timestamp_pb2.Timestamp
    last_heartbeat_time: _timestamp_pb2.Timestamp
    sessions: int
    queue_paused: bool
    unknown_action: bool
    required_version: str
    def __init__(self, worker_id: _Optional[str] = ..., worker_identity: _Optional[str] = ..., queue: _Optional[str] = ..., delivery: _Optional[int] = ..., lease_expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_heartbeat_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sessions: _Optional[int] = ..., queue_paused: bool = ..., unknown_action: bool = ..., required_version: _Optional[str] = ...) -> None: ...

class ActionCause(_message.Message):
    __slots__ = ("action_execution_id", "action_name", "runner", "state", "attempt", "item_index", "worker")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_NAME_FIELD_NUMBER: _ClassVar[int]
    RUNNER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    action_name: str
    runner: ActionRunner
    state: _states_pb2.ActionState
    attempt: int
    item_index: int
    worker: WorkerWait
    def __init__(self, action_execution_id: _Optional[str] = ..., action_name: _Optional[str] = ..., runner: _Optional[_Union[ActionRunner, str]] = ..., state: _Optional[_Union[_states_pb2.ActionState, str]] = ..., attempt: _Optional[int] = ..., item_index: _Optional[int] = ..., worker: _Optional[_Union[WorkerWait, _Mapping]] = ...) -> None: ...

class TimerCause(_message.Message):
    __slots__ = ("kind", "attempt")
    KIND_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    kind: _history_pb2.TimerKind
    attempt: int
    def __init__(self, kind: _Optional[_Union[_history_pb2.TimerKind, str]] = ..., attempt: _Optional[int] = ...) -> None: ...

class JoinCause(_message.Message):
    __slots__ = ("needed", "arrived", "missing")
    NEEDED_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    needed: int
    arrived: _containers.RepeatedScalarFieldContainer[str]
    missing: _containers.RepeatedCompositeFieldContainer[MissingTask]
    def __init__(self, needed: _Optional[int] = ..., arrived: _Optional[_Iterable[str]] = ..., missing: _Optional[_Iterable[_Union[MissingTask, _Mapping]]] = ...) -> None: ...

class MissingTask(_message.Message):
    __slots__ = ("task_name", "state")
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    task_name: str
    state: _states_pb2.TaskState
    def __init__(self, task_name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.TaskState, str]] = ...) -> None: ...

class ChildCause(_message.Message):
    __slots__ = ("execution_id", "workflow_name", "state", "item_index", "causes")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    workflow_name: str
    state: _states_pb2.ExecutionState
    item_index: int
    causes: _containers.RepeatedCompositeFieldContainer[Cause]
    def __init__(self, execution_id: _Optional[str] = ..., workflow_name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., item_index: _Optional[int] = ..., causes: _Optional[_Iterable[_Union[Cause, _Mapping]]] = ...) -> None: ...

class ItemsCause(_message.Message):
    __slots__ = ("running", "waiting", "concurrency")
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    running: int
    waiting: int
    concurrency: int
    def __init__(self, running: _Optional[int] = ..., waiting: _Optional[int] = ..., concurrency: _Optional[int] = ...) -> None: ...

class PausedCause(_message.Message):
    __slots__ = ("principal", "reason", "by_verb", "identity")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BY_VERB_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    principal: str
    reason: str
    by_verb: bool
    identity: str
    def __init__(self, principal: _Optional[str] = ..., reason: _Optional[str] = ..., by_verb: bool = ..., identity: _Optional[str] = ...) -> None: ...

class HeldCause(_message.Message):
    __slots__ = ("pause_before",)
    PAUSE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    pause_before: bool
    def __init__(self, pause_before: bool = ...) -> None: ...

class StepsCause(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class UnknownCause(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
