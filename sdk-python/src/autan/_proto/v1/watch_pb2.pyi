import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchExecutionsStart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_EXECUTIONS_START_UNSPECIFIED: _ClassVar[WatchExecutionsStart]
    WATCH_EXECUTIONS_START_NOW: _ClassVar[WatchExecutionsStart]
    WATCH_EXECUTIONS_START_RETAINED: _ClassVar[WatchExecutionsStart]

class WatchExecutionsMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_EXECUTIONS_MODE_UNSPECIFIED: _ClassVar[WatchExecutionsMode]
    WATCH_EXECUTIONS_MODE_STATES: _ClassVar[WatchExecutionsMode]
    WATCH_EXECUTIONS_MODE_EVENTS: _ClassVar[WatchExecutionsMode]

class WatchEndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_END_REASON_UNSPECIFIED: _ClassVar[WatchEndReason]
    WATCH_END_REASON_TERMINAL: _ClassVar[WatchEndReason]
    WATCH_END_REASON_GOING_AWAY: _ClassVar[WatchEndReason]
    WATCH_END_REASON_MAX_AGE: _ClassVar[WatchEndReason]
    WATCH_END_REASON_SLOW_CONSUMER: _ClassVar[WatchEndReason]
    WATCH_END_REASON_DELETED: _ClassVar[WatchEndReason]
WATCH_EXECUTIONS_START_UNSPECIFIED: WatchExecutionsStart
WATCH_EXECUTIONS_START_NOW: WatchExecutionsStart
WATCH_EXECUTIONS_START_RETAINED: WatchExecutionsStart
WATCH_EXECUTIONS_MODE_UNSPECIFIED: WatchExecutionsMode
WATCH_EXECUTIONS_MODE_STATES: WatchExecutionsMode
WATCH_EXECUTIONS_MODE_EVENTS: WatchExecutionsMode
WATCH_END_REASON_UNSPECIFIED: WatchEndReason
WATCH_END_REASON_TERMINAL: WatchEndReason
WATCH_END_REASON_GOING_AWAY: WatchEndReason
WATCH_END_REASON_MAX_AGE: WatchEndReason
WATCH_END_REASON_SLOW_CONSUMER: WatchEndReason
WATCH_END_REASON_DELETED: WatchEndReason

class WatchExecutionsRequest(_message.Message):
    __slots__ = ("project", "filter", "resume_token", "start_at", "heartbeat_interval", "mode", "event_types", "include_payloads", "payload_format")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    project: str
    filter: str
    resume_token: str
    start_at: WatchExecutionsStart
    heartbeat_interval: _duration_pb2.Duration
    mode: WatchExecutionsMode
    event_types: _containers.RepeatedScalarFieldContainer[str]
    include_payloads: bool
    payload_format: _payloads_pb2.PayloadFormat
    def __init__(self, project: _Optional[str] = ..., filter: _Optional[str] = ..., resume_token: _Optional[str] = ..., start_at: _Optional[_Union[WatchExecutionsStart, str]] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., mode: _Optional[_Union[WatchExecutionsMode, str]] = ..., event_types: _Optional[_Iterable[str]] = ..., include_payloads: bool = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ...) -> None: ...

class DeletedExecution(_message.Message):
    __slots__ = ("execution_id", "uid", "reason", "principal", "request_id", "identity")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    UID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    uid: str
    reason: str
    principal: str
    request_id: str
    identity: str
    def __init__(self, execution_id: _Optional[str] = ..., uid: _Optional[str] = ..., reason: _Optional[str] = ..., principal: _Optional[str] = ..., request_id: _Optional[str] = ..., identity: _Optional[str] = ...) -> None: ...

class WatchExecutionsHeartbeat(_message.Message):
    __slots__ = ("resume_token",)
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    def __init__(self, resume_token: _Optional[str] = ...) -> None: ...

class WatchExecutionsEnd(_message.Message):
    __slots__ = ("reason", "resume_token", "retry_delay")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RETRY_DELAY_FIELD_NUMBER: _ClassVar[int]
    reason: WatchEndReason
    resume_token: str
    retry_delay: _duration_pb2.Duration
    def __init__(self, reason: _Optional[_Union[WatchEndReason, str]] = ..., resume_token: _Optional[str] = ..., retry_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
