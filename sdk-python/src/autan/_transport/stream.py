"""What both kinds of streams share: limits, and how a silent stream is reported."""

from __future__ import annotations

from autan.errors import Code, Unavailable

READ_AHEAD_MAX = 256
"""Messages kept for a consumer that is slower than the server.

Unread messages must not be left on the connection: they would fill its window and, in great numbers
of small ones, break it for all its streams. When this many wait, the stream is ended; the consumer
gets what was read and then resumes.
"""

STREAMS_PER_CHANNEL = 4
"""Watches that share a connection, so that a stalled one holds up few others."""


def silent(seconds: float) -> Unavailable:
    """Returns the error for a stream on which even heartbeats are missing."""
    return Unavailable(
        f"nothing was heard from the server for {seconds:g} s",
        code=Code.UNAVAILABLE,
        retryable=True,
    )
