"""Working a WIPSoft module: the parts put together, and what its messages mean."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Chores, DriverSteps
from gateway.dialect.quirks.wipsoft.connections import TCP, UDP
from gateway.dialect.quirks.wipsoft.driver_data import DataDriver, speaker
from gateway.dialect.quirks.wipsoft.driver_files import FTP, FilesDriver
from gateway.dialect.quirks.wipsoft.driver_ping import PingDriver
from gateway.model.events import DataWaiting, Event, PeerClosed, SocketLost
from gateway.model.requests import CloseSocket, ShutdownTcp
from gateway.model.values import HostSocket


class WipsoftDriver(FilesDriver, PingDriver, DataDriver):
    """See the module's text."""

    def do_shutdown_tcp(self, request: ShutdownTcp) -> DriverSteps:
        """Of a socket, or of the file that the host sends."""
        return self._end_file() if self._is_files(request.socket) else super().do_shutdown_tcp(request)

    def do_close_socket(self, request: CloseSocket) -> DriverSteps:
        """A socket, a listener or the session with a server."""
        return self._close_ftp() if self._is_files(request.socket) else self._close(request.socket)

    def data_ended(self, socket: HostSocket, mark: bytes) -> Chores:
        """Of a file: its own request waits for what the module says of it."""
        if not self._is_files(socket):
            yield from super().data_ended(socket, mark)

    def heard(self, heard: Heard) -> Iterable[Event]:
        """Messages that no request waits for."""
        protocol, index = heard.number("protocol"), heard.number("index")
        socket = self.connections.at(protocol, index)
        match heard.key:
            case "datagram_waiting" | "data_waiting" if socket is not None:
                peer = None
                if heard.key == "datagram_waiting":
                    peer = self.connections.held[socket].speaker = speaker(heard)
                return [DataWaiting(socket, heard.number("size"), peer)]
            case "peer_closed":
                if protocol == FTP:
                    return self._ftp_gone()
                if protocol == UDP:
                    return []  # a datagram's peer cannot close: an echo of our own (X12)
                if protocol == TCP:
                    self.connections.gone.add(index)
                if socket is not None:
                    self.connections.held[socket].peer_closed = True
                    if not self.connections.held[socket].attached:
                        # What it sent can still be read; a host that is in command mode by its own will is told.
                        return [PeerClosed(socket)] if self.connections.held[socket].detached else []
            case "accepted" | "accepted_other":
                self.connections.gone.discard(heard.number("index"))
            case "open_error" if socket is not None:
                del self.connections.held[socket]
                return [SocketLost(socket, self.dialect.cause_of(heard.fields["code"]))]
            case "bearer_event" if heard.number("status") > 0:
                return self._bearer_gone()
        return []

    def chores(self, heard: Heard) -> Chores | None:
        """Work that an unsolicited message makes."""
        if heard.key in ("accepted", "accepted_other"):
            index = heard.number("index")
            server = heard.number("server") if "server" in heard.fields else self.connections.server_of(index)
            return self.incoming(server, index)
        return None
