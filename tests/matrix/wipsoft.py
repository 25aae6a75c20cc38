"""A program for WIPSoft modules, written from the guides of 2006 and of 5.57: numbered sockets, one data mode."""

from __future__ import annotations

import re

from support.rig import Terminal

from matrix.host import CALLER, Connection, fails
from matrix.lines import LineProgram
from matrix.secrets import APN_PASSWORD, APN_USER, PPP_PASSWORD, PPP_USER
from matrix.wipsoft_sockets import SERVER, TCP, UDP, WipsoftConnection, WipsoftListening

NEWER = {
    "already started": "844",
    "already open": "804",
    "already connected": "803",
    "no bearer": "803",
    "refused": "842",
    "unproven": "842",
    "unreachable": "842",
    "silent": "842",
    "unknown name": "842",
    "unknown name in a ping": "819",
    "no bearer for a ping": "819",
    "not supported": "834",
    "no free socket": "838",
    "reset": "843",
}
OLDER = NEWER | {
    "already started": "803",
    "refused": "3",
    "unreachable": "3",
    "silent": "3",
    "unknown name": "3",
    "reset": "850",
}


class WipsoftHost(LineProgram):
    """See the module's text."""

    events = (
        "+WIPREADY:",
        "+WIPACCEPT:",
        "+WIPDATA:",
        "+WIPPEERCLOSE:",
        "+WIPPING:",
        "+WIPDATARW: 2,",
        "+WIPBR: 5,0,",
        "RING",
        "+CLIP:",
    )
    harmless = ("+WIPDATA:", "RING", "+CLIP:")
    sockets = 8

    def __init__(self, line: Terminal, dialect: str) -> None:
        super().__init__(line, dialect)
        self.older = dialect == "wipsoft-2.01"
        self.codes = OLDER if self.older else NEWER
        self.bearer = 6
        self.name_server = ""
        """A bearer's own, from its next start on (4.2.3)."""

    @classmethod
    def forms_of(cls, dialect: str) -> tuple[str, ...]:
        return ("continuous",) if dialect == "wipsoft-2.01" else ("continuous", "transparent", "offline")

    def start(self) -> None:
        super().start()
        self.command("AT+CMEE=1")

    # -- the bearer (4) ------------------------------------------------------------------------------------------------

    def up(self, kind: str = "gprs") -> str:
        self.bearer = 5 if kind == "gsm" else 6
        self.command("AT+WIPCFG=1")
        if not self.older:
            self.command("AT+WIPCFG=2,13,1")  # the signs of +++ are not the peer's
        self.command(f"AT+WIPBR=1,{self.bearer}")
        place = '2,"0123456789"' if kind == "gsm" else '11,"APN name"'
        user, password = (PPP_USER, PPP_PASSWORD) if kind == "gsm" else (APN_USER, APN_PASSWORD)
        servers = [f'17,"{self.name_server}"'] if self.name_server else []
        for option in (place, f'0,"{user}"', f'1,"{password}"', *servers):
            self.command(f"AT+WIPBR=2,{self.bearer},{option}")
        self.command(f"AT+WIPBR=4,{self.bearer},0", limit_s=40)
        self.is_up = True
        address = self.command(f"AT+WIPBR=3,{self.bearer},15")
        match = re.fullmatch(rf'\+WIPBR: {self.bearer},15,"(\d+\.\d+\.\d+\.\d+)"', address)
        assert match, address
        return match[1]

    def serves_callers(self) -> None:
        """4.2.7.1: the module waits for a call of one caller."""
        self.bearer = 5
        self.command("AT+WIPCFG=1")
        self.command("AT+WIPBR=1,5")
        self.command(f'AT+WIPBR=4,5,1,"{PPP_USER}","{PPP_PASSWORD}","{CALLER}"', limit_s=40)

    def takes_call(self) -> None:
        self.lines_until("OK")
        said = self.event("+WIPBR: 5,", limit_s=40)
        assert re.fullmatch(r'\+WIPBR: 5,0(,"?\d+\.\d+\.\d+\.\d+"?){4}', said), said
        self.event("RING")
        self.is_up = True

    def down(self) -> None:
        self.command(f"AT+WIPBR=5,{self.bearer}", limit_s=30)
        self.command(f"AT+WIPBR=0,{self.bearer}")
        self.command("AT+WIPCFG=0")
        self.is_up = False

    def gives_up(self) -> None:
        super().gives_up()
        self.command(f"AT+WIPBR=0,{self.bearer}")
        self.command("AT+WIPCFG=0")

    def goes_up_twice(self) -> None:
        for command, what in (("CFG=1", "started"), ("BR=1,6", "open"), ("BR=4,6,0", "connected")):
            with fails(self.codes[f"already {what}"]):
                self.command(f"AT+WIP{command}")

    def works_without_bearer(self) -> None:
        for command in ('2,1,"127.0.0.1",80', "3,1,80,5,8", "1,1,80"):
            with fails(self.codes["no bearer"]):
                self.command(f"AT+WIPCREATE={command}")
        with fails(self.codes["no bearer for a ping"]):
            self.command('AT+WIPPING="127.0.0.1"')

    # -- sockets (5, 6) ------------------------------------------------------------------------------------------------

    def connect(
        self, host: str, port: int, form: str = "", number: int = 1, aside: bool = False, protocol: int = TCP
    ) -> WipsoftConnection:
        self.command(f'AT+WIPCREATE={protocol},{number},"{host}",{port}')
        self.event(f"+WIPREADY: {protocol},{number}", limit_s=40)
        connection = WipsoftConnection(self, protocol, number, form or "continuous")
        if not aside:
            connection.select()
        return connection

    def listen(self, port: int, allowed: str = "") -> WipsoftListening:
        assert not allowed, "the dialect has no filter"
        self.command(f"AT+WIPCREATE=3,1,{port},5,6")
        return WipsoftListening(self, SERVER)

    def udp(self, host: str, port: int) -> Connection:
        self.command(f'AT+WIPCREATE=1,1,"{host}",{port}')
        self.event("+WIPREADY: 1,1")
        connection = WipsoftConnection(self, UDP, 1, "continuous")
        connection.select()
        return connection

    def udp_listen(self, port: int, allowed: str = "") -> WipsoftListening:
        assert not allowed, "the dialect has no filter"
        self.command(f"AT+WIPCREATE=1,1,{port}")
        self.event("+WIPREADY: 1,1")
        return WipsoftListening(self, UDP)

    def closed(self, protocol: int, number: int) -> None:
        """Close; the older module tells every close (5.2, X12)."""
        self.command(f"AT+WIPCLOSE={protocol},{number}", limit_s=30)
        if self.older:
            self.event(f"+WIPPEERCLOSE: {protocol},{number}")

    # -- ping (7.1) ----------------------------------------------------------------------------------------------------

    def ping(self, host: str, count: int) -> list[bool]:
        self.command(f'AT+WIPPING="{host}",{count},1000,1000', limit_s=30)
        answers = []
        for number in range(count):
            match = re.fullmatch(rf"\+WIPPING: ([01]),{number},(\d+)", self.event("+WIPPING:", limit_s=30))
            assert match
            answers.append(match[1] == "0")
        return answers

    # -- mistakes (10) -------------------------------------------------------------------------------------------------

    def makes_mistakes(self, free_port: int) -> None:
        self.command(f"AT+WIPCREATE=1,2,{free_port}")
        self.event("+WIPREADY: 1,2")
        newer = (
            ("AT+WIPNONSENSE=1", "ERROR"),
            ("AT+WIPCFG=2,99,1", "800"),
            ("AT+WIPCFG=2,0,999", "801"),
            ("AT+WIPBR=1,99", "800"),
            ("AT+WIPBR=2,6,99,1", "800"),
            ("AT+WIPCREATE=1,9,80", "830"),
            ("AT+WIPCREATE=2,1", "851"),
            ('AT+WIPCREATE=2,1,"127.0.0.1",70000', "832"),
            (f"AT+WIPCREATE=1,2,{free_port}", "840"),
            ("AT+WIPCREATE=99,1,80", "837"),
            ("AT+WIPDATA=2,7,1", "831"),
            ("AT+WIPOPT=2,7,1,8", "830"),
        )
        older = (
            ("AT+WIPNONSENSE=1", "ERROR"),
            ("AT+WIPCFG=2,99,1", "800"),
            ("AT+WIPCFG=2,0,999", "801"),
            ("AT+WIPBR=2,6,99,1", "800"),
            ("AT+WIPCREATE=1,9,80", "830"),
            ("AT+WIPCREATE=2,1", "ERROR"),
            ('AT+WIPCREATE=2,1,"127.0.0.1",70000', "832"),
            (f"AT+WIPCREATE=1,2,{free_port}", "831"),
            ('AT+WIPCREATE=9,1,"127.0.0.1",443', "837"),
            ("AT+WIPDATA=2,7,1", "851"),
            ("AT+WIPDATA=1,2,2", "ERROR"),
        )
        for command, code in older if self.older else newer:
            with fails(code):
                self.command(command)
        self.closed(UDP, 2)

    # -- examples of application (9.1.2.1) -----------------------------------------------------------------------------

    def example(self, host: str, port: int) -> None:
        """TCP client socket using GPRS bearer."""
        for command in ("CFG=1", "BR=1,6", 'BR=2,6,11,"APN name"', 'BR=2,6,0,"user name"', 'BR=2,6,1,"passwd"'):
            self.command(f"AT+WIP{command}")
        self.command("AT+WIPBR=4,6,0", limit_s=40)
        self.command(f'AT+WIPCREATE=2,1,"{host}",{port}')
        self.event("+WIPREADY: 2,1", limit_s=40)
        connection = WipsoftConnection(self, TCP, 1, "continuous")
        connection.select()
        connection.exchange(b"read, write\r\n\x03\x10")
        connection.close()
        self.command("AT+WIPBR=5,6;+WIPBR=0,6;+WIPCFG=0", limit_s=30)
