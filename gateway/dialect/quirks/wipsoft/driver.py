"""Working a WIPSoft module: which generator carries out which request, and what its messages mean."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Chores, DriverSteps
from gateway.dialect.quirks.wipsoft.connections import TCP, UDP
from gateway.dialect.quirks.wipsoft.driver_data import DataDriver, speaker
from gateway.dialect.quirks.wipsoft.driver_files import FTP, FilesDriver
from gateway.dialect.quirks.wipsoft.driver_ping import PingDriver
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event, PeerClosed, SocketLost
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    CloseSocket,
    ConnectTcp,
    Detach,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    Ping,
    QueryBearer,
    RefuseTcp,
    Request,
    ResolveName,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Failed
from gateway.model.services import GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import HostSocket


class WipsoftDriver(FilesDriver, PingDriver, DataDriver):
    """See the module's text."""

    def perform(self, request: Request) -> DriverSteps:
        """One generator a request."""
        match request:
            case StartBearer():
                return self._start_bearer(request)
            case StopBearer():
                return self._stop_bearer()
            case QueryBearer():
                return self._query_bearer()
            case ConnectTcp():
                return self._connect(request)
            case ListenTcp():
                return self._listen(request)
            case AcceptTcp():
                return self._accept(request)
            case RefuseTcp():
                return self._refuse(request)
            case OpenUdp():
                return self._open_udp(request)
            case Attach():
                return self._attach(request)
            case FilterWaiting():
                return self._filter(request)
            case Detach():
                return self._detach(request)
            case ShutdownTcp(socket):
                return self._end_file() if self._is_files(socket) else self._shutdown(request)
            case CloseSocket(socket):
                return self._close_ftp() if self._is_files(socket) else self._close(socket)
            case ResolveName():
                return self._resolve(request)
            case Ping():
                return self._ping(request)
            case OpenFtp():
                return self._open_ftp(request)
            case SetFtp():
                return self._again_ftp(request)
            case GetFile():
                return self._get_file(request)
            case PutFile():
                return self._put_file(request)
            case _:
                return self._unable()

    def _unable(self) -> DriverSteps:
        yield from ()
        return Failed(Cause.NOT_SUPPORTED)

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
