"""A program for eDSoft modules, written from S000333: one thing at a time, and the line is its data mode."""

from __future__ import annotations

import re

from support.rig import Terminal

from matrix.host import CALLER, GUARD_S, OK, Connection, Failure, HostProgram, Listening, fails, same
from matrix.secrets import APN_PASSWORD, APN_USER, PPP_PASSWORD, PPP_USER

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n"
ANYBODY = "255.255.255.255"
RINGS = re.compile(r"\r\n(RING|\+CLIP: .*)\r\n")
ADDRESS = r"\r\n(\d+\.\d+\.\d+\.\d+)\r\n"


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX (ch. 5, #DLEMODE)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


CODES = {
    "already up": "35840",
    "no bearer": "35867",
    "refused": "38016",
    "unreachable": "38016",
    "silent": "37964",
    "unknown name": "38027",
    "unknown name in a ping": "38027",
    "not supported": "36872",
}


class EdsoftHost(HostProgram):
    """See the module's text."""

    sockets = 1

    def __init__(self, line: Terminal, dialect: str) -> None:
        super().__init__(line, dialect)
        self.codes = CODES
        self.numbered = dialect != "edsoft-2.10"

    @classmethod
    def forms_of(cls, dialect: str) -> tuple[str, ...]:
        return ("escaped", "transparent")

    def _parameters(self, number: int, **values: str | int) -> None:
        """Parameters of a TCP socket, in one line."""
        own = f"{number}," if self.numbered else ""
        texts = [f'"{value}"' if isinstance(value, str) else str(value) for value in values.values()]
        settings = (f"#{name}={own}{text}" for name, text in zip(values, texts, strict=True))
        self.command("AT" + ";".join(settings))

    def _service(self, command: str, number: int) -> str:
        return f"{command}={number}" if self.numbered else command

    # -- the bearer (ch. 2) --------------------------------------------------------------------------------------------

    def up(self, kind: str = "gprs") -> str:
        if kind == "gsm":
            self.command(f'AT#GPRSMODE=0;#DIALN1="0860000000";#ISPUN="{PPP_USER}";#ISPPW="{PPP_PASSWORD}"')
            ready = rf"\r\nDIALING\r\n\r\n0860000000\r\n(?:\r\nCONNECT \d+\r\n)?{ADDRESS}\r\nOk_Info_PPP\r\n"
        else:
            self.command(f'AT#GPRSMODE=1;#APNSERV="apnserver.com";#APNUN="{APN_USER}";#APNPW="{APN_PASSWORD}"')
            ready = rf"{ADDRESS}\r\nOk_Info_GprsActivation\r\n"
        self.line.say(b"AT#CONNECTIONSTART\r")
        said = self.line.until(b"Ok_Info_GprsActivation\r\n", b"Ok_Info_PPP\r\n", b"ERROR: ", limit_s=40).decode()
        if said.endswith("ERROR: "):
            raise Failure(self.line.until(b"\r\n").decode().strip())
        match = re.fullmatch(ready, said)
        assert match, said
        self.is_up = True
        assert self.command("AT#VSTATE") == '#STATE: "CONNECTED"'
        return match[1]

    def names_server(self, server: str) -> None:
        """Have this one asked where the network names none (ch. 3)."""
        self.command(f'AT#DNSSERV1="{server}"')
        assert self.command("AT#VDNS") == f'#DNSSERV1: "{server}" | #DNSSERV2: "0.0.0.0"'

    def serves_callers(self) -> None:
        self.command(f'AT#PPPMODE=1;#PPPSERVUN="{PPP_USER}";#PPPSERVPW="{PPP_PASSWORD}"')

    def takes_call(self) -> None:
        """Appendix B, Answering an Incoming Call."""
        ring = f'\r\nOK\r\n\r\nRING\r\n\r\n+CLIP: "{CALLER}",129\r\n'.encode()
        assert self.line.until(b",129\r\n") == ring
        self.line.say(b"AT#ACCEPT\r")
        self.is_answered()

    def is_answered(self) -> None:
        """Behind a command that goes well: a call is up, and IP over it."""
        said = self.line.until(b"Ok_Info_PPP\r\n", b"ERROR: ", limit_s=40).decode()
        self.line.say(b"AT#VSTATE\r")  # one more ring may stand behind what is said
        said = RINGS.sub("", said + self.line.until(OK).decode())
        state = r'\r\n#STATE: "CONNECTED"\r\n\r\nOK\r\n'
        assert re.fullmatch(rf"\r\nOK\r\n\r\nCONNECT \d+\r\n{ADDRESS}\r\nOk_Info_PPP\r\n{state}", said), said
        self.is_up = True

    def down(self) -> None:
        self.command("AT#CONNECTIONSTOP", limit_s=30)
        self.is_up = False
        assert self.command("AT#VSTATE") == '#STATE: "IDLE"'

    def goes_up_twice(self) -> None:
        with fails(self.codes["already up"]):
            self.command("AT#CONNECTIONSTART")

    def works_without_bearer(self) -> None:
        self._parameters(1, TCPSERV="127.0.0.1", TCPPORT=80)
        self.command('AT#UDPSERV="127.0.0.1";#UDPPORT=80;#PINGREMOTE="127.0.0.1"')
        for command in (self._service("AT#OTCP", 1), self._service("AT#LTCPSTART", 1), "AT#OUDP", "AT#PING"):
            with fails(self.codes["no bearer"]):
                self.command(command)

    # -- TCP (ch. 5) ---------------------------------------------------------------------------------------------------

    def _opened(self, command: str) -> None:
        self.line.say(command.encode() + b"\r")
        said = self.line.until(b"WaitingForData\r\n", b"ERROR: ", limit_s=40)
        if said.endswith(b"ERROR: "):
            raise Failure(self.line.until(b"\r\n").decode().strip())
        assert said == WAITING, said

    def connect(self, host: str, port: int, form: str = "", number: int = 1) -> Connection:
        escaped = form != "transparent"
        self._parameters(number, TCPSERV=host, TCPPORT=port, DLEMODE=int(escaped))
        self._opened(self._service("AT#OTCP", number))
        return EdsoftConnection(self, escaped)

    def listen(self, port: int, allowed: str = "", number: int = 1) -> Listening:
        self._parameters(number, TCPSERV=allowed or ANYBODY, TCPPORT=port, DLEMODE=1)
        self.command(self._service("AT#LTCPSTART", number))
        return EdsoftListening(self, self._service("AT#LTCPSTOP", number))

    # -- UDP (ch. 6) ---------------------------------------------------------------------------------------------------

    def udp(self, host: str, port: int) -> Connection:
        self.command(f'AT#UDPSERV="{host}";#UDPPORT={port};#UDPTXDELAY=100')
        self._opened("AT#OUDP")
        return EdsoftConnection(self, True)

    def udp_listen(self, port: int, allowed: str = "") -> Listening:
        self.command(f'AT#UDPSERV="{allowed or ANYBODY}";#UDPPORT={port};#UDPTXDELAY=100')
        self.command("AT#LUDPSTART")
        return EdsoftListening(self, "AT#LUDPSTOP")

    # -- ping (ch. 7) --------------------------------------------------------------------------------------------------

    def ping(self, host: str, count: int) -> list[bool]:
        self.command(f'AT#PINGREMOTE="{host}";#PINGNUM={count};#PINGDELAY=1')
        said = self.command("AT#PING", limit_s=30).split(" | ")
        answers = [re.fullmatch(r'"\S+" is alive : time = \d+ ms|(NO answer from "\S+")', line) for line in said]
        assert all(answers), said
        return [answer is not None and answer[1] is None for answer in answers]

    # -- mistakes (ch. 9) ----------------------------------------------------------------------------------------------

    def makes_mistakes(self, free_port: int) -> None:
        for command, code in (
            ("AT#NONSENSE", "34817"),
            ("AT#NONSENSE=1", "34817"),
            ("AT#OTCP=1,2,3", "34819"),
            ('AT#APNSERV="open', "34819"),
            ("AT#UDPPORT=70000", "34882"),
            ("AT#GPRSMODE=2", "34882"),
            ('AT#APNSERV="' + "x" * 3000 + '"', "34881"),
        ):
            with fails(code):
                self.command(command)
        listening = self.listen(free_port)
        with fails("37123"):
            self._parameters(1, TCPPORT=81)
        with fails("37122"):
            self.command(self._service("AT#OTCP", 1))
        listening.stop()

    # -- appendices A and B --------------------------------------------------------------------------------------------

    def example(self, host: str, port: int) -> None:
        """Appendix A, Connect to the Internet using GPRS; Act as a TCP Client; appendix B, Opening a TCP Socket."""
        self.command("AT+WOPEN=1")
        self.command("AT#PPPMODE=1")
        assert self.command("AT#PPPMODE?") == "#PPPMODE: 1"
        address = self.up()
        assert address in self.command("AT#DISPLAYIP")
        connection = self.connect(host, port)
        connection.exchange(b"Data\r\n\x03\x10")
        connection.close()
        self.down()


class EdsoftConnection(Connection):
    """The data mode, until ETX or, without escapes, +++ in silence."""

    def __init__(self, host: EdsoftHost, escaped: bool) -> None:
        self._host, self._line, self._escaped = host, host.line, escaped
        self.escapable = not escaped

    def _on_line(self, data: bytes) -> bytes:
        return escape(data) if self._escaped else data

    def send(self, data: bytes) -> None:
        self._line.say(self._on_line(data))

    def expect(self, data: bytes) -> None:
        wanted = self._on_line(data)
        got = self._line.take(len(wanted))
        assert got == wanted, f"{got[:200]!r} is not {wanted[:200]!r}"

    def exchange(self, data: bytes) -> None:
        wanted = self._on_line(data)
        same(self._line.stream(wanted, wanted), wanted)

    def close(self) -> None:
        if self._escaped:
            self._line.say(b"\x03")
        else:
            assert self._line.silent_for(GUARD_S) == b""
            self._line.say(b"+++")
        self._host.hear(CLOSED + OK)

    def closed_by_peer(self) -> None:
        self._host.hear((b"\x03" if self._escaped else b"") + CLOSED + OK)

    def reset_by_peer(self) -> None:
        self._host.hear((b"\x03" if self._escaped else b"") + b"\r\n#CME ERROR: 37952\r\n")


class EdsoftListening(Listening):
    """One peer is let in, then the port is closed."""

    def __init__(self, host: EdsoftHost, stop: str) -> None:
        self._host, self._stop = host, stop

    def accepted(self) -> Connection:
        self._host.hear(WAITING)
        return EdsoftConnection(self._host, True)

    def stop(self) -> None:
        self._host.command(self._stop)
