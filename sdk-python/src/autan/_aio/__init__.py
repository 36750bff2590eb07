"""The async client, and the one source of both: `tools/unasync.py` makes the blocking one of it."""
