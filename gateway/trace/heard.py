"""What a virtual module heard, counted: commands, errors, what it does not know, bytes of each socket."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from gateway.dialect.dialect import Dialect
from gateway.dialect.nodes import Basic, Broken, Foreign, Op, Piece, Statement
from gateway.model.causes import Cause
from gateway.model.events import Incoming, SocketLost
from gateway.model.requests import (
    AcceptTcp,
    CloseSocket,
    ConnectTcp,
    ListenTcp,
    OpenUdp,
    Request,
    SendDatagram,
    StopBearer,
)
from gateway.model.results import Failed, Progress, Result
from gateway.model.services import OpenFtp, OpenHttp, OpenMms, OpenPop3, OpenSmtp
from gateway.model.values import Endpoint, HostSocket, Ticket
from gateway.trace.mask import Masker

DISTINCT_LIMIT = 200
"""So many different ones are counted of each sort; what comes beyond is counted together."""
SOCKETS_LIMIT = 200
"""So many sockets are remembered; the oldest that are closed are forgotten first."""
OTHERS = "(others)"
_FORMS = {Op.EXEC: "", Op.READ: "?", Op.TEST: "=?", Op.SET: "="}
_SHOWN = 60
"""Of a command that is not known, so many characters are shown."""


@dataclass(slots=True)
class Traffic:
    """A socket or session of the host's, and the bytes of its payload."""

    what: str
    sent_bytes: int = 0
    """From the host."""
    received_bytes: int = 0
    """To the host."""
    state: str = "open"


@dataclass(slots=True)
class _Line:
    """A command line that has no result yet."""

    text: str
    foreign: bool
    """Something of it is none of the dialect's commands."""
    unknown: bool = False


@dataclass(slots=True)
class Tally:
    """Takes the notes of a session, and the sizes of the payload of its sockets."""

    dialect: Dialect
    masker: Masker
    commands: Counter[str] = field(default_factory=Counter)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Error and the line that it was answered to; "" for one that was told behind the result of its line."""
    unknown: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """Lines that another line followed before there was a result."""
    sockets: dict[HostSocket, Traffic] = field(default_factory=dict)
    lines: int = 0
    _begun_s: float = field(default_factory=time.monotonic)
    _line: _Line | None = None
    _opening: dict[Ticket, HostSocket] = field(default_factory=dict)
    _callers: dict[int, Endpoint | None] = field(default_factory=dict)

    # -- what the session tells ----------------------------------------------------------------------------------------

    def note(self, kind: str, values: dict[str, Any]) -> None:
        """What bytes became."""
        match kind:
            case "line":
                self._begins(values["what"])
            case "refused" if self._line is not None and values["what"] == Cause.UNKNOWN_COMMAND.value:
                self._line.unknown = True
            case "result":
                self._ends(values["what"])
            case "phase" if values["what"] == "open":
                self._line = None
            case "event":
                self._happened(values.get("value"))

    def asked(self, ticket: Ticket, request: Request) -> None:
        """What the host wants of the network."""
        opened = self._asked(request)
        if opened is not None:
            self._opening[ticket] = opened

    def answered(self, ticket: Ticket, result: Result | Progress) -> None:
        """What came of it."""
        if isinstance(result, Progress):
            return
        socket = self._opening.pop(ticket, None)
        if socket is not None and isinstance(result, Failed):
            self._closes(socket, f"not opened ({_words(result.cause)})")

    def sent(self, socket: HostSocket, count: int) -> None:
        """Payload of the host's."""
        if socket in self.sockets:
            self.sockets[socket].sent_bytes += count

    def received(self, socket: HostSocket, count: int) -> None:
        """Payload for the host."""
        if socket in self.sockets:
            self.sockets[socket].received_bytes += count

    # -- what came of it -----------------------------------------------------------------------------------------------

    def summary(self) -> dict[str, Any]:
        """Everything, as JSON can have it."""
        unanswered = self.unanswered.copy()
        if self._line is not None:
            unanswered[self._line.text] += 1
        return {
            "kind": "heard",
            "seconds": round(time.monotonic() - self._begun_s, 1),
            "lines": self.lines,
            "commands": dict(self.commands.most_common()),
            "errors": [
                {"count": count, "answer": answer, "line": line} for (answer, line), count in self.errors.most_common()
            ],
            "unknown": dict(self.unknown.most_common()),
            "unanswered": dict(unanswered.most_common()),
            "sockets": [
                {"what": one.what, "sent_bytes": one.sent_bytes, "received_bytes": one.received_bytes, "state": one.state}
                for one in self.sockets.values()
            ],
        }

    def text(self) -> str:
        """The same for people."""
        found = self.summary()
        told = [f"heard in {found['seconds']} s: {found['lines']} lines"]
        told += _table("commands", [(count, name) for name, count in found["commands"].items()])
        told += _table(
            "errors", [(one["count"], f"{one['answer']}  {one['line'] or '(later)'}") for one in found["errors"]]
        )
        told += _table("not known", [(count, line) for line, count in found["unknown"].items()])
        told += _table("not answered", [(count, line) for line, count in found["unanswered"].items()])
        if found["sockets"]:
            told.append("  sockets")
        for one in found["sockets"]:
            moved = f"{one['sent_bytes']} bytes from the host, {one['received_bytes']} to it"
            told.append(f"    {one['what']}: {moved}, {one['state']}")
        return "\n".join(told)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _begins(self, text: str) -> None:
        if self._line is not None:
            _count(self.unanswered, self._line.text)
        self.lines += 1
        pieces = self.dialect.pieces(text)
        for piece in pieces:
            _count(self.commands, _name(piece))
        foreign = any(not isinstance(piece, Statement) for piece in pieces)
        self._line = _Line(self.masker.text(f"AT{text}"), foreign)

    def _ends(self, words: str) -> None:
        line, self._line = self._line, None
        if words.endswith("ERROR") or "ERROR:" in words:
            _count(self.errors, (words, line.text if line is not None else ""))
            if line is not None and (line.unknown or (line.foreign and words == "ERROR")):
                _count(self.unknown, line.text[:_SHOWN])

    def _asked(self, request: Request) -> HostSocket | None:
        """The socket that is opened by a request, if any."""
        match request:
            case ConnectTcp(socket, peer, secure):
                return self._opens(socket, f"{'TLS' if secure else 'TCP'} to {_place(peer)}")
            case ListenTcp(listener, port):
                return self._opens(listener, f"TCP listening at {port}")
            case AcceptTcp(_, connection, socket):
                caller = self._callers.pop(connection, None)
                return self._opens(socket, f"TCP from {_place(caller)}")
            case OpenUdp(socket, port, peer):
                at = f"UDP to {_place(peer)}" if peer is not None else f"UDP at {port or 'any port'}"
                return self._opens(socket, at)
            case SendDatagram(socket, data):
                self.sent(socket, len(data))
            case CloseSocket(socket):
                self._closes(socket, "closed by the host")
            case StopBearer():
                for socket in self.sockets:
                    self._closes(socket, "closed with the bearer")
            case OpenFtp() | OpenSmtp() | OpenPop3() | OpenHttp():
                service = type(request).__name__.removeprefix("Open").upper()
                return self._opens(request.session, f"{service} with {_place(request.server)}")
            case OpenMms(session, centre):
                return self._opens(session, f"MMS with {self.masker.text(centre)}")
        return None

    def _happened(self, event: object) -> None:
        if isinstance(event, Incoming):
            self._callers[event.connection] = event.peer
            while len(self._callers) > SOCKETS_LIMIT:
                del self._callers[next(iter(self._callers))]
        elif isinstance(event, SocketLost):
            self._closes(event.socket, f"lost ({_words(event.cause)})")

    def _opens(self, socket: HostSocket, what: str) -> HostSocket:
        self.sockets[socket] = Traffic(what)
        if len(self.sockets) > SOCKETS_LIMIT:
            old = next((one for one, traffic in self.sockets.items() if traffic.state != "open"), socket)
            del self.sockets[old]
        return socket

    def _closes(self, socket: HostSocket, how: str) -> None:
        traffic = self.sockets.get(socket)
        if traffic is not None and traffic.state == "open":
            traffic.state = how


def _count(counter: Counter[Any], key: Any) -> None:
    if key not in counter and len(counter) >= DISTINCT_LIMIT:
        key = OTHERS if isinstance(key, str) else (OTHERS, OTHERS)
    counter[key] += 1


def _name(piece: Piece) -> str:
    """A command without its values, which may be secret."""
    match piece:
        case Statement(name, op):
            return f"AT{name}{_FORMS[op]}"
        case Basic(name, _, _, register):
            return f"ATS{register}" if register is not None else f"AT{name}"
        case Foreign(text) | Broken(text):
            if text[:1].upper() == "D":
                return "ATD"
            name, sign, rest = text[:_SHOWN].upper().partition("=")
            return f"AT{name}{sign}{'?' if rest == '?' else ''}"


def _words(cause: Cause) -> str:
    return cause.value.replace("_", " ")


def _place(peer: Endpoint | None) -> str:
    return f"{peer.host}:{peer.port}" if peer is not None else "somebody"


def _table(title: str, rows: list[tuple[int, str]]) -> list[str]:
    if not rows:
        return []
    width = max(len(str(count)) for count, _ in rows)
    return [f"  {title}", *(f"    {count:{width}}  {text}" for count, text in rows)]
