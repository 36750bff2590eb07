"""Batches against a scripted server: what is sent for each verb, and how answers are read."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.timestamp_pb2 import Timestamp

from autan import Client, models
from autan._proto.v1 import batches_pb2 as pb
from fake import FakeServer
from messages import AT_ONCE

VERBS: list[tuple[models.BatchVerb, dict[str, Any]]] = [
    (models.BatchPause(), {"pause": {}}),
    (models.BatchPause(timeouts_run=True), {"pause": {"timeoutsRun": True}}),
    (models.BatchResume(), {"resume": {}}),
    (models.BatchResume(env={"a": 1}), {"resume": {"env": {"json": '{"a":1}'}}}),
    (models.BatchCancel(), {"cancel": {}}),
    (models.BatchTerminate(), {"terminate": {}}),
    (
        models.BatchRerun(reset=True, env={"a": 1}),
        {"rerun": {"reset": True, "env": {"json": '{"a":1}'}}},
    ),
    (models.BatchRollback(), {"rollback": {}}),
    (models.BatchDelete(force=True), {"delete": {"force": True}}),
]


def client_of(fake: FakeServer) -> Client:
    return Client(fake.address, project="p", retry=AT_ONCE)


def operation(state: str) -> pb.BatchOperation:
    return pb.BatchOperation(
        project="p",
        batch_id="b1",
        state=f"BATCH_STATE_{state}",
        verb=pb.BatchVerb(pause=pb.BatchPause()),
        filter="state = RUNNING",
        rate=7,
        matched=5,
        done=3,
        skipped=1,
        failed=1,
        errors=[pb.BatchError(execution_id="u1", reason="STORE_UNAVAILABLE", message="away")],
        reason="lunch",
        create_time=Timestamp(seconds=60),
    )


async def test_each_verb_is_sent_as_it_is(fake: FakeServer) -> None:
    fake.on("BatchUpdateExecutions", pb.BatchUpdateExecutionsResponse(batch=operation("PENDING")))
    async with client_of(fake) as client:
        for verb, _ in VERBS:
            await client.batches.start(verb, filter="x", rate=7, reason="lunch")
    sent = fake.requests["BatchUpdateExecutions"]
    assert [json_format.MessageToDict(request.verb) for request in sent] == [w for _, w in VERBS]
    assert all((r.project, r.filter, r.rate, r.reason) == ("p", "x", 7, "lunch") for r in sent)
    assert len({request.request_id for request in sent}) == len(VERBS)
    assert not any(request.validate_only for request in sent)


async def test_a_preview_changes_nothing(fake: FakeServer) -> None:
    answer = pb.BatchUpdateExecutionsResponse(
        batch=pb.BatchOperation(matched=2), sample_execution_ids=["e1", "e2"]
    )
    fake.on("BatchUpdateExecutions", answer)
    async with client_of(fake) as client:
        found = await client.batches.preview(models.BatchDelete(), ids=["e1", "e2"])
        with pytest.raises(TypeError, match="a list of ids"):
            await client.batches.preview(models.BatchDelete(), ids="e1")
    assert found == models.BatchPreview(matched=2, sample=("e1", "e2"))
    (sent,) = fake.requests["BatchUpdateExecutions"]
    assert (sent.validate_only, list(sent.execution_ids)) == (True, ["e1", "e2"])


async def test_progress_is_read_and_waited_for(fake: FakeServer) -> None:
    fake.on(
        "GetBatchOperation",
        pb.GetBatchOperationResponse(batch=operation("RUNNING")),
        pb.GetBatchOperationResponse(batch=operation("DONE")),
    )
    fake.on("CancelBatchOperation", pb.CancelBatchOperationResponse(batch=operation("CANCELLED")))
    fake.on(
        "ListBatchOperations",
        pb.ListBatchOperationsResponse(batches=[operation("DONE")], next_page_token="more"),
        pb.ListBatchOperationsResponse(batches=[operation("RUNNING")]),
    )
    async with client_of(fake) as client:
        done = await client.batches.wait("b1")
        cancelled = await client.batches.cancel("b1")
        listed = [batch.state.name async for batch in client.batches.list(page_size=1)]
    assert len(fake.requests["GetBatchOperation"]) == 2
    assert (done.state, cancelled.state) == (models.BatchState.DONE, models.BatchState.CANCELLED)
    assert listed == ["DONE", "RUNNING"]
    assert (done.verb, done.filter, done.rate) == ("pause", "state = RUNNING", 7)
    assert (done.matched, done.done, done.skipped, done.failed) == (5, 3, 1, 1)
    error = models.BatchError(execution_id="u1", reason="STORE_UNAVAILABLE", message="away")
    assert list(done.errors) == [error]
    assert (done.create_time, done.end_time) == (
        datetime(1970, 1, 1, 0, 1, tzinfo=timezone.utc),
        None,
    )
    assert fake.requests["CancelBatchOperation"][0].request_id
