"""How bytes get to the server: addresses, channels, retries, streams, errors.

Async and blocking transports are written twice by hand, in `aio` and `blocking`; they have the same
methods, and everything that needs no waiting is shared by both in the other modules.
"""
