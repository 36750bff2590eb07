import datetime

from autan._proto.v1 import executions_pb2 as _executions_pb2
from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import tasks_pb2 as _tasks_pb2
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

class ActionKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_KIND_UNSPECIFIED: _ClassVar[ActionKind]
    ACTION_KIND_SYSTEM: _ClassVar[ActionKind]
    ACTION_KIND_ADHOC: _ClassVar[ActionKind]
    ACTION_KIND_WORKER: _ClassVar[ActionKind]
ACTION_KIND_UNSPECIFIED: ActionKind
ACTION_KIND_SYSTEM: ActionKind
ACTION_KIND_ADHOC: ActionKind
ACTION_KIND_WORKER: ActionKind

class Action(_message.Message):
    __slots__ = ("project", "namespace", "name", "kind", "revision", "revision_hash", "source", "description", "tags", "input", "base", "asynchronous", "workbook", "create_time", "update_time", "etag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_HASH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    ASYNCHRONOUS_FIELD_NUMBER: _ClassVar[int]
    WORKBOOK_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    kind: ActionKind
    revision: int
    revision_hash: str
    source: str
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    input: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.InputParameter]
    base: str
    asynchronous: bool
    workbook: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[_Union[ActionKind, str]] = ..., revision: _Optional[int] = ..., revision_hash: _Optional[str] = ..., source: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., input: _Optional[_Iterable[_Union[_workflows_pb2.InputParameter, _Mapping]]] = ..., base: _Optional[str] = ..., asynchronous: bool = ..., workbook: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateActionRequest(_message.Message):
    __slots__ = ("project", "namespace", "source", "validate_only", "strict", "request_id", "allow_existing")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ALLOW_EXISTING_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    source: str
    validate_only: bool
    strict: bool
    request_id: str
    allow_existing: bool
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., source: _Optional[str] = ..., validate_only: bool = ..., strict: bool = ..., request_id: _Optional[str] = ..., allow_existing: bool = ...) -> None: ...

class CreateActionResponse(_message.Message):
    __slots__ = ("actions", "warnings")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    warnings: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.Diagnostic]
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_workflows_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class UpdateActionRequest(_message.Message):
    __slots__ = ("project", "namespace", "source", "validate_only", "strict", "request_id", "etag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    source: str
    validate_only: bool
    strict: bool
    request_id: str
    etag: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., source: _Optional[str] = ..., validate_only: bool = ..., strict: bool = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class UpdateActionResponse(_message.Message):
    __slots__ = ("actions", "warnings")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    warnings: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.Diagnostic]
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_workflows_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class GetActionRequest(_message.Message):
    __slots__ = ("project", "namespace", "name", "revision", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    revision: int
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., revision: _Optional[int] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class GetActionResponse(_message.Message):
    __slots__ = ("action",)
    ACTION_FIELD_NUMBER: _ClassVar[int]
    action: Action
    def __init__(self, action: _Optional[_Union[Action, _Mapping]] = ...) -> None: ...

class ListActionsRequest(_message.Message):
    __slots__ = ("project", "namespace", "kind", "page_size", "page_token", "filter", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    kind: ActionKind
    page_size: int
    page_token: str
    filter: str
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., kind: _Optional[_Union[ActionKind, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class ListActionsResponse(_message.Message):
    __slots__ = ("actions", "next_page_token")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    next_page_token: str
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListActionRevisionsRequest(_message.Message):
    __slots__ = ("project", "namespace", "name", "page_size", "page_token", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    page_size: int
    page_token: str
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class ListActionRevisionsResponse(_message.Message):
    __slots__ = ("actions", "next_page_token")
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    actions: _containers.RepeatedCompositeFieldContainer[Action]
    next_page_token: str
    def __init__(self, actions: _Optional[_Iterable[_Union[Action, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteActionRequest(_message.Message):
    __slots__ = ("project", "namespace", "name", "etag", "allow_missing", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    etag: str
    allow_missing: bool
    request_id: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., allow_missing: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteActionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ValidateActionRequest(_message.Message):
    __slots__ = ("project", "source", "strict")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    project: str
    source: str
    strict: bool
    def __init__(self, project: _Optional[str] = ..., source: _Optional[str] = ..., strict: bool = ...) -> None: ...

class ValidateActionResponse(_message.Message):
    __slots__ = ("valid", "diagnostics")
    VALID_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    diagnostics: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.Diagnostic]
    def __init__(self, valid: bool = ..., diagnostics: _Optional[_Iterable[_Union[_workflows_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class RunActionRequest(_message.Message):
    __slots__ = ("project", "namespace", "action_name", "input", "environment_name", "environment_variables", "execution_id", "id_conflict_policy", "labels", "description", "wait_timeout", "synchronous", "save", "request_id", "validate_only", "payload_format", "timeout", "target")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ACTION_NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_NAME_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_VARIABLES_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ID_CONFLICT_POLICY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    WAIT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    SYNCHRONOUS_FIELD_NUMBER: _ClassVar[int]
    SAVE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    action_name: str
    input: _payloads_pb2.Payload
    environment_name: str
    environment_variables: _payloads_pb2.Payload
    execution_id: str
    id_conflict_policy: _executions_pb2.IdConflictPolicy
    labels: _containers.ScalarMap[str, str]
    description: str
    wait_timeout: _duration_pb2.Duration
    synchronous: bool
    save: bool
    request_id: str
    validate_only: bool
    payload_format: _payloads_pb2.PayloadFormat
    timeout: _duration_pb2.Duration
    target: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., action_name: _Optional[str] = ..., input: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., environment_name: _Optional[str] = ..., environment_variables: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., execution_id: _Optional[str] = ..., id_conflict_policy: _Optional[_Union[_executions_pb2.IdConflictPolicy, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., description: _Optional[str] = ..., wait_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., synchronous: bool = ..., save: bool = ..., request_id: _Optional[str] = ..., validate_only: bool = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., target: _Optional[str] = ...) -> None: ...

class RunActionResponse(_message.Message):
    __slots__ = ("action_execution", "execution", "finished", "started")
    ACTION_EXECUTION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    action_execution: _tasks_pb2.ActionExecution
    execution: _executions_pb2.Execution
    finished: bool
    started: bool
    def __init__(self, action_execution: _Optional[_Union[_tasks_pb2.ActionExecution, _Mapping]] = ..., execution: _Optional[_Union[_executions_pb2.Execution, _Mapping]] = ..., finished: bool = ..., started: bool = ...) -> None: ...
