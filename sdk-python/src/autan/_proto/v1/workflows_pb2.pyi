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

class DocumentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOCUMENT_KIND_UNSPECIFIED: _ClassVar[DocumentKind]
    DOCUMENT_KIND_WORKFLOWS: _ClassVar[DocumentKind]
    DOCUMENT_KIND_WORKBOOK: _ClassVar[DocumentKind]
    DOCUMENT_KIND_ACTIONS: _ClassVar[DocumentKind]

class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEVERITY_UNSPECIFIED: _ClassVar[Severity]
    SEVERITY_ERROR: _ClassVar[Severity]
    SEVERITY_WARNING: _ClassVar[Severity]

class ExpressionLanguage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPRESSION_LANGUAGE_UNSPECIFIED: _ClassVar[ExpressionLanguage]
    EXPRESSION_LANGUAGE_YAQL: _ClassVar[ExpressionLanguage]
    EXPRESSION_LANGUAGE_JINJA: _ClassVar[ExpressionLanguage]
DOCUMENT_KIND_UNSPECIFIED: DocumentKind
DOCUMENT_KIND_WORKFLOWS: DocumentKind
DOCUMENT_KIND_WORKBOOK: DocumentKind
DOCUMENT_KIND_ACTIONS: DocumentKind
SEVERITY_UNSPECIFIED: Severity
SEVERITY_ERROR: Severity
SEVERITY_WARNING: Severity
EXPRESSION_LANGUAGE_UNSPECIFIED: ExpressionLanguage
EXPRESSION_LANGUAGE_YAQL: ExpressionLanguage
EXPRESSION_LANGUAGE_JINJA: ExpressionLanguage

class Workflow(_message.Message):
    __slots__ = ("project", "namespace", "name", "revision", "revision_hash", "source", "description", "tags", "type", "input", "output_keys", "task_names", "workbook", "create_time", "update_time", "etag")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_HASH_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_KEYS_FIELD_NUMBER: _ClassVar[int]
    TASK_NAMES_FIELD_NUMBER: _ClassVar[int]
    WORKBOOK_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    revision: int
    revision_hash: str
    source: str
    description: str
    tags: _containers.RepeatedScalarFieldContainer[str]
    type: str
    input: _containers.RepeatedCompositeFieldContainer[InputParameter]
    output_keys: _containers.RepeatedScalarFieldContainer[str]
    task_names: _containers.RepeatedScalarFieldContainer[str]
    workbook: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., revision: _Optional[int] = ..., revision_hash: _Optional[str] = ..., source: _Optional[str] = ..., description: _Optional[str] = ..., tags: _Optional[_Iterable[str]] = ..., type: _Optional[str] = ..., input: _Optional[_Iterable[_Union[InputParameter, _Mapping]]] = ..., output_keys: _Optional[_Iterable[str]] = ..., task_names: _Optional[_Iterable[str]] = ..., workbook: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ...) -> None: ...

class InputParameter(_message.Message):
    __slots__ = ("name", "required", "default_value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    required: bool
    default_value: _payloads_pb2.Payload
    def __init__(self, name: _Optional[str] = ..., required: bool = ..., default_value: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ...) -> None: ...

class Diagnostic(_message.Message):
    __slots__ = ("severity", "rule", "message", "path", "line", "column", "end_line", "end_column", "suggestion", "excerpt")
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    END_LINE_FIELD_NUMBER: _ClassVar[int]
    END_COLUMN_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    severity: Severity
    rule: str
    message: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    suggestion: str
    excerpt: str
    def __init__(self, severity: _Optional[_Union[Severity, str]] = ..., rule: _Optional[str] = ..., message: _Optional[str] = ..., path: _Optional[str] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., end_line: _Optional[int] = ..., end_column: _Optional[int] = ..., suggestion: _Optional[str] = ..., excerpt: _Optional[str] = ...) -> None: ...

class CreateWorkflowRequest(_message.Message):
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

class CreateWorkflowResponse(_message.Message):
    __slots__ = ("workflows", "warnings")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    warnings: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class UpdateWorkflowRequest(_message.Message):
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

class UpdateWorkflowResponse(_message.Message):
    __slots__ = ("workflows", "warnings")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    warnings: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class GetWorkflowRequest(_message.Message):
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

class GetWorkflowResponse(_message.Message):
    __slots__ = ("workflow",)
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    workflow: Workflow
    def __init__(self, workflow: _Optional[_Union[Workflow, _Mapping]] = ...) -> None: ...

class ListWorkflowsRequest(_message.Message):
    __slots__ = ("project", "namespace", "page_size", "page_token", "filter", "view")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    page_size: int
    page_token: str
    filter: str
    view: _payloads_pb2.View
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., view: _Optional[_Union[_payloads_pb2.View, str]] = ...) -> None: ...

class ListWorkflowsResponse(_message.Message):
    __slots__ = ("workflows", "next_page_token")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    next_page_token: str
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListWorkflowRevisionsRequest(_message.Message):
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

class ListWorkflowRevisionsResponse(_message.Message):
    __slots__ = ("workflows", "next_page_token")
    WORKFLOWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    workflows: _containers.RepeatedCompositeFieldContainer[Workflow]
    next_page_token: str
    def __init__(self, workflows: _Optional[_Iterable[_Union[Workflow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteWorkflowRequest(_message.Message):
    __slots__ = ("project", "namespace", "name", "etag", "force", "allow_missing", "request_id")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    project: str
    namespace: str
    name: str
    etag: str
    force: bool
    allow_missing: bool
    request_id: str
    def __init__(self, project: _Optional[str] = ..., namespace: _Optional[str] = ..., name: _Optional[str] = ..., etag: _Optional[str] = ..., force: bool = ..., allow_missing: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteWorkflowResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ValidateWorkflowRequest(_message.Message):
    __slots__ = ("project", "source", "kind", "strict")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STRICT_FIELD_NUMBER: _ClassVar[int]
    project: str
    source: str
    kind: DocumentKind
    strict: bool
    def __init__(self, project: _Optional[str] = ..., source: _Optional[str] = ..., kind: _Optional[_Union[DocumentKind, str]] = ..., strict: bool = ...) -> None: ...

class ValidateWorkflowResponse(_message.Message):
    __slots__ = ("valid", "diagnostics")
    VALID_FIELD_NUMBER: _ClassVar[int]
    DIAGNOSTICS_FIELD_NUMBER: _ClassVar[int]
    valid: bool
    diagnostics: _containers.RepeatedCompositeFieldContainer[Diagnostic]
    def __init__(self, valid: bool = ..., diagnostics: _Optional[_Iterable[_Union[Diagnostic, _Mapping]]] = ...) -> None: ...

class EvaluateExpressionRequest(_message.Message):
    __slots__ = ("project", "expression", "language", "context", "env", "payload_format")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ENV_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FORMAT_FIELD_NUMBER: _ClassVar[int]
    project: str
    expression: str
    language: ExpressionLanguage
    context: _payloads_pb2.Payload
    env: _payloads_pb2.Payload
    payload_format: _payloads_pb2.PayloadFormat
    def __init__(self, project: _Optional[str] = ..., expression: _Optional[str] = ..., language: _Optional[_Union[ExpressionLanguage, str]] = ..., context: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., env: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., payload_format: _Optional[_Union[_payloads_pb2.PayloadFormat, str]] = ...) -> None: ...

class EvaluateExpressionResponse(_message.Message):
    __slots__ = ("value", "error")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    value: _payloads_pb2.Payload
    error: ExpressionError
    def __init__(self, value: _Optional[_Union[_payloads_pb2.Payload, _Mapping]] = ..., error: _Optional[_Union[ExpressionError, _Mapping]] = ...) -> None: ...

class ExpressionError(_message.Message):
    __slots__ = ("message", "syntax", "offset", "length", "line", "column", "excerpt")
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SYNTAX_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    message: str
    syntax: bool
    offset: int
    length: int
    line: int
    column: int
    excerpt: str
    def __init__(self, message: _Optional[str] = ..., syntax: bool = ..., offset: _Optional[int] = ..., length: _Optional[int] = ..., line: _Optional[int] = ..., column: _Optional[int] = ..., excerpt: _Optional[str] = ...) -> None: ...
