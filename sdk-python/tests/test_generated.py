"""What is generated is up to date, and the SDK has all of the contract."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autan import _core
from autan._core import (
    actions,
    batches,
    environments,
    executions,
    expressions,
    insight,
    system,
    tasks,
    watch_many,
    workbooks,
    workers,
    workflows,
)
from autan._core.call import Method
from fake import SERVICES

ROOT = Path(__file__).resolve().parent.parent


def test_blocking_client_is_what_the_async_one_makes() -> None:
    tool = ROOT / "tools" / "unasync.py"
    run = subprocess.run([sys.executable, tool, "--check"], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()


def test_every_method_of_the_contract_is_there() -> None:
    modules = (
        actions,
        batches,
        environments,
        executions,
        expressions,
        insight,
        system,
        tasks,
        watch_many,
        workbooks,
        workers,
        workflows,
    )
    ours = {v.path for m in modules for v in vars(m).values() if isinstance(v, Method)}
    theirs = {
        f"/autan.v1.{name}/{method.name}"
        for messages, _, name in SERVICES
        for method in messages.DESCRIPTOR.services_by_name[name].methods
    }
    assert ours == theirs


@pytest.mark.parametrize("folder", ["_core", "_transport", "_aio", "models", "define", "_worker"])
def test_layers(folder: str) -> None:
    """Protobuf stays in the core, waiting in the transport."""
    forbidden = {
        "_core": ["import asyncio", "import grpc", "import threading"],
        "_transport": ["autan._proto"],
        "_aio": ["autan._proto", "import asyncio", "import grpc"],
        "models": ["autan._proto", "google.protobuf", "import grpc"],
        "_worker": ["autan._proto", "import grpc"],
        "define": ["autan._proto", "google.protobuf", "import grpc", "import yaml"],
    }[folder]
    for file in (Path(_core.__file__).parent.parent / folder).glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not [word for word in forbidden if word in text], file.name
