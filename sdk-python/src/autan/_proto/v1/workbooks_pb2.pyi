import datetime

from autan._proto.v1 import payloads_pb2 as _payloads_pb2
from autan._proto.v1 import workflows_pb2 as _workflows_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Workbook(_message.Message):
    __slots__ = ("project", "namespace", "name", "source", "description", "tags", "workflow_names", "action_names", "create_time", "update_time", "etag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_NAMES_FIELD_NUMBER: _ClassVar[int]
    ACTION_NAMES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    source: str
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    workflow_names: _containers.RepeatedScalarFieldContainer[str]
    action_names: _containers.RepeatedScalarFieldContainer[str]
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., source: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., workflow_names: _Optional[_Iterable[str]] = ..., action_names: _Optional[_Iterable[str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class CreateWorkbookRequest(_message.Message):
    __slots__ = ("project", "namespace", "source", "validate_only", "strict", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    source: str
    validate_only: bool
    strict: bool
    request_id: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., source: _Optional[str] = ..., validate_only: bool = ..., strict: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class CreateWorkbookResponse(_message.Message):
    __slots__ = ("workbook", "warnings")
    WORKBOOK_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    workbook: Workbook
    warnings: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.Diagnostic]
    def __init__(self, workbook: _Optional[_Union[Workbook, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_workflows_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class UpdateWorkbookRequest(_message.Message):
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

class UpdateWorkbookResponse(_message.Message):
    __slots__ = ("workbook", "warnings")
    WORKBOOK_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    workbook: Workbook
    warnings: _containers.RepeatedCompositeFieldContainer[_workflows_pb2.Diagnostic]
    def __init__(self, workbook: _Optional[_Union[Workbook, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_workflows_pb2.Diagnostic, _Mapping]]] = ...) -> None: ...

class GetWorkbookRequest(_message.Message):
    __slots__ = ("project", "namespace", "name", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class GetWorkbookResponse(_message.Message):
    __slots__ = ("workbook",)
    WORKBOOK_FIELD_NUMBER: _ClassVar[int]
    workbook: Workbook
    def __init__(self, workbook: _Optional[_Union[Workbook, _Mapping]] = ...) -> None: ...

class ListWorkbooksRequest(_message.Message):
    __slots__ = ("project", "namespace", "page_size", "page_token", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    page_size: int
    page_token: str
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class ListWorkbooksResponse(_message.Message):
    __slots__ = ("workbooks", "next_page_token")
    WORKBOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workbooks: _containers.RepeatedCompositeFieldContainer[Workbook]
    next_page_token: str
    def __init__(self, workbooks: _Optional[_Iterable[_Union[Workbook, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteWorkbookRequest(_message.Message):
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

class DeleteWorkbookResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
