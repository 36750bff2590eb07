"""Client of Autan, the durable workflow service.

`Client` is asynchronous, `SyncClient` blocks; they have the same methods. `Workflow` and `Task`
define workflows in code. `Worker` and `SyncWorker` provide actions, which are functions.
`autan.models` is what the server answers with, `autan.errors` what it refuses with, and
`autan.testing` runs a server, or single actions, for tests.
"""

from autan._aio.client import Client
from autan._aio.executions import ExecutionHandle
from autan._aio.runs import ActionRun
from autan._core.documents import Document
from autan._sync_generated.client import SyncClient
from autan._sync_generated.executions import SyncExecutionHandle
from autan._sync_generated.runs import SyncActionRun
from autan._transport.options import TlsConfig
from autan._transport.retry import RetryPolicy
from autan._worker.actions import action
from autan._worker.context import ActionContext, CancelCause, Deferred
from autan._worker.worker import SyncWorker, Worker, WorkerHealth
from autan.converter import Converter, DefaultConverter
from autan.define import (
    AdHocAction,
    Fail,
    Go,
    Input,
    On,
    Pause,
    Retry,
    Succeed,
    Task,
    TaskDefaults,
    Workbook,
    Workflow,
    document,
)
from autan.errors import (
    ActionCancelled,
    AlreadyExists,
    AutanError,
    DeadlineExceeded,
    ExecutionAlreadyExists,
    ExecutionCancelled,
    ExecutionError,
    ExecutionFailed,
    ExecutionNotFound,
    ExpressionError,
    ExpressionFailed,
    FailedPrecondition,
    InputMismatch,
    InvalidArgument,
    InvalidDefinition,
    NonRetryable,
    NotFound,
    PayloadError,
    RetryAfter,
    RpcError,
    Unavailable,
)
from autan.models import (
    ActionExecution,
    ActionState,
    Binary,
    Execution,
    ExecutionState,
    ExpressionLanguage,
    HistoryEvent,
    IdConflictPolicy,
    TaskExecution,
    TaskState,
    View,
    WatchStart,
)

__version__ = "0.1.0"

__all__ = [
    "ActionCancelled",
    "ActionContext",
    "ActionExecution",
    "ActionRun",
    "ActionState",
    "AdHocAction",
    "AlreadyExists",
    "AutanError",
    "Binary",
    "CancelCause",
    "Client",
    "Converter",
    "DeadlineExceeded",
    "DefaultConverter",
    "Deferred",
    "Document",
    "Execution",
    "ExecutionAlreadyExists",
    "ExecutionCancelled",
    "ExecutionError",
    "ExecutionFailed",
    "ExecutionHandle",
    "ExecutionNotFound",
    "ExecutionState",
    "ExpressionError",
    "ExpressionFailed",
    "ExpressionLanguage",
    "Fail",
    "FailedPrecondition",
    "Go",
    "HistoryEvent",
    "IdConflictPolicy",
    "Input",
    "InputMismatch",
    "InvalidArgument",
    "InvalidDefinition",
    "NonRetryable",
    "NotFound",
    "On",
    "Pause",
    "PayloadError",
    "Retry",
    "RetryAfter",
    "RetryPolicy",
    "RpcError",
    "Succeed",
    "SyncActionRun",
    "SyncClient",
    "SyncExecutionHandle",
    "SyncWorker",
    "Task",
    "TaskDefaults",
    "TaskExecution",
    "TaskState",
    "TlsConfig",
    "Unavailable",
    "View",
    "WatchStart",
    "Workbook",
    "Worker",
    "WorkerHealth",
    "Workflow",
    "action",
    "document",
]
