"""What a finished execution means to a caller who wants its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autan.errors import ExecutionCancelled, ExecutionFailed
from autan.models.enums import ExecutionState

if TYPE_CHECKING:
    from autan.converter import Converter
    from autan.models.execution import Execution


def outcome(execution: Execution, type_: type[Any] | None, converter: Converter) -> Any:
    """Returns the output, as the type that was asked for.

    Raises:
        ExecutionFailed: It did not end in SUCCESS.
        ExecutionCancelled: It was cancelled.
        PayloadError: The output is not of that type.
    """
    if execution.state == ExecutionState.SUCCESS:
        return execution.output if type_ is None else converter.from_json(execution.output, type_)
    name = f"execution {execution.execution_id!r} of {execution.workflow_name!r}"
    why = execution.error.message if execution.error else ""
    why = why or execution.state_info
    text = f"{name} ended in {execution.state.name}" + (f": {why}" if why else "")
    kind = ExecutionCancelled if execution.state == ExecutionState.CANCELLED else ExecutionFailed
    raise kind(text, execution=execution)
