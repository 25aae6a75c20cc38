"""How a module of the MIP family behaves towards its host: the parts put together, and what happens unasked."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.firmware import Say, Step, Tell
from gateway.dialect.quirks.mip.online import Online
from gateway.dialect.quirks.mip.receiving import Receiving
from gateway.dialect.quirks.mip.sending import Sending
from gateway.dialect.quirks.mip.services import Services
from gateway.dialect.quirks.mip.state import Link, Socket, Sockets, SocketState
from gateway.model.events import (
    BearerLost,
    DataWaiting,
    Event,
    Incoming,
    ModuleText,
    PeerClosed,
    Received,
    SendingHeld,
    SocketLost,
)
from gateway.model.values import Addresses


class MipFirmware(Online, Sending, Receiving, Services):
    """See the module's text."""

    def event(self, event: Event) -> Iterable[Step]:
        """What is told unasked."""
        match event:
            case Incoming():
                return self.incoming(event)
            case Received():
                return self.received(event)
            case DataWaiting():
                self.spoke(event)
                return self.data_waiting(event)
            case SendingHeld(handle, held):
                socket = self.table.by_handle(handle)
                return self.sending_held(socket, held) if socket is not None else []
            case PeerClosed(handle):
                return self._gone(self.table.by_handle(handle), broken=False)
            case SocketLost(handle, _):
                return self._gone(self.table.by_handle(handle), broken=True)
            case BearerLost():
                return self._link_lost()
            case ModuleText(lines):
                return [Say(lines)]
            case _:
                return []

    def _gone(self, socket: Socket | None, *, broken: bool) -> list[Step]:
        """A connection is gone; one that is being opened or closed says so itself."""
        told = (SocketState.OPEN, SocketState.PAUSED, SocketState.ENDED)
        if socket is None or socket.ended or (socket.state not in told):
            return []
        return self.gone(socket, broken=broken)

    def _link_lost(self) -> list[Step]:
        """The link is gone, and every socket with it; told in the host's terms (F08)."""
        if self.link is not Link.UP:
            return []
        self.link = Link.DOWN
        steps: list[Step] = [*self.ping_lost(), Tell(self.dialect.say("call_down"))]
        for socket in list(self.table.sockets.values()):
            if socket.state is SocketState.LISTENING:
                socket.broken = True
                steps += [Tell(self.status_line(socket))]
                self.table.forget(socket)
            else:
                steps += self._gone(socket, broken=True)
        return steps

    def restarted(self) -> None:
        """The host has reset the module: link, sockets and settings are as after power-up."""
        self.link, self.addresses, self.pinging = Link.DOWN, Addresses(), False
        self.table = Sockets(self.dialect)

    def describe(self) -> dict[str, str | int]:
        """Link and sockets."""
        return {"link": self.link.name.lower(), "sockets": len(self.table.sockets)}
