"""An engine that always succeeds: in place of the one that speaks protocols over a module's sockets.

It asks the module for the socket that the real one would open, and says yes to everything else.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from gateway.migrate.agreeing import TIME, agreed
from gateway.model.requests import CloseSocket, ConnectTcp, OpenUdp, Request, ResolveName, SetClock, ShutdownTcp
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.services import (
    GetTime,
    OpenFtp,
    OpenHttp,
    OpenMms,
    OpenPop3,
    OpenSmtp,
    SendMms,
    WebRequest,
)
from gateway.model.values import NO_SOCKET, TUNNELS, Endpoint, HostSocket, Ticket
from gateway.session.bridge import Bridge

PROTOCOLS: dict[type[Request], str] = {
    ConnectTcp: "TLS", OpenFtp: "FTP", OpenSmtp: "SMTP", OpenPop3: "POP3", WebRequest: "HTTP", SendMms: "MMS",
    GetTime: "NTP", ResolveName: "DNS",
}  # fmt: skip
"""What is spoken from such a request on."""
DNS_PORT, HTTP_PORT, HTTPS_PORT = 53, 80, 443


class AgreeingEngine:
    """See the module's text."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._asked: dict[Ticket, tuple[Ticket, Request]] = {}
        """What waits for the module: its ticket there to the host's ticket and request."""
        self._sending: dict[HostSocket, Ticket] = {}
        """What waits for the end of the host's payload."""
        self._spoken: dict[HostSocket, str] = {}
        self._places: dict[HostSocket, Endpoint] = {}
        """Where sessions of the web and of messages go, when it was said as they were opened."""
        self._sockets: dict[HostSocket, HostSocket] = {}
        self._count = 0

    def serve(self, ticket: Ticket, request: Request, now: float) -> list[str]:
        """A request of the host's; the protocol that it is carried out by."""
        session = HostSocket(getattr(request, "session", getattr(request, "socket", 0)))
        protocol = PROTOCOLS.get(type(request), "")
        if protocol:
            self._spoken[session] = protocol
        if isinstance(request, CloseSocket):
            self._close(session, now)
        if isinstance(request, ShutdownTcp):
            self.ended(session, now)
        if isinstance(request, OpenHttp) and request.server is not None:
            self._places[session] = request.server
        if isinstance(request, OpenMms):
            self._places[session] = request.proxy or _place(request.centre)
        opening = self._opening(session, request)
        if opening is None:
            self._answer(ticket, request, now)
        else:
            self._tunnel(ticket, opening, request, now)
        return [spoken] if (spoken := self._spoken.get(session, "")) and not isinstance(request, CloseSocket) else []

    def news(self, ticket: Ticket, result: Result | Progress, now: float) -> None:
        """The module has opened a socket, or has not."""
        host, request = self._asked.pop(ticket, (Ticket(0), None))
        if request is None:
            return
        if isinstance(result, Failed):
            self._tell(host, result, now)
        elif isinstance(request, GetTime):
            self._close(NO_SOCKET, now)
            self._tunnel(host, SetClock(TIME), SetClock(TIME), now)
        else:
            self._answer(host, request, now)

    def ended(self, session: HostSocket, now: float) -> None:
        """The host has sent what it had to."""
        self._tell(self._sending.pop(session, Ticket(0)), Done(), now)

    def _opening(self, session: HostSocket, request: Request) -> Request | None:
        """The module's socket that the request needs."""
        match request:
            case OpenFtp() | OpenSmtp() | OpenPop3():
                place = request.server
            case ConnectTcp():
                place = request.peer
            case WebRequest() if session not in self._sockets:
                place = self._places.get(session) or _place(request.url)
            case SendMms() if session not in self._sockets:
                place = self._places[session]
            case GetTime():
                return OpenUdp(self._new(session), peer=request.server)
            case ResolveName():
                return OpenUdp(self._new(session), peer=Endpoint(request.servers[0], DNS_PORT))
            case _:
                return None
        return ConnectTcp(self._new(session), place)

    def _close(self, session: HostSocket, now: float) -> None:
        if session in self._sockets:
            self._count += 1
            self._bridge.tunnel(Ticket(-self._count), CloseSocket(self._sockets.pop(session)), now)

    def _new(self, session: HostSocket) -> HostSocket:
        self._count += 1
        self._sockets[session] = HostSocket(TUNNELS + self._count)
        return self._sockets[session]

    def _tunnel(self, ticket: Ticket, wanted: Request, request: Request, now: float) -> None:
        self._count += 1
        own = Ticket(-self._count)
        self._asked[own] = ticket, request
        self._bridge.tunnel(own, wanted, now)

    def _answer(self, ticket: Ticket, request: Request, now: float) -> None:
        answers = agreed(request)
        if isinstance(answers[-1], Progress):
            self._sending[request.session] = ticket  # type: ignore[union-attr]  # what takes payload is a session's
        for result in answers:
            self._tell(ticket, result, now)

    def _tell(self, ticket: Ticket, result: Result | Progress, now: float) -> None:
        if ticket > 0:
            self._bridge.served(ticket, result, now)


def _place(url: str) -> Endpoint:
    """The server of a URL."""
    parts = urlsplit(url)
    return Endpoint(parts.hostname or "", parts.port or (HTTPS_PORT if parts.scheme == "https" else HTTP_PORT))
