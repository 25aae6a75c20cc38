"""The only I/O on a session's path: bytes and line signals of ports, pseudo-terminals and network connections."""
