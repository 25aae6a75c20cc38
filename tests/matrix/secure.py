"""TLS: servers of a pair, and the verbs of the host programs whose dialects have it."""

from __future__ import annotations

import queue
import socket
import ssl
from pathlib import Path

from support import certificate
from support.rig import LIMIT_S, Server, echo

from matrix import fibocom_sockets, wipsoft_sockets
from matrix.certificates import trusted
from matrix.fibocom import FibocomHost
from matrix.host import Connection, HostProgram
from matrix.stage import SERVER
from matrix.wipsoft import WipsoftHost


def connect(host: HostProgram, name: str, port: int, form: str = "") -> Connection:
    """A TLS client, in the usual form unless another is named. Raises :class:`matrix.host.Failure`."""
    if isinstance(host, WipsoftHost):
        return host.connect(name, port, form, protocol=wipsoft_sockets.TLS)
    assert isinstance(host, FibocomHost)
    return host.connect(name, port, form, protocol=fibocom_sockets.TLS)


class SecureEcho:
    """Proves to be :data:`matrix.stage.SERVER`, and sends back what comes."""

    def __init__(self, folder: Path) -> None:
        self._context = trusted(folder)
        self._server = Server(self._serve)
        self.port = self._server.port

    def _serve(self, connection: socket.socket) -> None:
        with self._context.wrap_socket(connection, server_side=True) as peer:
            self.met(peer)

    def met(self, peer: ssl.SSLSocket) -> None:
        """A client has taken the server for what it says to be."""
        echo(peer)

    def close(self) -> None:
        self._server.close()


class SecureHold(SecureEcho):
    """The same, and leaves its clients to the test."""

    def __init__(self, folder: Path) -> None:
        self._peers: queue.Queue[ssl.SSLSocket] = queue.Queue()
        super().__init__(folder)

    def _serve(self, connection: socket.socket) -> None:
        self._peers.put(self._context.wrap_socket(connection, server_side=True))

    def arrived(self) -> ssl.SSLSocket:
        """Wait for the next client."""
        return self._peers.get(timeout=LIMIT_S)


class Stranger(SecureEcho):
    """Says that it is the same server, on nobody's word but its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        own = folder / "stranger"
        own.mkdir()
        self._context, _ = certificate.make(own, f"DNS:{SERVER}")
