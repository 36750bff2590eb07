"""Workflows put together in code, and rendered as documents in the workflow language."""

from autan.define.task import Retry, Rollback, Task, TaskDefaults
from autan.define.transition import Fail, Go, On, Pause, Succeed
from autan.define.workflow import AdHocAction, Input, Workbook, Workflow, document

__all__ = [
    "AdHocAction",
    "Fail",
    "Go",
    "Input",
    "On",
    "Pause",
    "Retry",
    "Rollback",
    "Succeed",
    "Task",
    "TaskDefaults",
    "Workbook",
    "Workflow",
    "document",
]
