"""Finding a server for the live tests, or saying clearly that there is none."""

from __future__ import annotations

import os
from typing import Any

import pytest

from autan.testing import LocalServer, find_binary, start_local


def local_server(**options: Any) -> LocalServer:
    if find_binary() is None:
        message = "NO SERVER: set AUTAN_BINARY, or put autan on the PATH"
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(message)
        pytest.skip(message)
    return start_local(**options)
