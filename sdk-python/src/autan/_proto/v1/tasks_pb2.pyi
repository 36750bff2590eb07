import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import states_pb2 as _states_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TaskType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_TYPE_UNSPECIFIED: _ClassVar[TaskType]
    TASK_TYPE_ACTION: _ClassVar[TaskType]
    TASK_TYPE_WORKFLOW: _ClassVar[TaskType]
TASK_TYPE_UNSPECIFIED: TaskType
TASK_TYPE_ACTION: TaskType
TASK_TYPE_WORKFLOW: TaskType

class TaskExecution(_message.Message):
    __slots__ = ("task_execution_id", "execution_uid", "task_name", "type", "state", "state_info", "result", "published", "published_global", "processed", "attempts", "next_tasks", "triggered_by", "tags", "create_time", "start_time", "update_time", "end_time", "due_time", "timeout_time", "item_count", "undo_of", "undone_by", "rolled_back")
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_UID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_GLOBAL_FIELD_NUMBER: _ClassVar[int]
    PROCESSED_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_TASKS_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_BY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_TIME_FIELD_NUMBER: _ClassVar[int]
    ITEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNDO_OF_FIELD_NUMBER: _ClassVar[int]
    UNDONE_BY_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    task_execution_id: str
    execution_uid: str
    task_name: str
    type: TaskType
    state: _states_pb2.TaskState
    state_info: str
    result: _payloads_pb2.Payload
    published: _payloads_pb2.Payload
    published_global: _payloads_pb2.Payload
    processed: bool
    attempts: int
    next_tasks: _containers.RepeatedScalarFieldContainer[str]
    triggered_by: _containers.RepeatedScalarFieldContainer[str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    timeout_time: _timestamp_pb2.Timestamp
    item_count: int
    undo_of: str
    undone_by: str
    rolled_back: bool
    def __init__(self, task_execution_id: _Optional[str] = ..., execution_uid: _Optional[str] = ..., task_name: _Optional[str] = ..., type: _Optional[_Union[TaskType, str]] = ..., state: _Optional[_Union[_states_pb2.TaskState, str]] = ..., state_info: _Optional[str] = ..., result: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., published: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., published_global: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., processed: bool = ..., attempts: _Optional[int] = ..., next_tasks: _Optional[_Iterable[str]] = ..., triggered_by: _Optional[_Iterable[str]] = ..., tags: _Optional[_Iterable[str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., timeout_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., item_count: _Optional[int] = ..., undo_of: _Optional[str] = ..., undone_by: _Optional[str] = ..., rolled_back: bool = ...) -> None: ...

class ActionExecution(_message.Message):
    __slots__ = ("action_execution_id", "task_execution_id", "execution_uid", "task_name", "name", "state", "input", "output", "accepted", "item_index", "attempt", "child_execution_id", "create_time", "end_time", "lease", "failure")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_UID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CHILD_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    task_execution_id: str
    execution_uid: str
    task_name: str
    name: str
    state: _states_pb2.ActionState
    input: _payloads_pb2.Payload
    output: _payloads_pb2.Payload
    accepted: bool
    item_index: int
    attempt: int
    child_execution_id: str
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    lease: ActionLease
    failure: _payloads_pb2.Failure
    def __init__(self, action_execution_id: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., execution_uid: _Optional[str] = ..., task_name: _Optional[str] = ..., name: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ActionState, str]] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., output: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., accepted: bool = ..., item_index: _Optional[int] = ..., attempt: _Optional[int] = ..., child_execution_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., lease: _Optional[_Union[ActionLease, _Mapping]] = ..., failure: _Optional[_Union[_payloads_pb2.Failure, _Mapping]] = ...) -> None: ...

class ActionLease(_message.Message):
    __slots__ = ("worker_id", "worker_identity", "queue", "delivery", "start_time", "expire_time", "last_heartbeat_time", "progress")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_HEARTBEAT_TIME_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    worker_identity: str
    queue: str
    delivery: int
    start_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    last_heartbeat_time: _timestamp_pb2.Timestamp
    progress: _payloads_pb2.Payload
    def __init__(self, worker_id: _Optional[str] = ..., worker_identity: _Optional[str] = ..., queue: _Optional[str] = ..., delivery: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_heartbeat_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class GetTaskExecutionRequest(_message.Message):
    __slots__ = ("project", "task_execution_id", "view", "payload_format", "read_mask")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    project: str
    task_execution_id: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, project: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetTaskExecutionResponse(_message.Message):
    __slots__ = ("task_execution",)
    TASK_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    task_execution: TaskExecution
    def __init__(self, task_execution: _Optional[_Union[TaskExecution, _Mapping]] = ...) -> None: ...

class ListTaskExecutionsRequest(_message.Message):
    __slots__ = ("project", "execution_id", "filter", "page_size", "page_token", "view", "payload_format")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    filter: str
    page_size: int
    page_token: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ...) -> None: ...

class ListTaskExecutionsResponse(_message.Message):
    __slots__ = ("task_executions", "next_page_token")
    TASK_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    task_executions: _containers.RepeatedCompositeFieldContainer[TaskExecution]
    next_page_token: str
    def __init__(self, task_executions: _Optional[_Iterable[_Union[TaskExecution, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SkipTaskRequest(_message.Message):
    __slots__ = ("project", "task_execution_id", "result", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    task_execution_id: str
    result: _payloads_pb2.Payload
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., result: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class SkipTaskResponse(_message.Message):
    __slots__ = ("task_execution",)
    TASK_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    task_execution: TaskExecution
    def __init__(self, task_execution: _Optional[_Union[TaskExecution, _Mapping]] = ...) -> None: ...

class RetryTaskRequest(_message.Message):
    __slots__ = ("project", "task_execution_id", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    task_execution_id: str
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RetryTaskResponse(_message.Message):
    __slots__ = ("task_execution",)
    TASK_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    task_execution: TaskExecution
    def __init__(self, task_execution: _Optional[_Union[TaskExecution, _Mapping]] = ...) -> None: ...

class GetActionExecutionRequest(_message.Message):
    __slots__ = ("project", "action_execution_id", "view", "payload_format", "read_mask")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    project: str
    action_execution_id: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, project: _Optional[str] = ..., action_execution_id: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetActionExecutionResponse(_message.Message):
    __slots__ = ("action_execution",)
    ACTION_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    action_execution: ActionExecution
    def __init__(self, action_execution: _Optional[_Union[ActionExecution, _Mapping]] = ...) -> None: ...

class ListActionExecutionsRequest(_message.Message):
    __slots__ = ("project", "execution_id", "task_execution_id", "page_size", "page_token", "view", "payload_format")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    task_execution_id: str
    page_size: int
    page_token: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ...) -> None: ...

class ListActionExecutionsResponse(_message.Message):
    __slots__ = ("action_executions", "next_page_token")
    ACTION_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    action_executions: _containers.RepeatedCompositeFieldContainer[ActionExecution]
    next_page_token: str
    def __init__(self, action_executions: _Optional[_Iterable[_Union[ActionExecution, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CompleteActionExecutionRequest(_message.Message):
    __slots__ = ("project", "action_execution_id", "result", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    action_execution_id: str
    result: _payloads_pb2.Payload
    request_id: str
    def __init__(self, project: _Optional[str] = ..., action_execution_id: _Optional[str] = ..., result: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CompleteActionExecutionResponse(_message.Message):
    __slots__ = ("action_execution",)
    ACTION_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    action_execution: ActionExecution
    def __init__(self, action_execution: _Optional[_Union[ActionExecution, _Mapping]] = ...) -> None: ...

class FailActionExecutionRequest(_message.Message):
    __slots__ = ("project", "action_execution_id", "error", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    action_execution_id: str
    error: _payloads_pb2.Payload
    request_id: str
    def __init__(self, project: _Optional[str] = ..., action_execution_id: _Optional[str] = ..., error: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class FailActionExecutionResponse(_message.Message):
    __slots__ = ("action_execution",)
    ACTION_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    action_execution: ActionExecution
    def __init__(self, action_execution: _Optional[_Union[ActionExecution, _Mapping]] = ...) -> None: ...

class UpdateActionExecutionRequest(_message.Message):
    __slots__ = ("project", "action_execution_id", "state", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    action_execution_id: str
    state: _states_pb2.ActionState
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., action_execution_id: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ActionState, str]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateActionExecutionResponse(_message.Message):
    __slots__ = ("action_execution",)
    ACTION_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    action_execution: ActionExecution
    def __init__(self, action_execution: _Optional[_Union[ActionExecution, _Mapping]] = ...) -> None: ...
