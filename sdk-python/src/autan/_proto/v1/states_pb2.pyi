from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ExecutionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXECUTION_STATE_UNSPECIFIED: _ClassVar[ExecutionState]
    EXECUTION_STATE_IDLE: _ClassVar[ExecutionState]
    EXECUTION_STATE_RUNNING: _ClassVar[ExecutionState]
    EXECUTION_STATE_PAUSED: _ClassVar[ExecutionState]
    EXECUTION_STATE_SUCCESS: _ClassVar[ExecutionState]
    EXECUTION_STATE_ERROR: _ClassVar[ExecutionState]
    EXECUTION_STATE_CANCELLED: _ClassVar[ExecutionState]
    EXECUTION_STATE_ROLLING_BACK: _ClassVar[ExecutionState]
    EXECUTION_STATE_ROLLED_BACK: _ClassVar[ExecutionState]

class TaskState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TASK_STATE_UNSPECIFIED: _ClassVar[TaskState]
    TASK_STATE_IDLE: _ClassVar[TaskState]
    TASK_STATE_WAITING: _ClassVar[TaskState]
    TASK_STATE_RUNNING: _ClassVar[TaskState]
    TASK_STATE_DELAYED: _ClassVar[TaskState]
    TASK_STATE_PAUSED: _ClassVar[TaskState]
    TASK_STATE_SUCCESS: _ClassVar[TaskState]
    TASK_STATE_ERROR: _ClassVar[TaskState]
    TASK_STATE_CANCELLED: _ClassVar[TaskState]
    TASK_STATE_SKIPPED: _ClassVar[TaskState]

class ActionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACTION_STATE_UNSPECIFIED: _ClassVar[ActionState]
    ACTION_STATE_RUNNING: _ClassVar[ActionState]
    ACTION_STATE_PAUSED: _ClassVar[ActionState]
    ACTION_STATE_SUCCESS: _ClassVar[ActionState]
    ACTION_STATE_ERROR: _ClassVar[ActionState]
    ACTION_STATE_CANCELLED: _ClassVar[ActionState]
EXECUTION_STATE_UNSPECIFIED: ExecutionState
EXECUTION_STATE_IDLE: ExecutionState
EXECUTION_STATE_RUNNING: ExecutionState
EXECUTION_STATE_PAUSED: ExecutionState
EXECUTION_STATE_SUCCESS: ExecutionState
EXECUTION_STATE_ERROR: ExecutionState
EXECUTION_STATE_CANCELLED: ExecutionState
EXECUTION_STATE_ROLLING_BACK: ExecutionState
EXECUTION_STATE_ROLLED_BACK: ExecutionState
TASK_STATE_UNSPECIFIED: TaskState
TASK_STATE_IDLE: TaskState
TASK_STATE_WAITING: TaskState
TASK_STATE_RUNNING: TaskState
TASK_STATE_DELAYED: TaskState
TASK_STATE_PAUSED: TaskState
TASK_STATE_SUCCESS: TaskState
TASK_STATE_ERROR: TaskState
TASK_STATE_CANCELLED: TaskState
TASK_STATE_SKIPPED: TaskState
ACTION_STATE_UNSPECIFIED: ActionState
ACTION_STATE_RUNNING: ActionState
ACTION_STATE_PAUSED: ActionState
ACTION_STATE_SUCCESS: ActionState
ACTION_STATE_ERROR: ActionState
ACTION_STATE_CANCELLED: ActionState
