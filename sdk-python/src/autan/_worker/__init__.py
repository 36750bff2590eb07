"""Workers: programs that provide actions.

`actions` and `signature` know the functions, `calls` and `runners` call them, `desk` keeps the
leases, `session` talks to the server on a thread of its own, and `worker` is what users see.
"""
