"""A program for Fibocom L610 modules, written from their manual: six sockets, data in commands or online."""

from __future__ import annotations

import re

from support.rig import Terminal

from matrix.fibocom_sockets import TCP, UDP, FibocomConnection, FibocomDatagrams, FibocomListening
from matrix.host import OK, Connection, Failure, Listening, fails
from matrix.lines import LineProgram
from matrix.secrets import APN_PASSWORD, APN_USER

READ_BYTES = 2048
IPRFMT = {"digits": 0, "prompted": 2, "pulled": 5, "online": 0}
"""How what is received is shown (1.2.4)."""
_DATA = re.compile(r"\+MIPRTCP: (\d),(\d+),(.*)", re.DOTALL)

CODES = {
    "already up": "3",
    "no bearer": "2031",
    "refused": "+MIPSTAT: 1,1",
    "unproven": "+MIPSTAT: 1,1",
    "unreachable": "+MIPSTAT: 1,1",
    "silent": "+MIPSTAT: 1,1",
    "unknown name": "+MIPSTAT: 1,1",
    "unknown name in a ping": "+MPINGSTAT: 2",
    "not supported": "4",
    "no free socket": "2000",
}


class FibocomHost(LineProgram):
    """See the module's text."""

    sockets = 6
    events = (
        "+MIPCALL:", "+MIPOPEN:", "+MIPODM:", "+MIPSTAT:", "+MIPRTCP:", "+MIPRUDP:", "+MIPCLOSE:", "+MIPXO",
        "+MPING", "+MIPNTP:",
    )  # fmt: skip
    harmless = ("+MIPXO",)

    def __init__(self, line: Terminal, dialect: str) -> None:
        super().__init__(line, dialect)
        self.codes = CODES
        self._format = 0
        self._inbox: dict[int, bytearray] = {}
        self._unread: set[int] = set()

    @classmethod
    def forms_of(cls, dialect: str) -> tuple[str, ...]:
        return tuple(IPRFMT)

    def start(self) -> None:
        super().start()
        self.command("AT+CMEE=1")

    def shows(self, form: str) -> None:
        """Choose how received data are shown."""
        if IPRFMT[form] != self._format:
            self._format = IPRFMT[form]
            self.command(f'AT+GTSET="IPRFMT",{self._format}')
        self._unread.clear()

    def read_line(self, limit_s: float = 15.0) -> str:
        """The next line; payload in it, or behind it, goes to its socket."""
        while True:
            line = super().read_line(limit_s)
            if match := _DATA.fullmatch(line):
                self._take(int(match[1]), int(match[2]), match[3])
            elif self._format == 5 and (match := re.fullmatch(r"\+MIPDATA: (\d),(\d+)", line)):
                self._inbox.setdefault(int(match[1]), bytearray()).extend(self.line.take(int(match[2]) + 2)[:-2])
            elif match := re.fullmatch(r"\+MIPREAD: (\d),(\d+)", line):
                number, size = int(match[1]), int(match[2])
                (self._unread.add if size else self._unread.discard)(number)
            else:
                return line
            if self._awaiting:
                return ""

    _awaiting = False
    """Whether somebody waits for payload."""

    def _take(self, number: int, size: int, text: str) -> None:
        if self._format == 2:
            data = text.encode("latin-1") + b"\r\n"
            data = (data + self.line.take(max(0, size + 2 - len(data))))[:-2]
            assert len(data) == size
        else:
            data = bytes.fromhex(text)
        self._inbox.setdefault(number, bytearray()).extend(data)

    def received(self, number: int, size: int, limit_s: float = 15.0) -> bytes:
        """So many bytes that came for a socket."""
        box = self._inbox.setdefault(number, bytearray())
        while len(box) < size:
            if number in self._unread:
                self.command(f"AT+MIPREAD={number},{READ_BYTES}")
                continue
            self._awaiting = True
            line = self.read_line(limit_s)
            self._awaiting = False
            if line:
                assert self.is_event(line), line
                self.told.append(line)
        got = bytes(box[:size])
        del box[:size]
        return got

    def forgets(self) -> None:
        """Nobody expects what came any more: the program begins anew."""
        self._inbox.clear()
        self._unread.clear()
        self.told.clear()
        self._awaiting = False

    def quiet(self) -> None:
        super().quiet()
        left = {number: bytes(box[:80]) for number, box in self._inbox.items() if box}
        self._inbox.clear()
        assert not left, f"nobody expected the payload {left}"

    # -- the bearer (1.1.1) --------------------------------------------------------------------------------------------

    def up(self, kind: str = "gprs") -> str:
        assert kind == "gprs"
        self.command(
            f'AT+MIPCALL=1,"apn","{APN_USER}","{APN_PASSWORD}",1'
        )  # its answer, when it is asked for, is no event
        match = re.fullmatch(r"\+MIPCALL: (\d+\.\d+\.\d+\.\d+)", self.event("+MIPCALL:", limit_s=40))
        assert match
        self.is_up = True
        self.told.clear()
        said = self.line.ask("AT+MIPCALL?").decode()
        assert said == f"\r\n+MIPCALL: 1,{match[1]}\r\n{OK.decode()}", said
        return match[1]

    def down(self) -> None:
        self.command("AT+MIPCALL=0")
        assert self.event("+MIPCALL:", limit_s=30) == "+MIPCALL: 0"
        self.is_up = False

    def goes_up_twice(self) -> None:
        with fails(self.codes["already up"]):
            self.command("AT+MIPCALL=1")

    def works_without_bearer(self) -> None:
        for command in (
            'AT+MIPOPEN=1,,"127.0.0.1",80,0',
            'AT+MIPODM=1,,"127.0.0.1",80,0',
            'AT+MIPOPEN=1,,"127.0.0.1",80,1',
            'AT+MPING=1,"127.0.0.1",1',
            'AT+MIPDNS="server.example"',
        ):
            with fails(self.codes["no bearer"]):
                self.command(command)

    # -- sockets (1.1.2, 1.1.18) ---------------------------------------------------------------------------------------

    def connect(self, host: str, port: int, form: str = "", number: int = 1, protocol: int = TCP) -> FibocomConnection:
        form = form or "digits"
        self.shows(form)
        name = "MIPODM" if form == "online" else "MIPOPEN"
        self.command(f'AT+{name}={number},,"{host}",{port},{protocol}')
        self._ready(name, number)
        return FibocomConnection(self, number, form)

    def _ready(self, name: str, number: int) -> None:
        said = self.event(f"+{name}: {number},", f"+MIPSTAT: {number},", limit_s=70)
        if said != f"+{name}: {number},1":
            raise Failure(said)

    def listen(self, port: int, allowed: str = "") -> Listening:
        assert not allowed, "the dialect has no filter"
        self.shows("digits")
        self.command(f'AT+MIPOPEN=1,{port},"0.0.0.0",0,0')
        return FibocomListening(self, 1, TCP)

    def udp(self, host: str, port: int) -> Connection:
        self.shows("digits")
        self.command(f'AT+MIPOPEN=1,,"{host}",{port},1')
        self._ready("MIPOPEN", 1)
        return FibocomDatagrams(self, 1, (host, port))

    def udp_listen(self, port: int, allowed: str = "") -> Listening:
        assert not allowed, "the dialect has no filter"
        self.shows("digits")
        self.command(f'AT+MIPOPEN=1,{port},"0.0.0.0",0,1')
        self._ready("MIPOPEN", 1)
        return FibocomListening(self, 1, UDP)

    def closed(self, number: int) -> None:
        """Close and be told so."""
        self.command(f"AT+MIPCLOSE={number}", limit_s=30)
        assert self.event("+MIPCLOSE:", limit_s=30) == f"+MIPCLOSE: {number},0"

    # -- ping (1.1.14, 1.1.15) -----------------------------------------------------------------------------------------

    def ping(self, host: str, count: int) -> list[bool]:
        self.command(f'AT+MPING=1,"{host}",{count},32,64,0,1000')
        answers = []
        for _ in range(count):
            said = self.event("+MPING:", "+MPINGSTAT:", limit_s=30)
            if said == self.codes["unknown name in a ping"]:
                raise Failure(said)
            assert re.fullmatch(r"\+MPING: [\d.]+,0,0,\d+|\+MPINGSTAT: 1", said), said
            answers.append(said.startswith("+MPING:"))
        summary = self.event("+MPINGSTAT:", limit_s=30)
        assert re.fullmatch(rf'\+MPINGSTAT: 0,"[\d.]+",{count},{sum(answers)}(,\d+)?', summary), summary
        return answers

    def names_server(self, *servers: str) -> None:
        """Have names asked of these servers; of the network's own again when there are none (1.1.16)."""
        self.command(",".join(["AT+MSDNS=7", *(f'"{server}"' for server in servers)]))

    def located(self, name: str) -> str:
        """The address of a name (1.1.21). Raises :class:`Failure`."""
        match = re.fullmatch(rf'\+MIPDNS: "{name}",(\d+\.\d+\.\d+\.\d+)', self.command(f'AT+MIPDNS="{name}"'))
        assert match
        return match[1]

    # -- mistakes (2) --------------------------------------------------------------------------------------------------

    def makes_mistakes(self, free_port: int) -> None:
        self.command(f'AT+MIPOPEN=1,{free_port},"0.0.0.0",0,1')
        self._ready("MIPOPEN", 1)
        for command, code in (
            ("AT+MIPNONSENSE", "4"),
            ("AT+MIPCALL=4", "2000"),
            (f'AT+MIPOPEN=1,{free_port},"0.0.0.0",0,1', "2017"),
            ('AT+MIPOPEN=2,,"127.0.0.1",80,3', "2005"),
            ('AT+MIPOPEN=2,,"127.0.0.1",70000,0', "2000"),
            ('AT+MIPOPEN=7,,"127.0.0.1",80,0', "2000"),
            ('AT+MIPSEND=2,"30"', "2024"),
            ("AT+MIPSEND=1,2049", "2006"),
            ('AT+MIPSEND=1,"3x"', "2000"),
            ("AT+MIPCLOSE=2", "3"),
        ):
            with fails(code):
                self.command(command)
        self.closed(1)

    # -- the examples of each command, one after the other -------------------------------------------------------------

    def example(self, host: str, port: int) -> None:
        self.command("AT+MIPCALL=1")
        assert re.fullmatch(r"\+MIPCALL: [\d.]+", self.event("+MIPCALL:", limit_s=40))
        self.command(f'AT+MIPOPEN=1,,"{host}",{port},0')
        self._ready("MIPOPEN", 1)
        assert self.command('AT+MIPSEND=1,"313233"') == "+MIPSEND: 1,0,2045"
        assert self.command("AT+MIPPUSH=1") == "+MIPPUSH: 1,0"
        assert self.received(1, 3) == b"123"
        self.closed(1)
        self.command("AT+MIPCALL=0")
        assert self.event("+MIPCALL:", limit_s=30) == "+MIPCALL: 0"
