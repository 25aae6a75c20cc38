"""UDP sockets of a WIPSoft module: whose datagrams they take, and to whom theirs go (5.1, 5.3).

Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Command, DriverSteps, Emit, Part
from gateway.dialect.quirks.wipsoft.connections import Connection
from gateway.dialect.quirks.wipsoft.driver_offline import OfflineDriver
from gateway.dialect.quirks.wipsoft.driver_sockets import PEER_ADDRESS, PEER_PORT
from gateway.dialect.quirks.wipsoft.numbers import UDP
from gateway.model.events import SocketLost
from gateway.model.requests import FilterWaiting
from gateway.model.results import Done, Failed
from gateway.model.values import Endpoint, HostSocket

OWN_PORT = 0
"""Socket option (5.3.7.1)."""


class DatagramsDriver(OfflineDriver):
    """See the module's text."""

    def _only(self, socket: HostSocket, entry: Connection, peer: Endpoint) -> Part:
        """Only this peer from now on: take what waits, and make the socket again with the peer."""
        drained = yield from self._drain(entry)
        entry.kept = [(sender, data) for sender, data in entry.kept if sender == peer]
        entry.peer = peer
        if not drained and (yield from self._point(entry, peer)):
            return None
        return (yield from self._renew(socket, entry))

    def _renew(self, socket: HostSocket, entry: Connection) -> Part:
        """Make a UDP socket again; None, or why there is none any more."""
        yield from self._shut(UDP, entry.index)
        entry.waiting = False
        failed: Failed | None = yield from self._create_udp(entry)
        if failed is not None:
            self.connections.held.pop(socket, None)
        return failed

    def _point(self, entry: Connection, peer: Endpoint) -> Part:
        """Give a UDP socket its peer by options; what waits of that peer stays. False where they cannot be written."""
        for option, value in ((PEER_ADDRESS, peer.host), (PEER_PORT, peer.port)):
            if "udp:rw" not in self.dialect.tables.options["sockets"][str(option)].access:
                return False
            place = {"protocol": UDP, "index": entry.index, "option": option}
            answer: Answer = yield Command(self.dialect.write("option_set", **place, value=value))
            if not answer.ok:
                return False
        return True

    def _point_to(self, socket: HostSocket, entry: Connection, peer: Endpoint | None) -> Part:
        """Make a socket again for another peer, or for everybody, at the port that it has; whether it is there."""
        if entry.waiting:
            yield from self._drain(entry)
        if entry.local_port is None:
            entry.local_port = yield from self._own_port(entry)
        own, entry.peer = entry.peer, peer
        failed: Failed | None = yield from self._renew(socket, entry)
        entry.peer = own
        if failed is not None:
            yield Emit(SocketLost(socket, failed.cause))
        return failed is None

    def _to_its_peer(self, socket: HostSocket, entry: Connection) -> Part:
        """A socket that was made to hear another too is its own peer's again; whether it is there."""
        if not entry.astray or entry.peer is None:
            return True
        entry.astray = False
        return (yield from self._point_to(socket, entry, entry.peer))

    def _own_port(self, entry: Connection) -> Part:
        """The port that the module has chosen for a socket; None where it will not tell."""
        text = self.dialect.write("option_get", protocol=UDP, index=entry.index, option=OWN_PORT)
        answer: Answer = yield Command(text, frozenset({"socket_option", "socket_option_other"}))
        port = answer.heard[0].fields["value"] if answer.ok and answer.heard else ""
        return int(port) if port.isdigit() else None

    def do_filter_waiting(self, request: FilterWaiting) -> DriverSteps:
        """Read what waits, to see who sent it."""
        entry = self.connections.held.get(request.socket)
        if entry is None:
            return Done()
        if not (yield from self._drain(entry)):  # a socket made anew holds nobody's datagrams
            failed: Failed | None = yield from self._renew(request.socket, entry)
            if failed is not None:
                return failed
        entry.kept = [(peer, data) for peer, data in entry.kept if peer is not None and peer.host == request.allowed]
        return Done(entry.kept[0][0] if entry.kept else None)


def speaker(heard: Heard) -> Endpoint:
    """Who sent the datagram that is told."""
    return Endpoint(heard.fields["peer"], heard.number("port"))
