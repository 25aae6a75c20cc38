"""How fast TCP payload goes through an open connection, each way, transparent and escaped, against socat.

The stand-in takes bytes as fast as it can, or makes them; both ends compare count and digest, so that a byte lost,
changed or made up ends the run. The module's data mode is always escaped; ``#DLEMODE`` says whether the host's is. The
figure is the time that socat takes to carry what the sender writes, divided by the time of the bridge, both from the
first write to the last byte read; the median of the rounds' ratios. The payload is a whole number of TCP frames: the
rest of a frame would wait for ``#TCPTXDELAY``, by the host's own wish.
"""

from __future__ import annotations

import gc
from contextlib import ExitStack
from statistics import median

from benchmarks import memory
from benchmarks.lines import Failure, Line, limit
from benchmarks.payload import FORMS, digest, payload
from benchmarks.report import Figure
from benchmarks.standin import put, take

RATIO_BAR = 0.5
FRAME_BYTES = 1460
MODES = {"transparent (#DLEMODE 0)": "plain", "escaped (#DLEMODE 1)": "escaped"}
"""And the form in which the host reads and writes."""


def _connect(line: Line, mode: int) -> None:
    """Open the connection of a host."""
    with limit():
        for command in ("ATE0", f"AT#DLEMODE=1,{mode}", 'AT#TCPSERV=1,"10.0.0.9"', "AT#TCPPORT=1,80"):
            line.ask(command)
        line.ask("AT#CONNECTIONSTART", b"Ok_Info_GprsActivation\r\n")
        line.ask("AT#OTCP=1", b"Ok_Info_WaitingForData\r\n")


def _check(line: Line, got: tuple[int, str], data: bytes) -> None:
    wanted = (len(data), digest(data))
    if got != wanted:
        raise Failure(f"{line.middle} carried {got} instead of {wanted}")


def _up(line: Line, sent: bytes, arrives: bytes) -> float:
    """Host to module: seconds."""
    line.order("sink", len(arrives))
    line.standin.line()
    with limit():
        begun = put(line.fd, sent)
        ended, count, checksum = line.done()
    _check(line, (count, checksum), arrives)
    return (ended - begun) / 1e9


def _down(line: Line, size: int, form: str, arrives: bytes) -> float:
    """Module to host: seconds."""
    line.order("source", size, form)
    with limit():
        ended, data = take(line.fd, len(arrives))
        begun, *_ = line.done()
    _check(line, (len(data), digest(data)), arrives)
    return (ended - begun) / 1e9


def measure(*, quick: bool) -> list[Figure]:
    """A figure a mode and direction, and the bridge's memory."""
    rounds, size = (3, 2000 * FRAME_BYTES) if quick else (7, 5000 * FRAME_BYTES)
    raw = payload(size)
    wire = FORMS["escaped"](raw)
    took: dict[tuple[str, str], list[tuple[float, float]]] = {}
    with ExitStack() as stack:
        socat = Line(stack, "socat")
        bridges = {name: Line(stack, "bridge") for name in MODES}
        for mode, bridge in enumerate(bridges.values()):
            _connect(bridge, mode)
        gc.collect()
        gc.disable()
        stack.callback(gc.enable)
        for _ in range(rounds):
            for name, form in MODES.items():
                bridge, at_host = bridges[name], FORMS[form](raw)
                pair = (_up(bridge, at_host, wire), _up(socat, at_host, at_host))
                took.setdefault((name, "host to module"), []).append(pair)
                pair = (_down(bridge, size, "escaped", at_host), _down(socat, size, "escaped", wire))
                took.setdefault((name, "module to host"), []).append(pair)
        figures = [_figure(f"bulk, {name}, {way}", pairs, size) for (name, way), pairs in took.items()]
        figures.append(memory.figure([bridge.process.process.pid for bridge in bridges.values()]))
        for bridge in bridges.values():  # both at once: leaving a data mode takes two guard times
            bridge.process.stop()
        for bridge in bridges.values():
            code = bridge.process.process.wait(20)
            if code != 0:
                raise Failure(f"a bridge ended with {code}: {bridge.process.complaint()}")
    return figures


def _figure(name: str, pairs: list[tuple[float, float]], size: int) -> Figure:
    ratios = [socat / bridge for bridge, socat in pairs]
    ours, theirs = (size / 1e6 / median(times) for times in zip(*pairs, strict=True))
    detail = f"{min(ratios):.2f} to {max(ratios):.2f}; bridge {ours:.1f} MB/s, socat {theirs:.1f} MB/s"
    return Figure(f"{name}: bridge / socat", median(ratios), RATIO_BAR, "", detail, at_least=True)
