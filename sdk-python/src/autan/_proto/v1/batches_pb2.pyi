import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BATCH_STATE_UNSPECIFIED: _ClassVar[BatchState]
    BATCH_STATE_PENDING: _ClassVar[BatchState]
    BATCH_STATE_RUNNING: _ClassVar[BatchState]
    BATCH_STATE_DONE: _ClassVar[BatchState]
    BATCH_STATE_CANCELLED: _ClassVar[BatchState]
BATCH_STATE_UNSPECIFIED: BatchState
BATCH_STATE_PENDING: BatchState
BATCH_STATE_RUNNING: BatchState
BATCH_STATE_DONE: BatchState
BATCH_STATE_CANCELLED: BatchState

class BatchVerb(_message.Message):
    __slots__ = ("pause", "resume", "cancel", "terminate", "rerun", "delete", "rollback")
    PAUSE_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    TERMINATE_FIELD_NUMBER: _ClassVar[int]
    RERUN_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    ROLLBACK_FIELD_NUMBER: _ClassVar[int]
    pause: BatchPause
    resume: BatchResume
    cancel: BatchCancel
    terminate: BatchTerminate
    rerun: BatchRerun
    delete: BatchDelete
    rollback: BatchRollback
    def __init__(self, pause: _Optional[_Union[BatchPause, _Mapping]] = ..., resume: _Optional[_Union[BatchResume, _Mapping]] = ..., cancel: _Optional[_Union[BatchCancel, _Mapping]] = ..., terminate: _Optional[_Union[BatchTerminate, _Mapping]] = ..., rerun: _Optional[_Union[BatchRerun, _Mapping]] = ..., delete: _Optional[_Union[BatchDelete, _Mapping]] = ..., rollback: _Optional[_Union[BatchRollback, _Mapping]] = ...) -> None: ...

class BatchPause(_message.Message):
    __slots__ = ("timeouts_run",)
    TIMEOUTS_RUN_FIELD_NUMBER: _ClassVar[int]
    timeouts_run: bool
    def __init__(self, timeouts_run: bool = ...) -> None: ...

class BatchResume(_message.Message):
    __slots__ = ("env",)
    ENV_FIELD_NUMBER: _ClassVar[int]
    env: _payloads_pb2.Payload
    def __init__(self, env: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class BatchCancel(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BatchTerminate(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BatchRerun(_message.Message):
    __slots__ = ("reset", "env")
    RESET_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    reset: bool
    env: _payloads_pb2.Payload
    def __init__(self, reset: bool = ..., env: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class BatchRollback(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class BatchDelete(_message.Message):
    __slots__ = ("force",)
    FORCE_FIELD_NUMBER: _ClassVar[int]
    force: bool
    def __init__(self, force: bool = ...) -> None: ...

class BatchOperation(_message.Message):
    __slots__ = ("project", "batch_id", "state", "verb", "filter", "rate", "matched", "done", "skipped", "failed", "errors", "reason", "identity", "cancelled_by", "create_time", "update_time", "end_time")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    MATCHED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_BY_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    project: str
    batch_id: str
    state: BatchState
    verb: BatchVerb
    filter: str
    rate: int
    matched: int
    done: int
    skipped: int
    failed: int
    errors: _containers.RepeatedCompositeFieldContainer[BatchError]
    reason: str
    identity: str
    cancelled_by: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, project: _Optional[str] = ..., batch_id: _Optional[str] = ..., state: _Optional[_Union[BatchState, str]] = ..., verb: _Optional[_Union[BatchVerb, _Mapping]] = ..., filter: _Optional[str] = ..., rate: _Optional[int] = ..., matched: _Optional[int] = ..., done: _Optional[int] = ..., skipped: _Optional[int] = ..., failed: _Optional[int] = ..., errors: _Optional[_Iterable[_Union[BatchError, _Mapping]]] = ..., reason: _Optional[str] = ..., identity: _Optional[str] = ..., cancelled_by: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BatchError(_message.Message):
    __slots__ = ("execution_id", "reason", "message")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    reason: str
    message: str
    def __init__(self, execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class BatchUpdateExecutionsRequest(_message.Message):
    __slots__ = ("project", "execution_ids", "filter", "verb", "rate", "validate_only", "reason", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_IDS_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VERB_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    execution_ids: _containers.RepeatedScalarFieldContainer[str]
    filter: str
    verb: BatchVerb
    rate: int
    validate_only: bool
    reason: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., execution_ids: _Optional[_Iterable[str]] = ..., filter: _Optional[str] = ..., verb: _Optional[_Union[BatchVerb, _Mapping]] = ..., rate: _Optional[int] = ..., validate_only: bool = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class BatchUpdateExecutionsResponse(_message.Message):
    __slots__ = ("batch", "sample_execution_ids")
    BATCH_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_EXECUTION_IDS_FIELD_NUMBER: _ClassVar[int]
    batch: BatchOperation
    sample_execution_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, batch: _Optional[_Union[BatchOperation, _Mapping]] = ..., sample_execution_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetBatchOperationRequest(_message.Message):
    __slots__ = ("project", "batch_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    batch_id: str
    def __init__(self, project: _Optional[str] = ..., batch_id: _Optional[str] = ...) -> None: ...

class GetBatchOperationResponse(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: BatchOperation
    def __init__(self, batch: _Optional[_Union[BatchOperation, _Mapping]] = ...) -> None: ...

class ListBatchOperationsRequest(_message.Message):
    __slots__ = ("project", "page_size", "page_token")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    project: str
    page_size: int
    page_token: str
    def __init__(self, project: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBatchOperationsResponse(_message.Message):
    __slots__ = ("batches", "next_page_token")
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[BatchOperation]
    next_page_token: str
    def __init__(self, batches: _Optional[_Iterable[_Union[BatchOperation, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CancelBatchOperationRequest(_message.Message):
    __slots__ = ("project", "batch_id", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    batch_id: str
    request_id: str
    def __init__(self, project: _Optional[str] = ..., batch_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class CancelBatchOperationResponse(_message.Message):
    __slots__ = ("batch",)
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: BatchOperation
    def __init__(self, batch: _Optional[_Union[BatchOperation, _Mapping]] = ...) -> None: ...
