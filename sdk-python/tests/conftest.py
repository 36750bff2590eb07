"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake import FakeServer
from worker_server import WorkerServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()


@pytest.fixture
def server() -> Iterator[WorkerServer]:
    found = WorkerServer()
    yield found
    found.stop()
