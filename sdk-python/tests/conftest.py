"""What all tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fake import FakeServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    server = FakeServer()
    yield server
    server.stop()
