"""How fast payload goes through a bridge, for every way in which hosts move it, on every way in which modules do.

The stand-in takes payload as fast as it can, or makes it; both ends compare count and digest, so that a byte lost,
changed or made up ends the run. A ratio is the time that socat takes, divided by the time of the bridge, both from the
first write to the last byte; the median of the rounds' ratios. Through socat goes what is said on the busier of the
bridge's two lines: a stream or a mail as it is, to somebody who takes every byte; a conversation of blocks, in which
the module answers each one, with a module of the host's own dialect.

Where the module takes payload as digits in commands, and a host gives it a stream, socat says nothing of use: there the
module's line is the measure. The stand-in is as slow as 921600 baud, and the ratio is to the time that a host of the
module's own dialect needs through socat.

The payload is a whole number of TCP frames: the rest of a frame would wait for ``#TCPTXDELAY``, by the host's own wish.
"""

from __future__ import annotations

import gc
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks import memory
from benchmarks.hosts import DIGITS, ESCAPED, MAIL, PROMPTED, TRANSPARENT, Host
from benchmarks.lines import DIGITS_DIALECT, MODULE_DIALECT, Failure, Line, limit
from benchmarks.payload import FORMS, digest, letter, payload
from benchmarks.report import Figure

RATIO_BAR = 0.5
LINE_BAR = 0.9
BAUD = 921600
FRAME_BYTES = 1460
HOSTS = (TRANSPARENT, ESCAPED, DIGITS, PROMPTED, MAIL)
STREAMS = (TRANSPARENT, ESCAPED)
BLOCKS = (DIGITS, PROMPTED)
MODULES = {"escaped": MODULE_DIALECT, "hexadecimal": DIGITS_DIALECT}
MAIL_MODULES = MODULES | {"escaped": "wipsoft-2.01"}
"""A newer one has mail of its own."""
UP, DOWN = "host to module", "module to host"


@dataclass
class Pair:
    """A host's phase and a module's, joined by a bridge, and the way that socat is compared on."""

    host: Host
    module: str
    bridge: Line
    socat: Line
    took: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.host.name} host, {self.module} module"


def _check(line: Line, got: tuple[int, str], data: bytes) -> None:
    wanted = (len(data), digest(data))
    if got != wanted:
        raise Failure(f"{line.middle} carried {got} instead of {wanted}")


def _gathered(line: Line, host: Host, order: str, data: bytes, arrives: bytes) -> float:
    """The host sends payload, the stand-in says what became of it: seconds."""
    line.order(order, len(arrives))
    line.standin.line()
    begun = host.up(line, data)
    ended, count, checksum = line.done()
    _check(line, (count, checksum), arrives)
    return (ended - begun) / 1e9


def _told(line: Line, host: Host, form: str, size: int, data: bytes) -> float:
    """The stand-in makes payload, the host reads it: seconds."""
    line.order("source", size, form)
    ended, got = host.down(line, data)
    begun, *_ = line.done()
    _check(line, (len(got), digest(got)), data)
    return (ended - begun) / 1e9


def _mailed(line: Line, size: int, data: bytes) -> float:
    line.order("deliver", size)
    line.standin.line()
    ended, got = MAIL.down(line, data)
    begun, *_ = line.done()
    _check(line, (len(got), digest(got)), data)
    return (ended - begun) / 1e9


def _up(pair: Pair, size: int) -> tuple[float, float]:
    """Seconds of the bridge and of socat, host to module."""
    host = pair.host
    if host is MAIL:
        data = letter(size)
        ours = _gathered(pair.bridge, host, "collect", data, data)
        return ours, _gathered(pair.socat, TRANSPARENT, "sink", data, data)
    data = payload(size)
    if host in BLOCKS:
        by_socat = host if pair.module == "escaped" else DIGITS
        return _gathered(pair.bridge, host, "gather", data, data), _gathered(pair.socat, by_socat, "gather", data, data)
    ours = _gathered(pair.bridge, host, "sink", data, FORMS["escaped"](data))
    return ours, _gathered(pair.socat, host, "sink", data, FORMS[host.form](data))


def _down(pair: Pair, size: int) -> tuple[float, float]:
    """The same, module to host."""
    form = "escaped" if pair.module == "escaped" else "digits"
    data = letter(size) if pair.host is MAIL else payload(size)
    ours = _mailed(pair.bridge, size, data) if pair.host is MAIL else _told(pair.bridge, pair.host, form, size, data)
    busier = max(form, pair.host.form, key=lambda one: len(FORMS[one](data)))
    pair.socat.order("source", size, busier, *(["letter"] if pair.host is MAIL else []))
    wire = FORMS[busier](data)
    ended, got = pair.socat.take(len(wire))
    begun, *_ = pair.socat.done()
    _check(pair.socat, (len(got), digest(got)), wire)
    return ours, (ended - begun) / 1e9


def _line_shares(size: int) -> list[Figure]:
    """How much of what a line of 921600 baud can carry goes through, of a stream for a module that takes digits.

    What it can carry is told by a host that speaks the module's own dialect, through socat, to the same stand-in.
    """
    figures = []
    with ExitStack() as stack:
        socat = Line(stack, "socat", (DIGITS.dialect, DIGITS_DIALECT), BAUD)
        data = payload(size)
        with limit(f"socat at {BAUD} baud"):
            DIGITS.connect(socat)
            best_s = _gathered(socat, DIGITS, "gather", data, data)
        for host in (*STREAMS, MAIL):
            line = Line(stack, "bridge", (host.dialect, DIGITS_DIALECT), BAUD)
            with limit(f"{host.name} host, hexadecimal module at {BAUD} baud"):
                host.connect(line)
                sent = letter(size) if host is MAIL else data
                took_s = _gathered(line, host, "collect" if host is MAIL else "gather", sent, sent)
            name = f"bulk, {host.name} host, hexadecimal module, {UP}: of what {BAUD} baud carry"
            detail = f"{size} bytes in {took_s:.2f} s, through socat in {best_s:.2f} s"
            figures.append(Figure(name, best_s / took_s, LINE_BAR, "", detail, at_least=True))
    return figures


def _pairs(stack: ExitStack) -> list[Pair]:
    socat = Line(stack, "socat")
    talking = Line(stack, "socat", ("fibocom-l610", DIGITS_DIALECT))
    with limit("a conversation through socat"):
        DIGITS.connect(talking)
    pairs = []
    for host in HOSTS:
        for name, dialect in (MAIL_MODULES if host is MAIL else MODULES).items():
            with limit(f"{host.name} host, {name} module: connecting"):
                bridge = Line(stack, "bridge", (host.dialect, dialect))
                host.connect(bridge)
            pairs.append(Pair(host, name, bridge, talking if host in BLOCKS else socat))
    return pairs


def measure(*, quick: bool) -> list[Figure]:
    """A figure a pair and direction, and the bridge's memory."""
    rounds, frames = (3, 1000) if quick else (7, 4000)
    figures = []
    with ExitStack() as stack:
        pairs = _pairs(stack)
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        for _ in range(rounds):
            for pair in pairs:
                for way, move, size in _ways(pair, frames):
                    with limit(f"{pair.name}, {way}"):
                        pair.took.setdefault(way, []).append(move(pair, size))
        for pair in pairs:
            for way, _, size in _ways(pair, frames):
                figures.append(_figure(pair, way, size))
        figures.append(memory.figure([pair.bridge.process.process.pid for pair in pairs]))
        _stop([pair.bridge for pair in pairs])
    return figures + _line_shares((35 if quick else 140) * FRAME_BYTES)


def _ways(pair: Pair, frames: int) -> list[tuple[str, Callable[[Pair, int], tuple[float, float]], int]]:
    """Both directions, and how much: of what is said block by block a tenth, or it takes longer than all the rest."""
    size = frames * FRAME_BYTES
    ways = []
    if pair.module == "escaped" or pair.host in BLOCKS:
        ways.append((UP, _up, size // 10 if pair.host in BLOCKS else size))
    if pair.host.form:
        ways.append((DOWN, _down, size // 4 if pair.module == "hexadecimal" or pair.host is MAIL else size))
    return ways


def _figure(pair: Pair, way: str, size: int) -> Figure:
    took = pair.took[way]
    ratios = [socat / bridge for bridge, socat in took]
    ours, theirs = (size / 1e6 / median(times) for times in zip(*took, strict=True))
    detail = f"{min(ratios):.2f} to {max(ratios):.2f}; bridge {ours:.3g} MB/s, socat {theirs:.3g} MB/s"
    return Figure(f"bulk, {pair.name}, {way}: bridge / socat", median(ratios), RATIO_BAR, "", detail, at_least=True)


def _stop(bridges: list[Line]) -> None:
    for bridge in bridges:  # all at once: leaving a data mode takes two guard times
        bridge.process.stop()
    for bridge in bridges:
        try:
            code = bridge.process.process.wait(20)
        except subprocess.TimeoutExpired:
            raise Failure(f"a bridge does not end: {bridge.process.complaint()}") from None
        if code != 0:
            raise Failure(f"a bridge ended with {code}: {bridge.process.complaint()}")
