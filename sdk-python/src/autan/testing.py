"""For tests: a server of its own, `start_local()`, and actions without one, `ActionTester`.

    async with start_local() as server, server.client() as client:
        ...

or, blocking, `with start_local() as server, server.sync_client() as client`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from autan._aio.client import Client
from autan._sync_generated.client import SyncClient
from autan._worker.tester import ActionOutcome, ActionTester
from autan.errors import AutanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

__all__ = [
    "BINARY_VARIABLE",
    "ActionOutcome",
    "ActionTester",
    "LocalServer",
    "LocalServerError",
    "find_binary",
    "start_local",
]

BINARY_VARIABLE = "AUTAN_BINARY"
# grpc.health.v1.HealthCheckResponse{status: SERVING}; too little to depend on a package for.
_SERVING = b"\x08\x01"
_LOG_TAIL_BYTES = 4096
_KILL_AFTER = 10.0


class LocalServerError(AutanError):
    """The local server could not be found or did not come up."""


def find_binary() -> Path | None:
    """Returns the `autan` binary: the one that AUTAN_BINARY names, or one on the PATH, or None.

    Raises:
        LocalServerError: AUTAN_BINARY names something that cannot be run.
    """
    named = os.environ.get(BINARY_VARIABLE, "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise LocalServerError(f"{BINARY_VARIABLE}={named} is not an executable file")
        return Path(found).resolve()
    found = shutil.which("autan")
    return None if found is None else Path(found).resolve()


def start_local(
    *,
    binary: str | Path | None = None,
    data_dir: str | Path | None = None,
    port: int = 0,
    args: Sequence[str] = (),
    timeout: float = 30.0,
) -> LocalServer:
    """Returns a server that runs while its `with` or `async with` block does.

    It listens on the loopback interface. Without `data_dir` it keeps everything in memory.

    Args:
        binary: The `autan` binary; None = `find_binary()`.
        data_dir: Folder of a persistent store, which a later server may be started on again.
        port: Port to listen on, such as that of an earlier server; 0 = a free one.
        args: Further arguments of `autan serve`.
        timeout: How long it may take to come up, in seconds.

    Raises:
        LocalServerError: There is no binary. On entering the block: the server did not come up.
    """
    found = Path(binary) if binary is not None else find_binary()
    if found is None:
        raise LocalServerError(
            f"there is no autan binary: set {BINARY_VARIABLE}, or put autan on the PATH"
        )
    folder = None if data_dir is None else Path(data_dir)
    return LocalServer(found, folder, args, timeout, port=port)


class LocalServer:
    """A running server; made by `start_local`.

    Attributes:
        address: "host:port" that it listens on, inside the block.
    """

    def __init__(
        self,
        binary: Path,
        data_dir: Path | None,
        args: Sequence[str],
        timeout: float,
        *,
        port: int = 0,
    ) -> None:
        self.address = ""
        self._binary = binary
        self._data_dir = data_dir
        self._args = args
        self._timeout = timeout
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._given_up = threading.Event()

    def client(self, **options: Any) -> Client:
        """Returns a client of the server; options as of `Client`."""
        return Client(self.address, **options)

    def sync_client(self, **options: Any) -> SyncClient:
        """Returns a blocking client of the server; options as of `SyncClient`."""
        return SyncClient(self.address, **options)

    @property
    def log(self) -> str:
        """The last 4 KiB of what the server wrote to its log."""
        if self._folder is None:
            return ""
        data = (Path(self._folder.name) / "log").read_bytes()
        return data[-_LOG_TAIL_BYTES:].decode(errors="replace")

    def kill(self) -> None:
        """Kills the server at once, as a crash would; for tests of what survives one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> LocalServer:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop()

    async def __aenter__(self) -> LocalServer:
        starting = asyncio.get_running_loop().run_in_executor(None, self._start)
        try:
            await asyncio.shield(starting)
        except BaseException:
            # If it is this task that was cancelled, the thread is told, and awaited.
            self._given_up.set()
            await asyncio.wait([starting])
            await asyncio.to_thread(self._stop)
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._stop)

    def _start(self) -> None:
        if self._process is not None:
            raise LocalServerError("the local server runs already")
        self._given_up.clear()
        self._folder = tempfile.TemporaryDirectory(prefix="autan-local-")
        port_file = Path(self._folder.name) / "port"
        command = [str(self._binary), "serve", "--dev", "--listen", f"127.0.0.1:{self._port}"]
        command += ["--port-file", str(port_file)]
        if self._data_dir is not None:
            command += ["--data-dir", str(self._data_dir)]
        command += self._args
        deadline = time.monotonic() + self._timeout
        with (Path(self._folder.name) / "log").open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            except OSError as error:
                raise LocalServerError(f"cannot run {self._binary}: {error}") from error
        self.address = self._await_address(port_file, deadline)
        self._await_serving(deadline)

    def _await_address(self, port_file: Path, deadline: float) -> str:
        # Files have no portable way to be waited for.
        pause = 0.005
        while True:
            try:
                text = port_file.read_text(encoding="utf-8").strip()
            except FileNotFoundError:
                text = ""
            if text:
                return text
            self._check(deadline)
            self._given_up.wait(pause)
            pause = min(pause * 2, 0.2)

    def _await_serving(self, deadline: float) -> None:
        with grpc.insecure_channel(self.address) as channel:
            check: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
            pause = 0.005
            while True:
                try:
                    if check(b"", timeout=1.0, wait_for_ready=True) == _SERVING:
                        return
                except grpc.RpcError:
                    pass  # Whatever it is, the check below knows when it is enough.
                self._check(deadline)
                self._given_up.wait(pause)
                pause = min(pause * 2, 0.2)

    def _check(self, deadline: float) -> None:
        """Raises if there is nothing more to wait for."""
        if self._given_up.is_set():
            raise LocalServerError("the start of the local server was given up")
        code = None if self._process is None else self._process.poll()
        if code is not None:
            raise LocalServerError(f"the local server ended with code {code}:\n{self.log}")
        if time.monotonic() > deadline:
            raise LocalServerError(
                f"the local server did not come up in {self._timeout:g} s:\n{self.log}"
            )

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(_KILL_AFTER)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()
