import datetime

from autan._proto.v1 import batches_pb2 as _batches_pb2
from autan._proto.v1 import counts_pb2 as _counts_pb2
from autan._proto.v1 import deletion_pb2 as _deletion_pb2
from autan._proto.v1 import explain_pb2 as _explain_pb2
from autan._proto.v1 import graph_pb2 as _graph_pb2
from autan._proto.v1 import history_pb2 as _history_pb2
from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import states_pb2 as _states_pb2
from autan._proto.v1 import watch_pb2 as _watch_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_KIND_UNSPECIFIED: _ClassVar[ExecutionKind]
    EXECUTION_KIND_WORKFLOW: _ClassVar[ExecutionKind]
    EXECUTION_KIND_ACTION: _ClassVar[ExecutionKind]

class IdConflictPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ID_CONFLICT_POLICY_UNSPECIFIED: _ClassVar[IdConflictPolicy]
    ID_CONFLICT_POLICY_USE_EXISTING: _ClassVar[IdConflictPolicy]
    ID_CONFLICT_POLICY_FAIL: _ClassVar[IdConflictPolicy]

class WatchStart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_START_UNSPECIFIED: _ClassVar[WatchStart]
    WATCH_START_BEGINNING: _ClassVar[WatchStart]
    WATCH_START_SNAPSHOT: _ClassVar[WatchStart]
    WATCH_START_LATEST: _ClassVar[WatchStart]

class WaitUntil(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WAIT_UNTIL_UNSPECIFIED: _ClassVar[WaitUntil]
    WAIT_UNTIL_FINISHED: _ClassVar[WaitUntil]
    WAIT_UNTIL_DRAINED: _ClassVar[WaitUntil]
EXECUTION_KIND_UNSPECIFIED: ExecutionKind
EXECUTION_KIND_WORKFLOW: ExecutionKind
EXECUTION_KIND_ACTION: ExecutionKind
ID_CONFLICT_POLICY_UNSPECIFIED: IdConflictPolicy
ID_CONFLICT_POLICY_USE_EXISTING: IdConflictPolicy
ID_CONFLICT_POLICY_FAIL: IdConflictPolicy
WATCH_START_UNSPECIFIED: WatchStart
WATCH_START_BEGINNING: WatchStart
WATCH_START_SNAPSHOT: WatchStart
WATCH_START_LATEST: WatchStart
WAIT_UNTIL_UNSPECIFIED: WaitUntil
WAIT_UNTIL_FINISHED: WaitUntil
WAIT_UNTIL_DRAINED: WaitUntil

class Execution(_message.Message):
    __slots__ = ("project", "execution_id", "uid", "workflow_name", "workflow_namespace", "workflow_revision", "state", "state_info", "run", "last_sequence", "input", "output", "params", "error", "labels", "description", "create_time", "update_time", "end_time", "parent_task_execution_id", "root_execution_id", "item_index", "progress", "published_global", "kind", "expire_time", "etag", "source_execution_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_REVISION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PARENT_TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ROOT_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_GLOBAL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SOURCE_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    uid: str
    workflow_name: str
    workflow_namespace: str
    workflow_revision: int
    state: _states_pb2.ExecutionState
    state_info: str
    run: int
    last_sequence: int
    input: _payloads_pb2.Payload
    output: _payloads_pb2.Payload
    params: _payloads_pb2.Payload
    error: _payloads_pb2.Failure
    labels: _containers.ScalarMap[str, str]
    description: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    parent_task_execution_id: str
    root_execution_id: str
    item_index: int
    progress: Progress
    published_global: _payloads_pb2.Payload
    kind: ExecutionKind
    expire_time: _timestamp_pb2.Timestamp
    etag: str
    source_execution_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., uid: _Optional[str] = ..., workflow_name: _Optional[str] = ..., workflow_namespace: _Optional[str] = ..., workflow_revision: _Optional[int] = ..., state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., state_info: _Optional[str] = ..., run: _Optional[int] = ..., last_sequence: _Optional[int] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., output: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., params: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., error: _Optional[_Union[_payloads_pb2.Failure, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., description: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent_task_execution_id: _Optional[str] = ..., root_execution_id: _Optional[str] = ..., item_index: _Optional[int] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., published_global: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., kind: _Optional[_Union[ExecutionKind, str]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., source_execution_id: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("total", "active", "success", "error", "cancelled", "skipped", "running_actions", "rolled_back", "undoing", "undo_failed")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_ACTIONS_FIELD_NUMBER: _ClassVar[int]
    ROLLED_BACK_FIELD_NUMBER: _ClassVar[int]
    UNDOING_FIELD_NUMBER: _ClassVar[int]
    UNDO_FAILED_FIELD_NUMBER: _ClassVar[int]
    total: int
    active: int
    success: int
    error: int
    cancelled: int
    skipped: int
    running_actions: int
    rolled_back: int
    undoing: int
    undo_failed: int
    def __init__(self, total: _Optional[int] = ..., active: _Optional[int] = ..., success: _Optional[int] = ..., error: _Optional[int] = ..., cancelled: _Optional[int] = ..., skipped: _Optional[int] = ..., running_actions: _Optional[int] = ..., rolled_back: _Optional[int] = ..., undoing: _Optional[int] = ..., undo_failed: _Optional[int] = ...) -> None: ...

class StartExecutionRequest(_message.Message):
    __slots__ = ("project", "workflow_namespace", "workflow_name", "workflow_revision", "execution_id", "input", "params", "labels", "description", "id_conflict_policy", "request_id", "validate_only", "payload_format", "environment_name", "environment_variables")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_REVISION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ID_CONFLICT_POLICY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    project: str
    workflow_namespace: str
    workflow_name: str
    workflow_revision: int
    execution_id: str
    input: _payloads_pb2.Payload
    params: _payloads_pb2.Payload
    labels: _containers.ScalarMap[str, str]
    description: str
    id_conflict_policy: IdConflictPolicy
    request_id: str
    validate_only: bool
    payload_format: _payloads_pb2.PayloadFormat
    environment_name: str
    environment_variables: _payloads_pb2.Payload
    def __init__(self, project: _Optional[str] = ..., workflow_namespace: _Optional[str] = ..., workflow_name: _Optional[str] = ..., workflow_revision: _Optional[int] = ..., execution_id: _Optional[str] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., params: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., description: _Optional[str] = ..., id_conflict_policy: _Optional[_Union[IdConflictPolicy, str]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., environment_name: _Optional[str] = ..., environment_variables: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class StartExecutionResponse(_message.Message):
    __slots__ = ("execution", "started")
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    started: bool
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ..., started: bool = ...) -> None: ...

class GetExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "view", "payload_format", "read_mask")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    READ_MASK_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    read_mask: _field_mask_pb2.FieldMask
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., read_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class ListExecutionsRequest(_message.Message):
    __slots__ = ("project", "filter", "page_size", "page_token", "view", "payload_format")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    project: str
    filter: str
    page_size: int
    page_token: str
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    def __init__(self, project: _Optional[str] = ..., filter: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ...) -> None: ...

class ListExecutionsResponse(_message.Message):
    __slots__ = ("executions", "next_page_token")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    executions: _containers.RepeatedCompositeFieldContainer[Execution]
    next_page_token: str
    def __init__(self, executions: _Optional[_Iterable[_Union[Execution, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "after_sequence", "start_at", "heartbeat_interval", "include_payloads", "payload_format", "follow_reruns")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_RERUNS_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    after_sequence: int
    start_at: WatchStart
    heartbeat_interval: _duration_pb2.Duration
    include_payloads: bool
    payload_format: _payloads_pb2.PayloadFormat
    follow_reruns: bool
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., start_at: _Optional[_Union[WatchStart, str]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., include_payloads: bool = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., follow_reruns: bool = ...) -> None: ...

class WatchExecutionResponse(_message.Message):
    __slots__ = ("snapshot", "events", "heartbeat", "end")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    snapshot: Execution
    events: HistoryEventBatch
    heartbeat: WatchHeartbeat
    end: WatchEnd
    def __init__(self, snapshot: _Optional[_Union[Execution, _Mapping]] = ..., events: _Optional[_Union[HistoryEventBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[WatchHeartbeat, _Mapping]] = ..., end: _Optional[_Union[WatchEnd, _Mapping]] = ...) -> None: ...

class HistoryEventBatch(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_history_pb2.HistoryEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_history_pb2.HistoryEvent, _Mapping]]] = ...) -> None: ...

class WatchHeartbeat(_message.Message):
    __slots__ = ("last_sequence",)
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    last_sequence: int
    def __init__(self, last_sequence: _Optional[int] = ...) -> None: ...

class WatchEnd(_message.Message):
    __slots__ = ("reason", "resume_after_sequence", "retry_delay", "execution")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESUME_AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    reason: _watch_pb2.WatchEndReason
    resume_after_sequence: int
    retry_delay: _duration_pb2.Duration
    execution: Execution
    def __init__(self, reason: _Optional[_Union[_watch_pb2.WatchEndReason, str]] = ..., resume_after_sequence: _Optional[int] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class WaitExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "timeout", "view", "payload_format", "until")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    timeout: _duration_pb2.Duration
    view: _payloads_pb2.View
    payload_format: _payloads_pb2.PayloadFormat
    until: WaitUntil
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., until: _Optional[_Union[WaitUntil, str]] = ...) -> None: ...

class WaitExecutionResponse(_message.Message):
    __slots__ = ("execution", "finished", "drained")
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    DRAINED_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    finished: bool
    drained: bool
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ..., finished: bool = ..., drained: bool = ...) -> None: ...

class PauseExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "reason", "request_id", "timeouts_run")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_RUN_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    reason: str
    request_id: str
    timeouts_run: bool
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., timeouts_run: bool = ...) -> None: ...

class PauseExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class ResumeExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "env", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    env: _payloads_pb2.Payload
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., env: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ResumeExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class CancelExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CancelExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class TerminateExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class TerminateExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class StopExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "outcome", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    outcome: _states_pb2.ExecutionState
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., outcome: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class StopExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class RerunExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "task_execution_id", "reset", "env", "reason", "request_id", "input")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    task_execution_id: str
    reset: bool
    env: _payloads_pb2.Payload
    reason: str
    request_id: str
    input: _payloads_pb2.Payload
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., task_execution_id: _Optional[str] = ..., reset: bool = ..., env: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class RerunExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class RollbackExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "to_task_execution_id", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TO_TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    to_task_execution_id: str
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., to_task_execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RollbackExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class RestartExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "new_execution_id", "latest_revision", "input", "params", "environment_name", "environment_variables", "labels", "clear_labels", "description", "reason", "request_id")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    NEW_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    LATEST_REVISION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CLEAR_LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    new_execution_id: str
    latest_revision: bool
    input: _payloads_pb2.Payload
    params: _payloads_pb2.Payload
    environment_name: str
    environment_variables: _payloads_pb2.Payload
    labels: _containers.ScalarMap[str, str]
    clear_labels: bool
    description: str
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., new_execution_id: _Optional[str] = ..., latest_revision: bool = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., params: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., environment_name: _Optional[str] = ..., environment_variables: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., clear_labels: bool = ..., description: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class RestartExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class UpdateExecutionRequest(_message.Message):
    __slots__ = ("project", "execution_id", "labels", "description", "environment", "update_mask", "reason", "request_id", "etag")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    labels: _containers.ScalarMap[str, str]
    description: str
    environment: _payloads_pb2.Payload
    update_mask: _field_mask_pb2.FieldMask
    reason: str
    request_id: str
    etag: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., description: _Optional[str] = ..., environment: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateExecutionResponse(_message.Message):
    __slots__ = ("execution",)
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ...) -> None: ...

class WatchExecutionsResponse(_message.Message):
    __slots__ = ("changes", "heartbeat", "end")
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    changes: ExecutionChanges
    heartbeat: _watch_pb2.WatchExecutionsHeartbeat
    end: _watch_pb2.WatchExecutionsEnd
    def __init__(self, changes: _Optional[_Union[ExecutionChanges, _Mapping]] = ..., heartbeat: _Optional[_Union[_watch_pb2.WatchExecutionsHeartbeat, _Mapping]] = ..., end: _Optional[_Union[_watch_pb2.WatchExecutionsEnd, _Mapping]] = ...) -> None: ...

class ExecutionChanges(_message.Message):
    __slots__ = ("executions", "deleted", "resume_token", "events")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    executions: _containers.RepeatedCompositeFieldContainer[Execution]
    deleted: _containers.RepeatedCompositeFieldContainer[_watch_pb2.DeletedExecution]
    resume_token: str
    events: _containers.RepeatedCompositeFieldContainer[ExecutionEvents]
    def __init__(self, executions: _Optional[_Iterable[_Union[Execution, _Mapping]]] = ..., deleted: _Optional[_Iterable[_Union[_watch_pb2.DeletedExecution, _Mapping]]] = ..., resume_token: _Optional[str] = ..., events: _Optional[_Iterable[_Union[ExecutionEvents, _Mapping]]] = ...) -> None: ...

class ExecutionEvents(_message.Message):
    __slots__ = ("execution", "events", "earliest_sequence")
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    EARLIEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    execution: Execution
    events: _containers.RepeatedCompositeFieldContainer[_history_pb2.HistoryEvent]
    earliest_sequence: int
    def __init__(self, execution: _Optional[_Union[Execution, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_history_pb2.HistoryEvent, _Mapping]]] = ..., earliest_sequence: _Optional[int] = ...) -> None: ...
