"""Hosts that type whatever comes to their mind, while their module restarts now and then.

Any command of their dialect, in any state, spoiled or not; payload, signs and ends where nobody wants them. Nothing in
the gateway may break by that, and whoever then does what every host does that knows nothing any more (``+++``, ETX, ESC,
DTR, ``AT``) has his OK.
"""

from __future__ import annotations

import random
import re

from gateway.dialect import registry
from recovery import servers
from recovery.faults import restart, restart_without_text, unplugged
from recovery.lab import Lab
from recovery.programs import family

PORTS = (servers.ECHO, servers.HOLD, servers.FTP, servers.SMTP, servers.POP3, servers.HTTP, servers.TIME, servers.DEAF)
SERVERS = ('"server.example"', '"127.0.0.1"')
BEGINNINGS = {
    "edsoft": ('AT#APNSERV="a";#APNUN="";#APNPW=""', "AT#CONNECTIONSTART"),
    "wipsoft": ("AT+WIPCFG=1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"),
    "mip": ('AT+MIPCALL=1,"apn"',),
}
"""So that most of the rest finds a bearer."""
OTHERS = (
    b"AT+CSQ\r", b'AT+CMGS="1"\r', b"ATD123;\r", b"A/", b"ATI\r", b"AT&F\r", b"ATZ\r", b"ATE0\r", b"ATV0\r", b"ATQ1\r",
    b"ATV1Q0E1\r", b"AT+CFUN=1\r",
)  # fmt: skip
SIGNS = (b"\x03", b"\x03", b"\x1a", b".\r\n")
PAUSES_S = (0.0, 0.0, 0.05, 0.5, 2.0, 8.0, 30.0)
_HOST = re.compile(r'"?(?:www\.[a-z.]+|[a-z]+\.example(?:\.[a-z]+)?|192\.0\.2\.\d+|198\.51\.100\.\d+)"?')
_PORT = re.compile(r"(?<=,)(80|5000|21|25|110|8080|443|4000|2000|1234)\b")
PATIENCE_S = 200.0
"""Longer than every limit."""


def commands(dialect: str) -> list[str]:
    """All examples of its tables."""
    forms = (form for command in registry.load(dialect).tables.commands.values() for form in command.forms)
    return sorted({example for form in forms for example in form.examples})


class Typist:
    """One who types, by one seed."""

    def __init__(self, lab: Lab, seed: int) -> None:
        self._lab = lab
        self._random = random.Random(seed)
        self._commands = commands(lab.host_dialect)

    def types(self) -> None:
        """A while."""
        for command in BEGINNINGS[family(self._lab.host_dialect)]:
            if self._random.random() < 0.9:
                self._say(command.encode() + b"\r")
                self._lab.wait(self._random.choice((1, 5, 12)))
        for _ in range(self._random.randrange(5, 80)):
            self._one()
            self._lab.wait(self._random.choice(PAUSES_S))

    def comes_to_himself(self) -> bool:
        """Whether his AT is answered in the end."""
        self._lab.wait(PATIENCE_S)
        for _ in range(4):
            for data, pause_s in ((b"+++", 2.0), (b"\x03", 2.0), (b"\x1b", 30.0), (b".\r\n\r", 60.0)):
                self._say(data)
                self._lab.wait(pause_s)
            for ready in (False, True):
                self._lab.loop.call_soon(self._lab.line.link.on_ready_signal, ready)
                self._lab.wait(2.0)
            seen = len(self._lab.line.seen)
            self._say(b"ATV1Q0E1\r")
            self._lab.wait(5.0)
            self._say(b"AT\r")
            self._lab.wait(PATIENCE_S)
            if b"\r\nOK\r\n" in self._lab.line.seen[seen:]:
                return True
        return False

    def _say(self, data: bytes) -> None:
        self._lab.line.say(data)

    def _one(self) -> None:
        what = self._random.random()
        if what < 0.62:
            self._say(self._fitted(self._random.choice(self._commands)).encode("latin-1") + b"\r")
        elif what < 0.68:
            self._say(self._random.choice(OTHERS))
        elif what < 0.8:
            self._say(self._random.randbytes(self._random.choice((1, 10, 300, 2000))))
        elif what < 0.9:
            self._say(self._random.choice(SIGNS))
        elif what < 0.97:
            self._lab.wait(1.2)
            self._say(b"+++")
            self._lab.wait(1.2)
        else:
            fault = self._random.choice((restart, restart_without_text, unplugged))
            self._lab.loop.call_soon(fault, self._lab)

    def _fitted(self, command: str) -> str:
        """A command for servers that there are; now and then spoiled."""
        choice = self._random.choice
        if self._random.random() < 0.8:
            command = _HOST.sub(lambda _: choice(SERVERS), command)
        if self._random.random() < 0.7:
            command = _PORT.sub(lambda _: str(choice(PORTS)), command)
        if self._random.random() < 0.05:
            command = command.replace("1", str(self._random.randrange(10)), 1)
        if self._random.random() < 0.03:
            at = self._random.randrange(len(command))
            command = command[:at] + choice('",=?;\x10\x03 ') + command[at + 1 :]
        return command


def play(host: str, module: str, seed: int) -> None:
    """Raises what is wrong, with what was said."""
    with Lab(host, module, seed=seed) as lab:
        typist = Typist(lab, seed)
        typist.types()
        assert typist.comes_to_himself(), f"heard last: {bytes(lab.line.seen[-600:])!r}"
