"""A virtual module without a network: requests are answered at once, peers do what the test says.

What moves a file, mail or page begins at once and ends when the host's data have, or when the test says so.
"""

from __future__ import annotations

from gateway.dialect import registry
from gateway.dialect.quirks import firmware_of
from gateway.model.causes import Cause
from gateway.model.events import Event
from gateway.model.requests import (
    AcceptTcp,
    Attach,
    ConnectTcp,
    ListenTcp,
    OpenUdp,
    PassThrough,
    Ping,
    Request,
    ResolveName,
    SendDatagram,
    ShutdownTcp,
    StartBearer,
)
from gateway.model.results import Done, Failed, PassedThrough, PingEcho, Progress, Result
from gateway.model.services import (
    Begun,
    FetchMail,
    GetFile,
    ListMail,
    MailList,
    OpenFtp,
    OpenHttp,
    OpenMms,
    OpenPop3,
    OpenSmtp,
    PutFile,
    SendMail,
    WebRequest,
)
from gateway.model.values import Addresses, Endpoint, Family, HostSocket, SocketInfo, Ticket, is_dotted
from gateway.session.effects import Keep, Payload, Submit, ToHost, Withdraw
from gateway.session.host import HostSide

UNKNOWN = "unknown.example"
CLOSED = "closed.example"
ADDRESS, ADDRESS6 = "10.9.9.9", "2001:db8::9"
"""Of every other name."""


def _located(peer: Endpoint | None) -> Endpoint | None:
    return Endpoint(ADDRESS, peer.port) if peer is not None and not is_dotted(peer.host) else peer


class SimModule:
    """A host's side alone; the test is the host and the network."""

    def __init__(
        self,
        dialect: str = "wipsoft-5.57",
        *,
        switches: dict[str, str] | None = None,
        stored: dict[str, str | int] | None = None,
    ) -> None:
        self.now = 100.0
        chosen = registry.load(dialect).with_switches(switches or {})
        self.side = HostSide(chosen, firmware_of(chosen), stored=stored)
        self.out = b""
        self.requests: list[Request] = []
        self.sent: list[tuple[HostSocket, bytes]] = []
        self.kept: dict[str, str | int] = {}
        self.refuse: dict[type, Cause] = {}
        self.sockets: list[HostSocket] = []
        self.moving: Ticket | None = None
        """The request that moves something."""
        self.say(b"ATE0\r")
        self.read()

    def say(self, data: bytes) -> None:
        """The host sends."""
        self.side.receive(data, self.now)
        self._settle()

    def ask(self, command: str) -> str:
        """The host sends a command; what it reads, without its framing: lines joined by a bar."""
        self.say(command.encode() + b"\r")
        return " | ".join(line for line in self.read().decode("latin-1").split("\r\n") if line)

    def read(self) -> bytes:
        """What the host has read since the last call."""
        data, self.out = self.out, b""
        return data

    def happens(self, event: Event) -> bytes:
        """Something happens on the network; what the host reads of it."""
        self.side.event(event, self.now)
        self._settle()
        return self.read()

    def wait(self, seconds: float) -> bytes:
        """Let time pass; what the host reads meanwhile."""
        end = self.now + seconds
        while (due := self.side.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            self.side.tick(self.now)
            self._settle()
        self.now = end
        return self.read()

    def up(self) -> SimModule:
        """Stack and GPRS bearer started, codes on."""
        for command in ("AT+CMEE=1", "AT+WIPCFG=1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"):
            assert self.ask(command) == "OK", command
        return self

    def _settle(self) -> None:
        while self.side.effects:
            effects, self.side.effects = self.side.effects, []
            for effect in effects:
                match effect:
                    case ToHost(data):
                        self.out += data
                    case Submit(ticket, request):
                        self.requests.append(request)
                        for answer in self._answers(request, ticket):
                            if ticket:
                                self.side.deliver(Ticket(ticket), answer, self.now)
                    case Withdraw(ticket):
                        assert ticket == self.moving, "what is withdrawn was asked for"
                        self.moving = None
                    case Payload(socket, data):
                        self.sent.append((socket, data))
                    case Keep(values):
                        self.kept = values

    def moved(self, *news: Result | Progress) -> bytes:
        """What moves something has news; what the host reads of it."""
        for answer in news:
            assert self.moving is not None, "nothing moves"
            ticket = self.moving
            self.moving = ticket if isinstance(answer, Progress) else None
            self.side.deliver(ticket, answer, self.now)
            self._settle()
        return self.read()

    def _answers(self, request: Request, ticket: Ticket) -> list[Result | Progress]:
        cause = self.refuse.get(type(request))
        if cause is not None:
            return [Failed(cause)]
        match request:
            case StartBearer():
                own6 = "2001:db8::a" if request.family is not Family.FOUR else ""
                if request.family is Family.SIX:
                    return [Done(Addresses(own6=own6))]
                return [Done(Addresses("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", own6))]
            case ConnectTcp(socket, peer) | OpenUdp(socket, _, peer):
                self.sockets.append(socket)
                name = peer.host if peer is not None else ""
                if name == UNKNOWN:
                    return [Failed(Cause.NAME_NOT_RESOLVED)]
                if name == CLOSED:
                    return [Failed(Cause.REFUSED)]
                local = request.local_port if isinstance(request, OpenUdp) else None
                return [Done(SocketInfo(Endpoint("10.0.0.1", local or 40000), _located(peer)))]
            case OpenFtp() | OpenHttp() | OpenSmtp() | OpenPop3() | OpenMms():
                self.sockets.append(request.session)
                return [Done()]
            case GetFile() | PutFile() | SendMail() | FetchMail():
                self.moving = ticket
                return [Begun()]
            case WebRequest():
                self.moving = ticket
                return [Begun()] if request.method in ("PUT", "POST") else []
            case ShutdownTcp() if self.moving is not None and request.socket == self.sockets[-1]:
                return []
            case ListMail():
                return [Done(MailList(((1, 120), (2, 45))))]
            case AcceptTcp(_, _, socket):
                self.sockets.append(socket)
                return [Done()]
            case SendDatagram(socket, data):
                self.sent.append((socket, data))
                return [Done()]
            case ListenTcp(listener):
                self.sockets.append(listener)
                return [Done()]
            case ResolveName(name):
                address = ADDRESS6 if request.family is Family.SIX else ADDRESS
                return [Failed(Cause.NAME_NOT_RESOLVED)] if name == UNKNOWN else [Done(address)]
            case Ping(_, count):
                echoes: list[Result | Progress] = [PingEcho(n, 200 + n if n % 2 == 0 else None) for n in range(count)]
                return [*echoes, Done()]
            case PassThrough():
                return [PassedThrough((), "ERROR")]
            case Attach():
                return [Done()]
            case _:
                return [Done()]
