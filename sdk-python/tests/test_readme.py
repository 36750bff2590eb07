"""The first action of the README and of the guide, as they are printed."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from worker_server import PATIENCE, WorkerServer, task

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 15


@pytest.mark.parametrize("name", ["sdk-python/README.md", "docs/workers.md"])
def test_first_action(server: WorkerServer, name: str, tmp_path: Path) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(import os\n.*?worker\.run\(\)\n)```", text, re.DOTALL)
    assert len(program.splitlines()) < LINES_MAX
    file = tmp_path / "stock.py"
    file.write_text(program, encoding="utf-8")
    env = {"PYTHONPATH": str(ROOT / "sdk-python" / "src"), "AUTAN_SERVER": server.address}
    process = subprocess.Popen([sys.executable, str(file)], env=env)
    try:
        session = server.session().welcome()
        session.deal(task("t1", "stock.reserve", '{"sku": "lamp"}'))
        assert session.result("t1").result.json == '{"sku":"lamp","reserved":1}'
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
