"""A web proxy that opens ways through (RFC 9110, 9.3.6)."""

from __future__ import annotations

import select
import socket

from support.rig import Server


def ways_through(port: int) -> Server:
    """Every way leads to a port of this computer; who asks for something else is refused."""

    def serve(link: socket.socket) -> None:
        head = b""
        with link, socket.create_connection(("127.0.0.1", port)) as there:
            while b"\r\n\r\n" not in head:
                head += link.recv(4096)
            if not head.startswith(b"CONNECT "):
                link.sendall(b"HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n")
                return
            link.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
            other = {link: there, there: link}
            while True:
                for one in select.select([link, there], [], [])[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    other[one].sendall(data)

    return Server(serve)
