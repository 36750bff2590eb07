import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import states_pb2 as _states_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIMER_KIND_UNSPECIFIED: _ClassVar[TimerKind]
    TIMER_KIND_WAIT_BEFORE: _ClassVar[TimerKind]
    TIMER_KIND_WAIT_AFTER: _ClassVar[TimerKind]
    TIMER_KIND_RETRY: _ClassVar[TimerKind]
    TIMER_KIND_TIMEOUT: _ClassVar[TimerKind]

class LeaseLoss(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEASE_LOSS_UNSPECIFIED: _ClassVar[LeaseLoss]
    LEASE_LOSS_EXPIRED: _ClassVar[LeaseLoss]
    LEASE_LOSS_SILENT: _ClassVar[LeaseLoss]
    LEASE_LOSS_RELEASED: _ClassVar[LeaseLoss]
TIMER_KIND_UNSPECIFIED: TimerKind
TIMER_KIND_WAIT_BEFORE: TimerKind
TIMER_KIND_WAIT_AFTER: TimerKind
TIMER_KIND_RETRY: TimerKind
TIMER_KIND_TIMEOUT: TimerKind
LEASE_LOSS_UNSPECIFIED: LeaseLoss
LEASE_LOSS_EXPIRED: LeaseLoss
LEASE_LOSS_SILENT: LeaseLoss
LEASE_LOSS_RELEASED: LeaseLoss

class HistoryEvent(_message.Message):
    __slots__ = ("sequence", "event_time", "run", "task_execution_id", "task_name", "principal", "identity", "execution_started", "execution_state_changed", "task_created", "task_state_changed", "action_started", "action_state_changed", "variables_published", "timer_started", "timer_fired", "child_started", "verb_applied", "environment_changed", "result_ignored", "execution_drained", "task_input_changed", "action_lease_lost")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STARTED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    TASK_CREATED_FIELD_NUMBER: _ClassVar[int]
    TASK_STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ACTION_STARTED_FIELD_NUMBER: _ClassVar[int]
    ACTION_STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    TIMER_STARTED_FIELD_NUMBER: _ClassVar[int]
    TIMER_FIRED_FIELD_NUMBER: _ClassVar[int]
    CHILD_STARTED_FIELD_NUMBER: _ClassVar[int]
    VERB_APPLIED_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_CHANGED_FIELD_NUMBER: _ClassVar[int]
    RESULT_IGNORED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_DRAINED_FIELD_NUMBER: _ClassVar[int]
    TASK_INPUT_CHANGED_FIELD_NUMBER: _ClassVar[int]
    ACTION_LEASE_LOST_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    event_time: _timestamp_pb2.Timestamp
    run: int
    task_execution_id: str
    task_name: str
    principal: str
    identity: str
    execution_started: ExecutionStarted
    execution_state_changed: ExecutionStateChanged
    task_created: TaskCreated
    task_state_changed: TaskStateChanged
    action_started: ActionStarted
    action_state_changed: ActionStateChanged
    variables_published: VariablesPublished
    timer_started: TimerStarted
    timer_fired: TimerFired
    child_started: ChildStarted
    verb_applied: VerbApplied
    environment_changed: EnvironmentChanged
    result_ignored: ResultIgnored
    execution_drained: ExecutionDrained
    task_input_changed: TaskInputChanged
    action_lease_lost: ActionLeaseLost
    def __init__(self, sequence: _Optional[int] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run: _Optional[int] = ..., task_execution_id: _Optional[str] = ..., task_name: _Optional[str] = ..., principal: _Optional[str] = ..., identity: _Optional[str] = ..., execution_started: _Optional[_Union[ExecutionStarted, _Mapping]] = ..., execution_state_changed: _Optional[_Union[ExecutionStateChanged, _Mapping]] = ..., task_created: _Optional[_Union[TaskCreated, _Mapping]] = ..., task_state_changed: _Optional[_Union[TaskStateChanged, _Mapping]] = ..., action_started: _Optional[_Union[ActionStarted, _Mapping]] = ..., action_state_changed: _Optional[_Union[ActionStateChanged, _Mapping]] = ..., variables_published: _Optional[_Union[VariablesPublished, _Mapping]] = ..., timer_started: _Optional[_Union[TimerStarted, _Mapping]] = ..., timer_fired: _Optional[_Union[TimerFired, _Mapping]] = ..., child_started: _Optional[_Union[ChildStarted, _Mapping]] = ..., verb_applied: _Optional[_Union[VerbApplied, _Mapping]] = ..., environment_changed: _Optional[_Union[EnvironmentChanged, _Mapping]] = ..., result_ignored: _Optional[_Union[ResultIgnored, _Mapping]] = ..., execution_drained: _Optional[_Union[ExecutionDrained, _Mapping]] = ..., task_input_changed: _Optional[_Union[TaskInputChanged, _Mapping]] = ..., action_lease_lost: _Optional[_Union[ActionLeaseLost, _Mapping]] = ...) -> None: ...

class ExecutionStarted(_message.Message):
    __slots__ = ("workflow_name", "workflow_revision", "input", "parent_task_execution_id", "source_execution_id")
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_REVISION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    PARENT_TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    workflow_name: str
    workflow_revision: int
    input: _payloads_pb2.Payload
    parent_task_execution_id: str
    source_execution_id: str
    def __init__(self, workflow_name: _Optional[str] = ..., workflow_revision: _Optional[int] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., parent_task_execution_id: _Optional[str] = ..., source_execution_id: _Optional[str] = ...) -> None: ...

class ExecutionStateChanged(_message.Message):
    __slots__ = ("previous_state", "state", "state_info", "output")
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    previous_state: _states_pb2.ExecutionState
    state: _states_pb2.ExecutionState
    state_info: str
    output: _payloads_pb2.Payload
    def __init__(self, previous_state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., state: _Optional[_Union[_states_pb2.ExecutionState, str]] = ..., state_info: _Optional[str] = ..., output: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class TaskCreated(_message.Message):
    __slots__ = ("state", "triggered_by", "undo_of")
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIGGERED_BY_FIELD_NUMBER: _ClassVar[int]
    UNDO_OF_FIELD_NUMBER: _ClassVar[int]
    state: _states_pb2.TaskState
    triggered_by: _containers.RepeatedScalarFieldContainer[str]
    undo_of: str
    def __init__(self, state: _Optional[_Union[_states_pb2.TaskState, str]] = ..., triggered_by: _Optional[_Iterable[str]] = ..., undo_of: _Optional[str] = ...) -> None: ...

class TaskStateChanged(_message.Message):
    __slots__ = ("previous_state", "state", "state_info")
    PREVIOUS_STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_INFO_FIELD_NUMBER: _ClassVar[int]
    previous_state: _states_pb2.TaskState
    state: _states_pb2.TaskState
    state_info: str
    def __init__(self, previous_state: _Optional[_Union[_states_pb2.TaskState, str]] = ..., state: _Optional[_Union[_states_pb2.TaskState, str]] = ..., state_info: _Optional[str] = ...) -> None: ...

class ActionStarted(_message.Message):
    __slots__ = ("action_execution_id", "action_name", "item_index", "attempt", "input")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_NAME_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    action_name: str
    item_index: int
    attempt: int
    input: _payloads_pb2.Payload
    def __init__(self, action_execution_id: _Optional[str] = ..., action_name: _Optional[str] = ..., item_index: _Optional[int] = ..., attempt: _Optional[int] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class ActionStateChanged(_message.Message):
    __slots__ = ("action_execution_id", "state", "output")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    state: _states_pb2.ActionState
    output: _payloads_pb2.Payload
    def __init__(self, action_execution_id: _Optional[str] = ..., state: _Optional[_Union[_states_pb2.ActionState, str]] = ..., output: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class VariablesPublished(_message.Message):
    __slots__ = ("branch",)
    BRANCH_FIELD_NUMBER: _ClassVar[int]
    GLOBAL_FIELD_NUMBER: _ClassVar[int]
    branch: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, branch: _Optional[_Iterable[str]] = ..., **kwargs) -> None: ...

class TimerStarted(_message.Message):
    __slots__ = ("kind", "due_time")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    kind: TimerKind
    due_time: _timestamp_pb2.Timestamp
    def __init__(self, kind: _Optional[_Union[TimerKind, str]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TimerFired(_message.Message):
    __slots__ = ("kind",)
    KIND_FIELD_NUMBER: _ClassVar[int]
    kind: TimerKind
    def __init__(self, kind: _Optional[_Union[TimerKind, str]] = ...) -> None: ...

class ChildStarted(_message.Message):
    __slots__ = ("child_execution_id", "workflow_name", "item_index")
    CHILD_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAME_FIELD_NUMBER: _ClassVar[int]
    ITEM_INDEX_FIELD_NUMBER: _ClassVar[int]
    child_execution_id: str
    workflow_name: str
    item_index: int
    def __init__(self, child_execution_id: _Optional[str] = ..., workflow_name: _Optional[str] = ..., item_index: _Optional[int] = ...) -> None: ...

class VerbApplied(_message.Message):
    __slots__ = ("verb", "reason", "request_id")
    VERB_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    verb: str
    reason: str
    request_id: str
    def __init__(self, verb: _Optional[str] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EnvironmentChanged(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class ResultIgnored(_message.Message):
    __slots__ = ("action_execution_id", "reason")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    reason: str
    def __init__(self, action_execution_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class ExecutionDrained(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class TaskInputChanged(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class ListHistoryEventsRequest(_message.Message):
    __slots__ = ("project", "execution_id", "after_sequence", "descending", "page_size", "page_token", "include_payloads", "payload_format", "before_sequence", "event_types", "task_execution_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    BEFORE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    TASK_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_id: str
    after_sequence: int
    descending: bool
    page_size: int
    page_token: str
    include_payloads: bool
    payload_format: _payloads_pb2.PayloadFormat
    before_sequence: int
    event_types: _containers.RepeatedScalarFieldContainer[str]
    task_execution_id: str
    def __init__(self, project: _Optional[str] = ..., execution_id: _Optional[str] = ..., after_sequence: _Optional[int] = ..., descending: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_payloads: bool = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., before_sequence: _Optional[int] = ..., event_types: _Optional[_Iterable[str]] = ..., task_execution_id: _Optional[str] = ...) -> None: ...

class ListHistoryEventsResponse(_message.Message):
    __slots__ = ("events", "next_page_token")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[HistoryEvent]
    next_page_token: str
    def __init__(self, events: _Optional[_Iterable[_Union[HistoryEvent, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ActionLeaseLost(_message.Message):
    __slots__ = ("action_execution_id", "worker", "delivery", "reason")
    ACTION_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    action_execution_id: str
    worker: str
    delivery: int
    reason: LeaseLoss
    def __init__(self, action_execution_id: _Optional[str] = ..., worker: _Optional[str] = ..., delivery: _Optional[int] = ..., reason: _Optional[_Union[LeaseLoss, str]] = ...) -> None: ...
