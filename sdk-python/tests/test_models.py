"""Enumerations and events stay in step with the contract, and open to newer ones."""

from __future__ import annotations

from typing import Any

import pytest

from autan import models
from autan._core import events
from autan._proto.v1 import (
    batches_pb2,
    counts_pb2,
    executions_pb2,
    history_pb2,
    payloads_pb2,
    states_pb2,
    tasks_pb2,
    workers_pb2,
    workflows_pb2,
)

ENUMS: list[tuple[type[models.OpenEnum], Any]] = [
    (models.ExecutionState, states_pb2.ExecutionState),
    (models.TaskState, states_pb2.TaskState),
    (models.ActionState, states_pb2.ActionState),
    (models.TaskType, tasks_pb2.TaskType),
    (models.TimerKind, history_pb2.TimerKind),
    (models.View, payloads_pb2.View),
    (models.DocumentKind, workflows_pb2.DocumentKind),
    (models.Severity, workflows_pb2.Severity),
    (models.IdConflictPolicy, executions_pb2.IdConflictPolicy),
    (models.CountGroup, counts_pb2.CountGroup),
    (models.BatchState, batches_pb2.BatchState),
    (models.WatchStart, executions_pb2.WatchStart),
    (models.LeaseStatus, workers_pb2.LeaseStatus),
    (models.LeaseLoss, history_pb2.LeaseLoss),
]


@pytest.mark.parametrize(("ours", "theirs"), ENUMS, ids=lambda e: getattr(e, "__name__", ""))
def test_enum_equals_the_contract(ours: type[models.OpenEnum], theirs: Any) -> None:
    assert {m.wire_name: m.value for m in ours} == dict(theirs.items())


def test_unknown_number_is_kept() -> None:
    state = models.ExecutionState(99)
    assert (state, str(state), f"{state}", state.recognized) == (
        99,
        "UNRECOGNIZED_99",
        "UNRECOGNIZED_99",
        False,
    )
    assert not state.final
    with pytest.raises(ValueError, match="no value 99"):
        _ = state.wire_name


@pytest.mark.parametrize("bad", ["SUCCESS", None, 1.5])
def test_enum_refuses_what_is_no_number(bad: Any) -> None:
    with pytest.raises(ValueError, match="is not a valid"):
        models.ExecutionState(bad)


@pytest.mark.parametrize(
    "kind",
    list(history_pb2.HistoryEvent.DESCRIPTOR.oneofs_by_name["event"].fields),
    ids=lambda f: f.name,
)
def test_every_event_has_a_class_with_its_fields(kind: Any) -> None:
    message = history_pb2.HistoryEvent(sequence=1)
    getattr(message, kind.name).SetInParent()
    event = events.event(message)
    assert event.type == kind.name
    assert type(event.data).__name__ == kind.message_type.name
    names = {n.rstrip("_") for n in type(event.data).__dataclass_fields__}
    assert names == {f.name for f in kind.message_type.fields}


def test_unknown_event_is_kept() -> None:
    known = history_pb2.HistoryEvent(sequence=3).SerializeToString()
    # Field 99, length-delimited, two bytes.
    message = history_pb2.HistoryEvent.FromString(known + b"\x9a\x06\x02ab")
    event = events.event(message)
    assert (event.sequence, event.type) == (3, "unknown")
    assert event.data == models.UnknownEvent(field_number=99, data=b"ab")
