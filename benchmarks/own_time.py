"""How long the gateway itself takes for a command that it translates, without lines and without waiting.

Host side, bridge and module side are joined in memory with a module that answers at once; time is given to them by
hand. What counts is the time spent inside ``receive`` and ``tick`` from the command to its result, all the module's
commands and answers included. Each session has a host name and a port of its own and begins with empty parser caches,
so each line is really parsed.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median

from benchmarks.lines import HOST_DIALECT, MODULE_DIALECT, Failure
from benchmarks.report import Figure
from benchmarks.wipsoft import Module
from gateway.dialect import registry
from gateway.dialect.grammar import parse_answer, parse_whole
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.session.bridge import Bridge
from gateway.session.effects import Drain, ToHost, ToModule
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide

BAR_MS = 1.0
OK = b"\r\nOK\r\n"
SESSION: tuple[tuple[str, str, bytes], ...] = (
    ("AT#TCPSERV=..", 'AT#TCPSERV=1,"meter{number}.example"\r', OK),
    ("AT#TCPPORT=..", "AT#TCPPORT=1,{port}\r", OK),
    ("AT#CONNECTIONSTART", "AT#CONNECTIONSTART\r", b"Ok_Info_GprsActivation\r\n"),
    ("AT#VSTATE", "AT#VSTATE\r", OK),
    ("AT#OTCP", "AT#OTCP=1\r", b"Ok_Info_WaitingForData\r\n"),
    ("a packet of 1 kB", "x" * 1024, b""),
    ("ETX: close", "\x03", OK),
    ("AT#CONNECTIONSTOP", "AT#CONNECTIONSTOP\r", OK),
    ("AT+CSQ", "AT+CSQ\r", OK),
)
"""What is measured, what the host says, and the end of what it hears."""


class Joined:
    """A bridge and a module in memory, and the time that the bridge takes."""

    def __init__(self) -> None:
        host, module = registry.load(HOST_DIALECT), registry.load(MODULE_DIALECT)
        self._bridge = Bridge(HostSide(host, firmware_of(host)), ModuleSide(module, driver_of(module)))
        self._module = Module()
        self._now = 100.0
        self._heard = b""
        self._spent_ns = 0
        self._call(self._bridge.tick)
        self._run(b"")
        self.say(b"ATE0\r", OK)

    def say(self, data: bytes, end: bytes) -> float:
        """The host says ``data``: milliseconds of the gateway's own until the host has heard ``end``."""
        self._heard = b""
        self._spent_ns = 0
        self._call(self._bridge.host_receive, data)
        self._run(end)
        return self._spent_ns / 1e6

    def _call(self, what: Callable[..., None], *arguments: bytes) -> None:
        self._now += 0.001
        begun = time.perf_counter_ns()
        what(*arguments, self._now)
        self._spent_ns += time.perf_counter_ns() - begun

    def _run(self, end: bytes) -> None:
        """Carry effects out until there are none and ``end`` was heard; time passes only when all wait for it."""
        while True:
            while self._bridge.effects:
                effects, self._bridge.effects = self._bridge.effects, []
                for effect in effects:
                    if isinstance(effect, ToHost):
                        self._heard += effect.data
                    elif isinstance(effect, ToModule):
                        self._answer(self._module.receive(effect.data, self._now))
                    elif isinstance(effect, Drain):
                        self._call(lambda now: self._bridge.module_drained(now, just_now=False))
            if end in self._heard:
                return
            self._pass_time(end)

    def _pass_time(self, end: bytes) -> None:
        times = [due for due in (self._bridge.deadline, self._module.deadline) if due is not None]
        if not times or min(times) > self._now + 20:
            raise Failure(f"the bridge waits for nothing, the host has heard {self._heard!r} and not {end!r}")
        self._now = max(self._now, min(times))
        self._answer(self._module.tick(self._now))
        self._call(self._bridge.tick)

    def _answer(self, said: bytes) -> None:
        if said:
            self._call(self._bridge.module_receive, said)


def measure(*, quick: bool) -> list[Figure]:
    """A figure a command."""
    sessions = 60 if quick else 300
    took: dict[str, list[float]] = {name: [] for name, _, _ in SESSION}
    Joined()
    gc.collect()
    for number in range(sessions):
        joined = Joined()
        parse_whole.cache_clear()
        parse_answer.cache_clear()
        for name, text, end in SESSION:
            data = text.format(number=number, port=1024 + number).encode()
            took[name].append(joined.say(data, end))
    every = sorted(value for name, values in took.items() if name.startswith("AT#") for value in values)
    figures = [_figure("a translated command", every)]
    return figures + [_figure(name, sorted(values)) for name, values in took.items()]


def _figure(name: str, ordered: list[float]) -> Figure:
    tail = ordered[int(len(ordered) * 0.99)]
    return Figure(f"own time, {name}, p50", median(ordered), BAR_MS, "ms", f"p99 {tail:.2f} ms")
