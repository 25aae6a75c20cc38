"""Hosts by the way in which they move payload: each knows its commands, and how it waits for the module's word."""

from __future__ import annotations

import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks.lines import Line
from benchmarks.payload import FORMS
from benchmarks.standin import put

OK = b"\r\nOK\r\n"
_TOLD = re.compile(rb"\r\n\+MIPRTCP: 1,\d+,([0-9A-F]*)\r\n")
_ON = b"\r\n+MIPXON: 1\r\n"
BLOCK_BYTES = 1024
ROOM_BYTES = 2048


@dataclass(frozen=True)
class Host(ABC):
    """A host in one of its phases."""

    name: str
    dialect: str
    form: str
    """How payload that comes looks on its line; "": none comes in this phase."""

    @abstractmethod
    def connect(self, line: Line) -> None:
        """Until payload can be moved."""

    @abstractmethod
    def up(self, line: Line, data: bytes) -> int:
        """Send payload; when that began."""

    def down(self, line: Line, data: bytes) -> tuple[int, bytes]:
        """Read so much payload; when the last of it came, and what it was."""
        wanted = FORMS[self.form](data)
        ended, got = line.take(len(wanted))
        return ended, data if got == wanted else got


class Stream(Host):
    """eDSoft #OTCP, its data phase escaped or not (#DLEMODE)."""

    def connect(self, line: Line) -> None:
        mode = int(self.form == "escaped")
        for command in ("ATE0", f"AT#DLEMODE=1,{mode}", 'AT#TCPSERV=1,"10.0.0.9"', "AT#TCPPORT=1,80"):
            line.ask(command)
        line.ask("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n")
        line.ask("AT#OTCP=1", b"Ok_Info_WaitingForData\r\n")

    def up(self, line: Line, data: bytes) -> int:
        return put(line.fd, FORMS[self.form](data))


def _until_taken(line: Line, send: Callable[[], object], refused: bytes) -> None:
    """Once more behind +MIPXON, when the module says that it takes no more just now (1.1.19)."""
    while True:
        send()
        said = line.hear(OK)
        if refused not in said:
            return
        while _ON not in said:
            said += line.hear(_ON)


class Digits(Host):
    """Fibocom +MIPSEND with digits, pushed when the buffer is full (1.1.6, 1.1.7)."""

    def connect(self, line: Line) -> None:
        line.ask("ATE0")
        line.ask("AT+MIPCALL=1", b"+MIPCALL: 10.0.0.1\r\n")
        line.ask('AT+MIPOPEN=1,,"10.0.0.9",80,0', b"+MIPOPEN: 1,1\r\n")

    def down(self, line: Line, data: bytes) -> tuple[int, bytes]:
        size = 2 * len(data)
        ended, told = line.take(size)
        while True:  # how it is cut into lines is the module's affair, and each has something before its digits
            ends = told.endswith(b"\r\n")
            got = b"".join(bytes.fromhex(digits.decode()) for digits in _TOLD.findall(told)) if ends else b""
            if len(got) >= len(data):
                return ended, got
            ended, more = line.some()
            told += more

    def up(self, line: Line, data: bytes) -> int:
        begun = time.monotonic_ns()
        for at in range(0, len(data), BLOCK_BYTES):
            command = b'AT+MIPSEND=1,"%s"\r' % data[at : at + BLOCK_BYTES].hex().upper().encode()
            _until_taken(line, partial(line.say, command), b"+MIPSEND: 1,1,")
            if (at + BLOCK_BYTES) % ROOM_BYTES == 0 or at + BLOCK_BYTES >= len(data):
                _until_taken(line, partial(line.say, b"AT+MIPPUSH=1\r"), b"+MIPPUSH: 1,1\r")
        return begun


class Prompted(Digits):
    """Fibocom +MIPSEND with a length: raw behind the prompt (1.2.3)."""

    def up(self, line: Line, data: bytes) -> int:
        begun = time.monotonic_ns()
        for at in range(0, len(data), ROOM_BYTES):
            block = data[at : at + ROOM_BYTES]

            def send(block: bytes = block) -> None:
                line.say(b"AT+MIPSEND=1,%d\r" % len(block))
                line.hear(b"\r\n>\r\n")
                line.say(block)
                line.hear(OK)  # what it says to that is behind it

            _until_taken(line, send, b"+MIPSEND: 1,1,")
        return begun


class Mail(Host):
    """eDSoft #PUTMAIL and #GETMAIL: text up to a line of a single dot."""

    def connect(self, line: Line) -> None:
        for command in (
            "ATE0", 'AT#SMTPSERV="10.0.0.9";#SMTPPORT=25;#SMTPUN="";#SMTPPW=""', 'AT#POP3SERV="10.0.0.9";#POP3PORT=110',
            'AT#POP3UN="meter";#POP3PW="secret"', 'AT#SENDERADDR="me@here.example";#REC1="you@there.example"',
            'AT#DOMAIN="here.example"', "AT#POP3HEADERMODE=1",
        ):  # fmt: skip
            line.ask(command)
        line.ask("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n")

    def up(self, line: Line, data: bytes) -> int:
        line.ask("AT#PUTMAIL", b"Ok_Info_WaitingForData\r\n")
        begun = put(line.fd, data + b".\r\n")
        line.hear(OK)
        return begun

    def down(self, line: Line, data: bytes) -> tuple[int, bytes]:
        line.say(b"AT#GETMAIL\r")
        line.hear(b"Ok_Info_Mail\r\n")
        ended, got = line.take(len(data))
        line.hear(b".\r\n" + OK)  # told when the server has deleted it
        return ended, got


TRANSPARENT = Stream("transparent", "edsoft-3.02", "plain")
ESCAPED = Stream("escaped", "edsoft-3.02", "escaped")
DIGITS = Digits("hexadecimal", "fibocom-l610", "digits")
PROMPTED = Prompted("prompted", "fibocom-l610", "")
MAIL = Mail("mail", "edsoft-3.02", "plain")
