"""A host's line, the gateway, a virtual module and the servers behind it, in one process, with time by hand.

All of the product is the product's own but its lines, its network and its clock: runners, sessions, engines, faults.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import ssl
from collections.abc import Callable
from typing import Any, Self
from unittest.mock import patch

from matrix.pair import NATIVE

from gateway.dialect import registry
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.links.bridge_runner import BridgeRunner
from gateway.links.native_runner import NativeRunner
from gateway.model.values import Addresses
from gateway.native import icmp, network
from gateway.native.dialer import Streams
from gateway.native.faults import Faults
from gateway.session.bridge import Bridge
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide
from recovery.clock import Loop
from recovery.line import Line, Terminal
from recovery.network import HOME, Door
from recovery.servers import Servers

TRACED = os.environ.get("AT_GATEWAY_RECOVERY_TRACE") == "1"


class Trace:
    """What happened at the gateway, for people."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.lines: list[str] = []

    def data(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        self.lines.append(f"{self._loop.time():9.3f} {side:6} {direction:3} {data[:120]!r}")

    def note(self, kind: str, values: dict[str, object]) -> None:
        self.lines.append(f"{self._loop.time():9.3f} {kind} {values}")


class _Complaints(logging.Handler):
    """What the product thinks is its own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


class Lab:
    """See the module's text. The module may be none: then ``bridge`` is all that there is, on the network itself.
    ``tls``: what a server has that speaks it, and what its clients trust."""

    def __init__(
        self, host: str, module: str, *, seed: int | None = None, tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None
    ) -> None:
        self.host_dialect, self.module_dialect = host, module
        chop = random.Random(seed) if seed is not None else None
        self.loop = Loop()
        self.loop.network.names["server.example"] = "127.0.0.1"
        self.line = Terminal(self.loop, chop)
        self.wire = Line(self.loop, ("module", "gateway"), chop)
        """Between the gateway and its module."""
        self.faults = Faults()
        self.kept: dict[str, dict[str, str | int]] = {"host": {}, "module": {}}
        self.servers = Servers(self.loop, tls[0] if tls is not None else None)
        self._trust = tls[1] if tls is not None else None
        self._complaints = _Complaints()
        self._callers: list[asyncio.StreamWriter] = []
        self.pinged = 0
        self._patches = (
            patch.object(icmp, "echo", self._echo),
            patch.object(socket, "create_server", lambda address: Door(self.loop.network, address)),
            patch.object(network, "own_addresses", lambda *_: Addresses(HOME, "10.0.0.254", "10.0.0.253", "10.0.0.252")),
        )

    def __enter__(self) -> Self:
        logging.getLogger("gateway").addHandler(self._complaints)
        for one in self._patches:
            one.start()
        self.loop.do(self._make())
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        try:
            if kind is None:
                self.loop.do(self.bridge.close())
                if self.module_dialect != NATIVE:
                    self.loop.do(self.module.close())
        finally:
            for writer in self._callers:
                writer.close()
            self.servers.close()
            for one in self._patches:
                one.stop()
            logging.getLogger("gateway").removeHandler(self._complaints)
            self.loop.end()
        if kind is None:
            assert not self._complaints.records, [record.getMessage() for record in self._complaints.records]

    async def _make(self) -> None:
        await self.servers.open()
        self.trace = Trace(self.loop) if TRACED else None
        host_dialect = registry.load(self.host_dialect)
        self.host_side = HostSide(host_dialect, firmware_of(host_dialect), tracing=TRACED)
        if self.module_dialect == NATIVE:
            self.bridge: BridgeRunner | NativeRunner = NativeRunner(
                self.host_side,
                self.line.link,
                keep=self._keep("host"),
                tape=self.trace,
                address=HOME,
                trust=self._trust,
            )
            await self.bridge.open()
            return
        module_dialect = registry.load(self.module_dialect)
        self.module_side = HostSide(module_dialect, firmware_of(module_dialect), swallows=self._swallows)
        self.module = NativeRunner(
            self.module_side,
            self.wire.left,
            keep=self._keep("module"),
            faults=self.faults,
            address=HOME,
            trust=self._trust,
        )
        await self.module.open()
        self.gateway = ModuleSide(module_dialect, driver_of(module_dialect), tracing=TRACED)
        self.bridge = BridgeRunner(
            Bridge(self.host_side, self.gateway, polyfills=True),
            self.line.link,
            self.wire.right,
            keep=self._keep("host"),
            tape=self.trace,
            trust=self._trust,
        )
        await self.bridge.open()

    def _keep(self, whose: str) -> Callable[[dict[str, str | int]], None]:
        return lambda values: self.kept.update({whose: dict(values)})

    def _swallows(self, line: str) -> bool:
        return self.module.swallows(line)

    async def _echo(self, address: str, *_: Any) -> float | None:
        self.pinged += 1
        return 0.05

    # -- time ----------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        return self.loop.time()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.wait(lambda: False, seconds)

    # -- peers ---------------------------------------------------------------------------------------------------------

    def call(self, port: int) -> Streams:
        """A peer calls the module, as soon as it listens."""
        network = self.loop.network
        assert self.until(lambda: port in network.servers), "nobody listens there"
        streams: Streams = self.loop.do(asyncio.open_connection(HOME, port))
        self._callers.append(streams[1])
        return streams

    def until(self, over: Callable[[], bool], limit_s: float = 15.0) -> bool:
        due = self.now + limit_s
        while not over() and self.now < due:
            self.wait(0.05)
        return over()

    def module_is_well(self) -> None:
        """Nothing holds the module up any more."""
        self.faults.trouble.bearer_delay_s = 0.0
        self.wire.to_right.hold(False)
