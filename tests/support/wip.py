"""The module's side of a session with a WIPSoft module of many sockets behind it, in memory, with time by hand.

The module is strict: what it would not understand, or what would be lost on it, is an error of the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.dialect import registry
from gateway.dialect.quirks import driver_of
from gateway.model.events import Event, Received
from gateway.model.requests import Attach, ConnectTcp, Request
from gateway.model.results import Done, Result
from gateway.model.values import Endpoint, HostSocket, Ticket
from gateway.session.effects import Drain, Happened, News, Note, ToModule
from gateway.session.module import ModuleSide
from gateway.wire import dle

BLOCK_BYTES = 200
SESSION_BYTES = 5840
CREATE = re.compile(r'AT\+WIPCREATE=2,(\d),"[^"]*",\d+')
DATA = re.compile(r"AT\+WIPDATA=2,(\d),([13])")
WRITE = re.compile(r'AT\+WIPDATARW=([12]),(\d),"([0-9A-F]*)"')
GUARD_S = 1.0
LEFT = b"\r\nOK\r\n"


@dataclass
class Line:
    """One socket of the module and its peer."""

    inbox: bytearray = field(default_factory=bytearray)
    """What the peer has sent and the module has not given out."""
    told: bool = False
    got: bytearray = field(default_factory=bytearray)
    """What the peer has got."""
    half_closed: bool = False
    ended: bool = False
    """The peer has closed; ``end_shown`` in the data mode, ``end_told`` in command mode."""
    end_shown: bool = False
    end_told: bool = False


class WipModule:
    """See the module's text. ``say`` takes what it says; ``now`` is its clock."""

    def __init__(self, *, offline: bool, forgets: bool) -> None:
        self.offline = offline
        self.forgets = forgets
        """What comes for a socket while another has the data mode is not told behind it."""
        self.lines: dict[int, Line] = {}
        self.now = 0.0
        self.out = bytearray()
        self.commands: list[str] = []
        self.leavings = 0
        self._line = bytearray()
        self._mapped: int | None = None
        self._session: int | None = None
        self._buffer = bytearray()
        self._decoder = dle.DleDecoder()
        self._heard_s = 0.0
        self._signs = False

    # -- peers ---------------------------------------------------------------------------------------------------------

    def sends(self, index: int, data: bytes) -> None:
        """A peer sends."""
        self.lines[index].inbox += data
        if self.forgets and self._mapped not in (None, index):
            self.lines[index].told = True
        self._pump()

    def closes(self, index: int) -> None:
        """A peer closes."""
        self.lines[index].ended = True
        self._pump()

    def _pump(self) -> None:
        for index, line in self.lines.items():
            if self._mapped == index:
                self.out += dle.encode(bytes(line.inbox))
                line.inbox.clear()
                if line.ended and not line.end_shown:
                    line.end_shown = True
                    self.out += b"\r\nSHUTDOWN\r\n" if self.offline else dle.ETX  # X14
            elif self._mapped is None and not self._line:
                self._tell(index, line)

    def _tell(self, index: int, line: Line) -> None:
        if self._session == index and line.inbox:
            blocks = [line.inbox[at : at + BLOCK_BYTES] for at in range(0, len(line.inbox), BLOCK_BYTES)]
            for number, block in enumerate(blocks, 1):
                self._say(f'+WIPDATARW: 2,{index},{len(blocks)},{number},"{block.hex().upper()}"')
            line.inbox.clear()
        if line.inbox and not line.told:
            line.told = True
            self._say(f"+WIPDATA: 2,{index},{len(line.inbox)}")
        if line.ended and not (line.inbox or line.end_told):
            line.end_told = True
            self._say(f"+WIPPEERCLOSE: 2,{index}")

    # -- its port ------------------------------------------------------------------------------------------------------

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.out += f"\r\n{line}\r\n".encode()

    def hear(self, data: bytes) -> None:
        """What it is sent."""
        while data:
            if self._mapped is not None:
                data = self._payload(data)
                continue
            line, end, data = data.partition(b"\r")
            self._line += line
            if end:
                text, self._line = self._line.decode(), bytearray()
                self.commands.append(text)
                self._command(text)
        self._pump()

    def _payload(self, data: bytes) -> bytes:
        assert self._mapped is not None
        silent_s, self._heard_s = self.now - self._heard_s, self.now
        if data == b"+++" and silent_s >= GUARD_S:
            self._signs = True
            return b""
        assert not self._signs, f"{data!r} within the guard time"
        line = self.lines[self._mapped]
        plain, rest = self._decoder.decode(data)
        assert not line.half_closed or not plain, "payload behind its end"
        line.got += plain
        if rest is not None:
            line.half_closed = True
        return rest or b""

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return self._heard_s + GUARD_S if self._signs else None

    def tick(self) -> None:
        """A second of silence behind the signs ends the data mode."""
        if self._signs and self.now >= self._heard_s + GUARD_S:
            self._signs, self._mapped = False, None
            self.leavings += 1
            self.out += LEFT
            self._pump()

    def _command(self, text: str) -> None:
        if match := CREATE.fullmatch(text):
            self.lines[int(match[1])] = Line()
            self._say("OK", f"+WIPREADY: 2,{match[1]}")
        elif match := DATA.fullmatch(text):
            index = int(match[1])
            assert index in self.lines
            assert self._session is None, f"{text} in an offline session"
            self.lines[index].told = self.lines[index].end_shown = False
            if match[2] == "1":
                self._mapped, self._heard_s, self._decoder = index, self.now, dle.DleDecoder()
                self._say("CONNECT")
            elif self.offline:
                self._session = index
                self._buffer.clear()
                self._say(f"+WIPDATARW: 1,{index}", "OK")
            else:
                self._say("ERROR")
        elif match := WRITE.fullmatch(text):
            self._write(match[1], int(match[2]), bytes.fromhex(match[3]))
        elif text.startswith("AT+WIPDATARW=0,"):
            assert self._session == int(text[-1])
            assert not self._buffer, "something is thrown away"
            self._session = None
            self._say(f"+WIPDATARW: 0,{text[-1]}", "OK")
        elif text.startswith("AT+WIPOPT=2,"):
            index = int(text.split(",")[1])
            self._say(f"+WIPOPT: 2,6,{len(self.lines[index].inbox)}", "OK")
        elif text.startswith("AT+WIPCLOSE=2,"):
            line = self.lines.pop(int(text[-1]), None)
            assert line is None or self._session != int(text[-1])
            self._say("OK")
        elif text == "AT+WIPBR?":
            self._say("6,1", "OK")
        elif text.startswith("AT+WIPBR=3"):
            self._say('+WIPBR: 6,15,"10.0.0.1"', "OK")
        else:
            harmless = ("ATE0", "AT+CMEE=1", "AT+WIPCFG=2,", "AT+WIPCREATE?", "AT+WIPCREATE=3", "AT+WIPCLOSE=3", "AT+CSQ")
            assert text == "AT" or text.startswith(harmless), f"{text!r} is nothing that it knows"
            self._say("OK")

    def _write(self, command: str, index: int, data: bytes) -> None:
        assert self._session == index
        assert len(data) <= BLOCK_BYTES
        self._buffer += data
        if command == "2":
            self._say("OK")
            return
        assert len(self._buffer) <= SESSION_BYTES
        self.lines[index].got += self._buffer
        self._say(f"+WIPDATARW: 3,{index},{len(self._buffer)}", "OK")
        self._buffer.clear()


class Site:
    """The module's side of a session, whose host's side is the test."""

    def __init__(self, dialect: str, *, forgets: bool = False) -> None:
        tables = registry.load(dialect)
        self.module = WipModule(offline=tables.writes("data_offline"), forgets=forgets)
        self.side = ModuleSide(tables, driver_of(tables), tracing=True)
        self.now = 100.0
        self.events: list[Event] = []
        self.results: dict[Ticket, Result] = {}
        self.choices: list[str] = []
        self.received: dict[HostSocket, bytearray] = {}
        self._ticket = 0
        self.side.tick(self.now)
        self.settle()
        self.events.clear()

    def settle(self) -> None:
        """Carry bytes both ways until nobody has any."""
        while self.side.effects or self.module.out:
            effects, self.side.effects = self.side.effects, []
            for effect in effects:
                match effect:
                    case ToModule(data):
                        self.module.now = self.now
                        self.module.hear(data)
                    case Drain():
                        self.side.drained(self.now, just_now=False)
                    case Happened(Received(socket, data)):
                        self.received.setdefault(socket, bytearray()).extend(data)
                    case Happened(event):
                        self.events.append(event)
                    case News(ticket, result) if isinstance(result, Result):
                        self.results[ticket] = result
                    case Note("module_phase", fields) if "reason" in fields:
                        self.choices.append(fields["what"])
            if self.module.out:
                said, self.module.out = bytes(self.module.out), bytearray()
                self.side.receive(said, self.now)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        for _ in range(10_000):
            times = (self.side.deadline, self.module.deadline)
            due = min((time for time in times if time is not None), default=end)
            if due > end:
                break
            self.now = self.module.now = max(self.now, due)
            self.module.tick()
            self.side.tick(self.now)
            self.settle()
            if due == end:
                break
        else:
            raise AssertionError("the session asks for the same time again and again")
        self.now = self.module.now = end

    def ask(self, request: Request) -> Ticket:
        """Do something."""
        self._ticket += 1
        self.side.submit(Ticket(self._ticket), request, self.now)
        self.settle()
        return Ticket(self._ticket)

    def done(self, request: Request) -> Result:
        """Do something, and wait until it is done."""
        ticket = self.ask(request)
        for _ in range(200):
            if ticket in self.results:
                assert isinstance(self.results[ticket], Done), self.results[ticket]
                return self.results[ticket]
            self.wait(0.1)
        raise AssertionError(f"{request} has no result")

    def opened(self, number: int, *, attached: bool = True) -> HostSocket:
        """A socket with a peer; the module has it at the same number."""
        socket = HostSocket(number)
        self.done(ConnectTcp(socket, Endpoint("10.0.0.9", 80)))
        if attached:
            self.done(Attach(socket))
        return socket

    def sends(self, socket: HostSocket, data: bytes) -> None:
        """The host's side sends."""
        self.side.payload(socket, data, self.now)
        self.settle()

    def peer_sends(self, index: int, data: bytes) -> None:
        """A peer sends."""
        self.module.now = self.now
        self.module.sends(index, data)
        self.settle()

    def peer_closes(self, index: int) -> None:
        """A peer closes."""
        self.module.closes(index)
        self.settle()

    def count(self, *beginnings: str) -> int:
        """How many commands that begin so the module has heard."""
        return sum(command.startswith(beginnings) for command in self.module.commands)
