from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CountGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNT_GROUP_UNSPECIFIED: _ClassVar[CountGroup]
    COUNT_GROUP_STATE: _ClassVar[CountGroup]
    COUNT_GROUP_WORKFLOW_NAME: _ClassVar[CountGroup]
COUNT_GROUP_UNSPECIFIED: CountGroup
COUNT_GROUP_STATE: CountGroup
COUNT_GROUP_WORKFLOW_NAME: CountGroup

class CountExecutionsRequest(_message.Message):
    __slots__ = ("project", "filter", "group_by")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    project: str
    filter: str
    group_by: CountGroup
    def __init__(self, project: _Optional[str] = ..., filter: _Optional[str] = ..., group_by: _Optional[_Union[CountGroup, str]] = ...) -> None: ...

class CountExecutionsResponse(_message.Message):
    __slots__ = ("total", "groups")
    class GroupsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    total: int
    groups: _containers.ScalarMap[str, int]
    def __init__(self, total: _Optional[int] = ..., groups: _Optional[_Mapping[str, int]] = ...) -> None: ...
