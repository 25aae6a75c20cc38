"""How fast payload goes between an escaped host and a module that takes it as hexadecimal digits in commands.

Bridge and module in memory, as in :mod:`benchmarks.own_time`; what counts is the gateway's own time, all the module's
answers included. The bar is in megabytes of payload a second; 921600 baud carry 0.046 of them in digits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from benchmarks import mip
from benchmarks.lines import DIGITS_DIALECT, HOST_DIALECT, Failure
from benchmarks.payload import escaped, payload
from benchmarks.report import Figure
from gateway.dialect import registry
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.session.bridge import Bridge
from gateway.session.effects import Drain, ToHost, ToModule
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide

BAR_MB_S = 3.0
READ_BYTES = 16384
OK = b"\r\nOK\r\n"


class Digits:
    """A host in its data phase on such a module."""

    def __init__(self) -> None:
        host, module = registry.load(HOST_DIALECT), registry.load(DIGITS_DIALECT)
        self._bridge = Bridge(HostSide(host, firmware_of(host)), ModuleSide(module, driver_of(module)))
        self._now = 100.0
        self._module = mip.Module()
        self.heard = bytearray()
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
                raise Failure(f"{command} on {DIGITS_DIALECT}: {bytes(self.heard)!r}")
        self.heard.clear()

    @property
    def sent(self) -> bytearray:
        """What the module was given."""
        return self._module.taken

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
                    self._say(self._module.receive(effect.data, self._now))
                elif isinstance(effect, Drain):
                    self._bridge.module_drained(self._now, just_now=False)

    def _say(self, data: bytes) -> None:
        begun = time.perf_counter()
        self._bridge.module_receive(data, self._now)
        self.spent_s += time.perf_counter() - begun


def measure(*, quick: bool) -> list[Figure]:
    """A figure a direction."""
    data = payload(1_000_000 if quick else 5_000_000)
    wire = escaped(data)
    told = mip.told(data)
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
