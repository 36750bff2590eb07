import datetime

from autan._proto.v1 import states_pb2 as _states_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TransitionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSITION_KIND_UNSPECIFIED: _ClassVar[TransitionKind]
    TRANSITION_KIND_ON_SUCCESS: _ClassVar[TransitionKind]
    TRANSITION_KIND_ON_ERROR: _ClassVar[TransitionKind]
    TRANSITION_KIND_ON_COMPLETE: _ClassVar[TransitionKind]
    TRANSITION_KIND_ON_SKIP: _ClassVar[TransitionKind]
    TRANSITION_KIND_REQUIRES: _ClassVar[TransitionKind]
TRANSITION_KIND_UNSPECIFIED: TransitionKind
TRANSITION_KIND_ON_SUCCESS: TransitionKind
TRANSITION_KIND_ON_ERROR: TransitionKind
TRANSITION_KIND_ON_COMPLETE: TransitionKind
TRANSITION_KIND_ON_SKIP: TransitionKind
TRANSITION_KIND_REQUIRES: TransitionKind

class GetExecutionGraphRequest(_message.Message):
    __slots__ = ("project", "execution_id", "max_depth", "max_nodes", "errors_only", "statistics_only")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    MAX_NODES_FIELD_NUMBER: _ClassVar[int]
    ERRORS_ONLY_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_ONLY_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    max_depth: int
    max_nodes: int
    errors_only: bool
    statistics_only: bool
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., max_depth: _Optional[int] = ..., max_nodes: _Optional[int] = ..., errors_only: bool = ..., statistics_only: bool = ...) -> None: ...

class GetExecutionGraphResponse(_message.Message):
    __slots__ = ("root", "statistics", "truncated")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    STATISTICS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    root: ExecutionNode
    statistics: GraphStatistics
    truncated: bool
    def __init__(self, root: _Optional[_Union[ExecutionNode, _Mapping]] = ..., statistics: _Optional[_Union[GraphStatistics, _Mapping]] = ..., truncated: bool = ...) -> None: ...

class ExecutionNode(_message.Message):
    __slots__ = ("execution_id", "uid", "workflow_name", "state", "state_info", "run", "item_index", "create_time", "end_time", "tasks", "truncated")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    uid: str
    workflow_name: str
    state: _states_pb2.ExecutionState
    state_info: str
    run: int
    item_index: int
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    tasks: _containers.RepeatedCompositeFieldContainer[TaskNode]
    truncated: bool
    def __init__(self, execution_id: _Optional[str] = ..., uid: _Optional[str] = ..., workflow_name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., state_info: _Optional[str] = ..., run: _Optional[int] = ..., item_index: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., tasks: _Optional[_Iterable[_Union[TaskNode, _Mapping]]] = ..., truncated: bool = ...) -> None: ...

class TaskNode(_message.Message):
    __slots__ = ("task_execution_id", "task_name", "state", "state_info", "triggered_by", "attempts", "item_count", "create_time", "start_time", "end_time", "actions", "children", "undo_of", "rolled_back")
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_BY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    UNDO_OF_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    task_execution_id: str
    task_name: str
    state: _states_pb2.TaskState
    state_info: str
    triggered_by: _containers.RepeatedCompositeFieldContainer[GraphEdge]
    attempts: int
    item_count: int
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    actions: _containers.RepeatedCompositeFieldContainer[ActionNode]
    children: _containers.RepeatedCompositeFieldContainer[ExecutionNode]
    undo_of: str
    rolled_back: bool
    def __init__(self, task_execution_id: _Optional[str] = ..., task_name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.TaskState, str]] = ..., state_info: _Optional[str] = ..., triggered_by: _Optional[_Iterable[_Union[GraphEdge, _Mapping]]] = ..., attempts: _Optional[int] = ..., item_count: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actions: _Optional[_Iterable[_Union[ActionNode, _Mapping]]] = ..., children: _Optional[_Iterable[_Union[ExecutionNode, _Mapping]]] = ..., undo_of: _Optional[str] = ..., rolled_back: bool = ...) -> None: ...

class GraphEdge(_message.Message):
    __slots__ = ("task_execution_id", "kind")
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    task_execution_id: str
    kind: TransitionKind
    def __init__(self, task_execution_id: _Optional[str] = ..., kind: _Optional[_Union[TransitionKind, str]] = ...) -> None: ...

class ActionNode(_message.Message):
    __slots__ = ("action_execution_id", "action_name", "state", "attempt", "item_index", "create_time", "end_time")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    action_name: str
    state: _states_pb2.ActionState
    attempt: int
    item_index: int
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, action_execution_id: _Optional[str] = ..., action_name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ActionState, str]] = ..., attempt: _Optional[int] = ..., item_index: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GraphStatistics(_message.Message):
    __slots__ = ("executions", "tasks", "active", "success", "error", "cancelled", "skipped")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    executions: int
    tasks: int
    active: int
    success: int
    error: int
    cancelled: int
    skipped: int
    def __init__(self, executions: _Optional[int] = ..., tasks: _Optional[int] = ..., active: _Optional[int] = ..., success: _Optional[int] = ..., error: _Optional[int] = ..., cancelled: _Optional[int] = ..., skipped: _Optional[int] = ...) -> None: ...
