"""The state machines of a session: no I/O, no clock. Bytes and time in, effects out."""
