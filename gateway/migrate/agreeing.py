"""A module that always says yes, at once: what is refused then is refused by the dialect's own rules.

It stands behind a host's side, so that the state that a manual asks for (a stack that runs, a bearer that is up, an
index that is free) is followed by the same code that plays the module in earnest.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.dialect.dialect import Dialect
from gateway.dialect.quirks import firmware_of
from gateway.model.events import Incoming
from gateway.model.requests import (
    AcceptTcp,
    CloseSocket,
    ConnectTcp,
    FilterWaiting,
    ListenTcp,
    OpenUdp,
    PassThrough,
    Ping,
    QueryBearer,
    Request,
    ResolveName,
    ShutdownTcp,
    StartBearer,
    StopBearer,
)
from gateway.model.results import Done, PassedThrough, PingEcho, Progress, Prompted, Result
from gateway.model.services import (
    Begun,
    FetchMail,
    GetFile,
    GetTime,
    ListMail,
    MailList,
    Method,
    PutFile,
    SendMail,
    WebRequest,
)
from gateway.model.values import Addresses, Endpoint, HostSocket, SocketInfo, Ticket, is_numeric
from gateway.session.effects import Effect, News, Note, Submit, TextFor, ToHost
from gateway.session.host import HostSide
from gateway.session.tasks import Mode

_ADDRESSES = Addresses("10.0.0.2", "10.0.0.1", "10.0.0.53", "10.0.0.54")
_PEER = Endpoint("192.0.2.9", 4000)
_RESOLVED = "192.0.2.1"
TIME = "2026-01-01T00:00:00"
_MAILS = MailList(((1, 20),))
_OK = 200
_LIMIT_S = 100_000.0
"""Simulated time within which a command must come to its end."""
_STEPS = 2000


def agreed(request: Request) -> Sequence[Result | Progress]:
    """What is said to a request that needs no memory, when all goes well; of what takes payload only the begin."""
    match request:
        case ConnectTcp():
            return (Done(SocketInfo(Endpoint(_ADDRESSES.own, 49152), _resolved(request.peer))),)
        case AcceptTcp():
            return (Done(SocketInfo(Endpoint(_ADDRESSES.own, 49153), _PEER)),)
        case OpenUdp():
            local = Endpoint(_ADDRESSES.own, request.local_port or 49154)
            return (Done(SocketInfo(local, request.peer and _resolved(request.peer))),)
        case FilterWaiting():
            return (Done(_PEER),)
        case ResolveName():
            return (Done(_RESOLVED),)
        case Ping():
            return (*(PingEcho(number, 10) for number in range(request.count)), Done())
        case PassThrough(text):
            return (Prompted(),) if _prompts(text) else (PassedThrough((), "OK"),)
        case PutFile() | SendMail() | WebRequest(method=Method.PUT | Method.POST):
            return (Begun(),)
        case GetFile() | FetchMail():
            return (Begun(), Done())
        case WebRequest():
            return (Begun(status=_OK, reason="OK"), Done())
        case ListMail():
            return (Done(_MAILS),)
        case GetTime():
            return (Done(TIME),)
    return (Done(),)


def _resolved(peer: Endpoint) -> Endpoint:
    """By its address."""
    return peer if is_numeric(peer.host) else Endpoint(_RESOLVED, peer.port)


class AgreeingModule:
    """The host's side of a dialect with nothing behind it but consent: what the module that it plays would answer.

    Feed it with bytes and time (``receive``, ``tick``, ``deadline``), or with whole lines (:class:`AgreeingScript`).
    """

    def __init__(self, dialect: Dialect) -> None:
        self.side = HostSide(dialect, firmware_of(dialect), tracing=True)
        self.notes: list[Note] = []
        self._now = 0.0
        self._heard = b""
        self._bearer: Addresses | None = None
        self._listener: HostSocket | None = None
        self._connections = 0
        self._sending: dict[HostSocket, Ticket] = {}
        """What waits for the end of its payload."""

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return self.side.deadline

    def receive(self, data: bytes, now: float) -> bytes:
        """Bytes came; what it says to them."""
        self._now = now
        self.side.receive(data, now)
        return self._said()

    def tick(self, now: float) -> bytes:
        """Time has come; what it says then."""
        self._now = now
        self.side.tick(now)
        return self._said()

    def call_in(self) -> bytes:
        """If a listener waits: a peer calls."""
        if self._listener is not None:
            self._connections += 1
            self.side.event(Incoming(self._listener, self._connections, _PEER), self._now)
        return self._said()

    def _said(self) -> bytes:
        self._settle()
        heard, self._heard = self._heard, b""
        return heard

    def _settle(self) -> None:
        """Answer until the host's side wants nothing more."""
        while self.side.effects:
            effects, self.side.effects = self.side.effects, []
            for effect in effects:
                self._effect(effect)

    def _effect(self, effect: Effect) -> None:
        match effect:
            case ToHost(data):
                self._heard += data
            case Note():
                self.notes.append(effect)
            case Submit(ticket, request):
                for news in self._answers(ticket, request):
                    self._tell(News(ticket, news))
            case TextFor(ticket, _, True):
                self._tell(News(ticket, PassedThrough((), "OK")))

    def _tell(self, news: News) -> None:
        if news.ticket != Ticket(0):
            self.side.deliver(news.ticket, news.result, self._now)

    def _answers(self, ticket: Ticket, request: Request) -> Sequence[Result | Progress]:
        match request:
            case StartBearer():
                self._bearer = _ADDRESSES
                return (Done(_ADDRESSES),)
            case StopBearer():
                self._bearer = None
                self._listener = None
            case QueryBearer():
                return (Done(self._bearer),)
            case ListenTcp():
                self._listener = request.listener
                return (Done(SocketInfo(Endpoint(_ADDRESSES.own, request.port))),)
            case PutFile() | SendMail() | WebRequest(method=Method.PUT | Method.POST):
                self._sending[request.session] = ticket
            case ShutdownTcp() | CloseSocket():
                sending = self._sending.pop(request.socket, Ticket(0))
                self._tell(News(sending, Done()))
        return agreed(request)


def _prompts(text: str) -> bool:
    """The commands for short messages that ask for text (3GPP TS 27.005, 3.5.1, 3.5.3)."""
    squeezed = text[2:].replace(" ", "").upper()
    return squeezed.startswith(("+CMGS=", "+CMGW=", "+CMGC=")) and not squeezed.endswith("?")


class AgreeingScript:
    """Such a module under a script: one line after the other, in simulated time."""

    def __init__(self, dialect: Dialect) -> None:
        self.module = AgreeingModule(dialect)
        self.module.side.settings.error_detail = 1
        self._now = 1000.0

    @property
    def in_data(self) -> bool:
        """Whether what is sent is payload or text."""
        return self.module.side.mode is not Mode.COMMAND

    def say(self, text: str) -> bytes:
        """A command line; what is answered until nothing more happens by itself."""
        return self._send(text.encode("latin-1", "replace") + b"\r")

    def send(self, data: bytes) -> bytes:
        """Payload or text, as it is; where a listener waits a peer calls first."""
        if not self.in_data:
            self.module.call_in()
        return self._send(data)

    def leave(self) -> bytes:
        """End the data phase or the entry that is open, in whatever way ends it."""
        heard = b""
        for sign in (b"\x03", b"\x1a", b"+++"):
            if self.in_data:
                self._now += 2.0
                heard += self.module.tick(self._now) + self._send(sign)
        return heard

    def _send(self, data: bytes) -> bytes:
        self._now += 1.5
        heard = self.module.tick(self._now) + self.module.receive(data, self._now)
        end = self._now + _LIMIT_S
        for _ in range(_STEPS):
            due = self.module.deadline
            if due is None or due > end or self.in_data or not self.module.side.busy:
                break
            self._now = max(self._now, due)
            heard += self.module.tick(self._now)
        return heard
