"""From history messages of the contract to `autan.models`, unknown kinds included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.unknown_fields import UnknownFieldSet

from autan import models
from autan._core.decode import time
from autan._core.payload import decode as payload

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from autan._proto.v1 import history_pb2 as pb

UNKNOWN = "unknown"
_LENGTH_DELIMITED = 2


def event(m: pb.HistoryEvent) -> models.HistoryEvent:
    """Reads an event; one of an unknown kind keeps its encoding."""
    kind = m.WhichOneof("event")
    reader = _READERS.get(kind or "")
    return models.HistoryEvent(
        sequence=m.sequence,
        time=time(m, "event_time"),
        run=m.run,
        task_execution_id=m.task_execution_id,
        task_name=m.task_name,
        principal=m.principal,
        identity=m.identity,
        type=kind if kind is not None and reader is not None else UNKNOWN,
        data=_unknown(m) if reader is None else reader(getattr(m, kind or "")),
    )


def _unknown(m: pb.HistoryEvent) -> models.UnknownEvent:
    # Kinds of events have the field numbers from 16 on; other new fields may be there, too.
    fields = UnknownFieldSet(m)
    for field in (fields[i] for i in range(len(fields))):
        if field.field_number >= 16 and field.wire_type == _LENGTH_DELIMITED:  # noqa: PLR2004
            return models.UnknownEvent(field_number=field.field_number, data=field.data)
    return models.UnknownEvent(field_number=0, data=b"")


def _execution_started(m: pb.ExecutionStarted) -> models.ExecutionStarted:
    return models.ExecutionStarted(
        workflow_name=m.workflow_name,
        workflow_revision=m.workflow_revision,
        input=payload(m.input),
        parent_task_execution_id=m.parent_task_execution_id,
        source_execution_id=m.source_execution_id,
    )


def _execution_state_changed(m: pb.ExecutionStateChanged) -> models.ExecutionStateChanged:
    return models.ExecutionStateChanged(
        previous_state=models.ExecutionState(m.previous_state),
        state=models.ExecutionState(m.state),
        state_info=m.state_info,
        output=payload(m.output),
    )


def _task_created(m: pb.TaskCreated) -> models.TaskCreated:
    return models.TaskCreated(
        state=models.TaskState(m.state), triggered_by=tuple(m.triggered_by), undo_of=m.undo_of
    )


def _task_state_changed(m: pb.TaskStateChanged) -> models.TaskStateChanged:
    return models.TaskStateChanged(
        previous_state=models.TaskState(m.previous_state),
        state=models.TaskState(m.state),
        state_info=m.state_info,
    )


def _action_started(m: pb.ActionStarted) -> models.ActionStarted:
    return models.ActionStarted(
        action_execution_id=m.action_execution_id,
        action_name=m.action_name,
        item_index=m.item_index,
        attempt=m.attempt,
        input=payload(m.input),
    )


def _action_state_changed(m: pb.ActionStateChanged) -> models.ActionStateChanged:
    return models.ActionStateChanged(
        action_execution_id=m.action_execution_id,
        state=models.ActionState(m.state),
        output=payload(m.output),
    )


def _variables_published(m: pb.VariablesPublished) -> models.VariablesPublished:
    # `global` is a word of Python, so the field has no attribute of its own.
    names: Any = getattr(m, "global")
    return models.VariablesPublished(branch=tuple(m.branch), global_=tuple(names))


def _timer_started(m: pb.TimerStarted) -> models.TimerStarted:
    return models.TimerStarted(kind=models.TimerKind(m.kind), due_time=time(m, "due_time"))


def _timer_fired(m: pb.TimerFired) -> models.TimerFired:
    return models.TimerFired(kind=models.TimerKind(m.kind))


def _child_started(m: pb.ChildStarted) -> models.ChildStarted:
    return models.ChildStarted(
        child_execution_id=m.child_execution_id,
        workflow_name=m.workflow_name,
        item_index=m.item_index,
    )


def _verb_applied(m: pb.VerbApplied) -> models.VerbApplied:
    return models.VerbApplied(verb=m.verb, reason=m.reason, request_id=m.request_id)


def _environment_changed(m: pb.EnvironmentChanged) -> models.EnvironmentChanged:
    return models.EnvironmentChanged(names=tuple(m.names))


def _result_ignored(m: pb.ResultIgnored) -> models.ResultIgnored:
    return models.ResultIgnored(action_execution_id=m.action_execution_id, reason=m.reason)


def _execution_drained(_: pb.ExecutionDrained) -> models.ExecutionDrained:
    return models.ExecutionDrained()


def _task_input_changed(m: pb.TaskInputChanged) -> models.TaskInputChanged:
    return models.TaskInputChanged(names=tuple(m.names))


def _action_lease_lost(m: pb.ActionLeaseLost) -> models.ActionLeaseLost:
    return models.ActionLeaseLost(
        action_execution_id=m.action_execution_id,
        worker=m.worker,
        delivery=m.delivery,
        reason=models.LeaseLoss(m.reason),
    )


_READERS: Mapping[str, Callable[[Any], models.EventData]] = {
    "execution_started": _execution_started,
    "execution_state_changed": _execution_state_changed,
    "task_created": _task_created,
    "task_state_changed": _task_state_changed,
    "action_started": _action_started,
    "action_state_changed": _action_state_changed,
    "variables_published": _variables_published,
    "timer_started": _timer_started,
    "timer_fired": _timer_fired,
    "child_started": _child_started,
    "verb_applied": _verb_applied,
    "environment_changed": _environment_changed,
    "result_ignored": _result_ignored,
    "execution_drained": _execution_drained,
    "task_input_changed": _task_input_changed,
    "action_lease_lost": _action_lease_lost,
}
