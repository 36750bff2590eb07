"""What is said to the server and what is understood of its answers, without any waiting.

One module a service builds requests as `Call`s; `decode` turns answers into `autan.models`; `watch`
decides how events are resumed. Both clients share all of it. Protobuf types stop here.
"""
