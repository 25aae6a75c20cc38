"""Working a WIPSoft module: the parts put together, and what its messages mean."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Chores
from gateway.dialect.quirks.wipsoft.driver_datagrams import speaker
from gateway.dialect.quirks.wipsoft.driver_mail import MailDriver
from gateway.dialect.quirks.wipsoft.driver_mms import MmsDriver
from gateway.dialect.quirks.wipsoft.driver_ping import PingDriver
from gateway.dialect.quirks.wipsoft.driver_web import WebDriver
from gateway.dialect.quirks.wipsoft.numbers import TCP, UDP
from gateway.model.events import DataWaiting, Event, PeerClosed, SocketLost
from gateway.model.values import HostSocket

SESSIONS = range(4, 9)
"""Protocols of sessions with servers (5.1.3)."""


class WipsoftDriver(MailDriver, WebDriver, MmsDriver, PingDriver):
    """See the module's text."""

    def heard(self, heard: Heard) -> Iterable[Event]:
        """Messages that no request waits for."""
        protocol, index = heard.number("protocol"), heard.number("index")
        socket = self.connections.at(protocol, index)
        match heard.key:
            case "datagram_waiting" | "data_waiting" if socket is not None:
                return self._told_data(socket, heard)
            case "peer_closed" if protocol in SESSIONS:
                return self._session_gone(protocol)
            case "peer_closed" if protocol != UDP:  # a datagram's peer cannot close: an echo of our own (X12)
                if protocol == TCP:
                    self.connections.gone.add(index)
                if socket is not None:
                    entry = self.connections.held[socket]
                    entry.peer_closed = True
                    # What it sent can still be read; a host that is in command mode by its own will is told.
                    return [PeerClosed(socket)] if entry.detached and entry.alone else []
                self._echoes |= self._shut_last == (protocol, index)
            case "accepted" | "accepted_other":
                self.connections.gone.discard(heard.number("index"))
            case "open_error" if socket is not None:
                del self.connections.held[socket]
                return [SocketLost(socket, self.dialect.cause_of(heard.fields["code"]))]
            case "bearer_event" if heard.number("status") > 0 and heard.number("bid") == self._started:
                return self._bearer_gone()
        return []

    def _told_data(self, socket: HostSocket, heard: Heard) -> list[Event]:
        entry = self.connections.held[socket]
        peer = speaker(heard) if heard.key == "datagram_waiting" else None
        entry.speaker = peer or entry.speaker
        if self.connections.session is entry:  # the sender of a datagram that follows
            return []
        entry.waiting = True
        return [DataWaiting(socket, heard.number("size"), peer)]

    def chores(self, heard: Heard) -> Chores | None:
        """Work that an unsolicited message makes."""
        if heard.key in ("accepted", "accepted_other"):
            index = heard.number("index")
            server = heard.number("server") if "server" in heard.fields else self.connections.server_of(index)
            return self.incoming(server, index)
        socket = self.connections.at(heard.number("protocol"), heard.number("index"))
        if socket is None or not self.connections.held[socket].attached:
            return None
        if heard.key in ("datagram_waiting", "data_waiting"):
            return self.visit(socket)
        if heard.key == "peer_closed" and self.mapped != socket:
            return self.peer_gone(socket)
        return None
