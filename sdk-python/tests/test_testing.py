"""`start_local` with stand-ins for the server: scripts that come up, or do not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from autan.testing import LocalServerError, find_binary, start_local

# Answers health checks as a server does, the first one with NOT_SERVING.
HEALTHY = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import grpc

args = dict(zip(sys.argv[2:], sys.argv[3:]))
assert sys.argv[1] == "serve" and "--dev" in args, sys.argv
answers = iter([b"\\x08\\x02"])

def check(request, context):
    return next(answers, b"\\x08\\x01")

server = grpc.server(ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
    "grpc.health.v1.Health", {"Check": grpc.unary_unary_rpc_method_handler(check)}),))
port = server.add_insecure_port(args["--listen"])
server.start()
if "--data-dir" in args:
    Path(args["--data-dir"], "seen").touch()
Path(args["--port-file"]).write_text(f"127.0.0.1:{port}\\n")
threading.Event().wait()
"""
BROKEN = "import sys; print('no such option', file=sys.stderr); sys.exit(3)"
SILENT = "import threading; threading.Event().wait()"


def script(folder: Path, text: str) -> Path:
    file = folder / "autan"
    file.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    file.chmod(0o755)
    return file


def test_blocking(tmp_path: Path) -> None:
    with start_local(binary=script(tmp_path, HEALTHY), data_dir=tmp_path) as server:
        process = server._process
        assert process is not None
        assert server.address.startswith("127.0.0.1:")
        assert (tmp_path / "seen").exists()
        assert process.poll() is None
    assert process.poll() is not None
    # The same one can be started again.
    with server:
        assert server._process is not process


async def test_async(tmp_path: Path) -> None:
    async with start_local(binary=script(tmp_path, HEALTHY)) as server:
        process = server._process
        assert process is not None
        server.kill()
        assert process.poll() is not None


def test_fails_with_the_log(tmp_path: Path) -> None:
    server = start_local(binary=script(tmp_path, BROKEN))
    with pytest.raises(LocalServerError, match=r"ended with code 3:\nno such option"), server:
        pass
    assert server._folder is None


async def test_does_not_come_up(tmp_path: Path) -> None:
    server = start_local(binary=script(tmp_path, SILENT), timeout=0.05)
    with pytest.raises(LocalServerError, match=r"did not come up in 0\.05 s"):
        async with server:
            pass
    assert server._process is None


async def test_cancelled_start_leaves_no_process(tmp_path: Path) -> None:
    server = start_local(binary=script(tmp_path, SILENT))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(server.__aenter__(), 0.1)
    assert server._process is None


def test_finding_the_binary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTAN_BINARY", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary() is None
    with pytest.raises(LocalServerError, match="set AUTAN_BINARY"):
        start_local()
    file = script(tmp_path, "")
    assert find_binary() == file
    monkeypatch.setenv("AUTAN_BINARY", os.fspath(tmp_path / "missing"))
    with pytest.raises(LocalServerError, match="is not an executable file"):
        find_binary()
