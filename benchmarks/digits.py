"""How fast payload goes between an escaped host and a module that takes it as hexadecimal digits in commands.

Bridge and module in memory, as in :mod:`benchmarks.own_time`; what counts is the gateway's own time, all the module's
answers included. The bar is in megabytes of payload a second; 921600 baud carry 0.046 of them in digits.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from benchmarks.lines import HOST_DIALECT, Failure
from benchmarks.payload import escaped, payload
from benchmarks.report import Figure
from gateway.dialect import registry
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.session.bridge import Bridge
from gateway.session.effects import Drain, ToHost, ToModule
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide

MODULE = "fibocom-l610"
BAR_MB_S = 3.0
READ_BYTES = 16384
LINE_BYTES = 1024
OK = b"\r\nOK\r\n"
_SEND = re.compile(rb'AT\+MIPSEND=1,"([0-9A-F]*)"')
_SAYS = {
    b"AT+MIPCALL=1": OK + b"\r\n+MIPCALL: 10.0.0.1\r\n",
    b"AT+MIPCALL?": b"\r\n+MIPCALL: 0\r\n" + OK,
    b"AT+MIPPUSH=1": b"\r\n+MIPPUSH: 1,0\r\n" + OK,
}


class Digits:
    """A host in its data phase on such a module."""

    def __init__(self) -> None:
        host, module = registry.load(HOST_DIALECT), registry.load(MODULE)
        self._bridge = Bridge(HostSide(host, firmware_of(host)), ModuleSide(module, driver_of(module)))
        self._now = 100.0
        self._line = b""
        self._free = 2048
        self.heard = bytearray()
        self.sent = bytearray()
        self.spent_s = 0.0
        self._call(self._bridge.tick)
        for command, end in (
            ("ATE0", OK),
            ('AT#TCPSERV=1,"10.0.0.9"', OK),
            ("AT#TCPPORT=1,80", OK),
            ("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n"),
            ("AT#OTCP=1", b"Ok_Info_WaitingForData\r\n"),
        ):
            self.heard.clear()
            self._call(self._bridge.host_receive, command.encode() + b"\r")
            if not self.heard.endswith(end):
                raise Failure(f"{command} on {MODULE}: {bytes(self.heard)!r}")
        self.heard.clear()

    def up(self, data: bytes) -> None:
        """The host sends payload."""
        for at in range(0, len(data), READ_BYTES):
            self._call(self._bridge.host_receive, data[at : at + READ_BYTES])
        self._now += 1
        self._call(self._bridge.tick)

    def down(self, data: bytes) -> None:
        """The module tells payload."""
        for at in range(0, len(data), READ_BYTES):
            self._call(self._bridge.module_receive, data[at : at + READ_BYTES])

    def _call(self, what: Callable[..., None], *arguments: bytes) -> None:
        self._now += 0.0001
        begun = time.perf_counter()
        what(*arguments, self._now)
        self.spent_s += time.perf_counter() - begun
        while self._bridge.effects:
            effects, self._bridge.effects = self._bridge.effects, []
            for effect in effects:
                if isinstance(effect, ToHost):
                    self.heard += effect.data
                elif isinstance(effect, ToModule):
                    self._hear(effect.data)
                elif isinstance(effect, Drain):
                    self._bridge.module_drained(self._now, just_now=False)

    def _hear(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\r")
        for line in lines:
            match = _SEND.fullmatch(line)
            if match is None:
                opens = line.startswith(b"AT+MIPOPEN=1,")
                self._free = 2048 if line == b"AT+MIPPUSH=1" else self._free
                self._say(_SAYS.get(line, OK + (b"\r\n+MIPOPEN: 1,1\r\n" if opens else b"")))
                continue
            block = bytes.fromhex(match[1].decode())
            self.sent += block
            self._free = self._free - len(block) or 2048
            self._say(b"\r\n+MIPSEND: 1,0,%d\r\n" % self._free + OK)

    def _say(self, data: bytes) -> None:
        begun = time.perf_counter()
        self._bridge.module_receive(data, self._now)
        self.spent_s += time.perf_counter() - begun


def measure(*, quick: bool) -> list[Figure]:
    """A figure a direction."""
    data = payload(1_000_000 if quick else 5_000_000)
    wire = escaped(data)
    told = b"".join(
        b"\r\n+MIPRTCP: 1,0,%s\r\n" % data[at : at + LINE_BYTES].hex().upper().encode()
        for at in range(0, len(data), LINE_BYTES)
    )
    figures = []
    for way in ("host to module", "module to host"):
        line = Digits()
        line.spent_s = 0.0
        if way == "host to module":
            line.up(wire)
            right = line.sent == data
        else:
            line.down(told)
            right = line.heard == wire
        if not right:
            raise Failure(f"digits, {way}: {len(line.sent)} sent, {len(line.heard)} heard of {len(data)}")
        speed = len(data) / 1e6 / line.spent_s
        figures.append(Figure(f"escaped and digits, {way}, own time", speed, BAR_MB_S, "MB/s", "", at_least=True))
    return figures
