"""Runs a host with a module: two links, and the services that the gateway speaks over the module's sockets."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from gateway.errors import LinkError
from gateway.links.link import Link
from gateway.links.polyfill import Polyfills
from gateway.links.runner import Runner, Tape
from gateway.model.findings import Finding
from gateway.session.bridge import Bridge
from gateway.session.effects import Drain, Note, ToHost, ToModule
from gateway.session.host import HostSide
from gateway.session.tasks import Mode

log = logging.getLogger("gateway.runner")
FINISH_S = 10.0
"""How long a session may take to end in good order."""


class BridgeRunner(Runner):
    """A bridge between two links."""

    def __init__(
        self,
        bridge: Bridge,
        host_link: Link,
        module_link: Link,
        *,
        keep: Callable[[dict[str, str | int]], None],
        tape: Tape | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host_link, keep=keep, tape=tape)
        self._bridge = bridge
        self._polyfills = Polyfills(bridge, self._apply, self._flow, found=self._found, trust=trust)
        self._module_link = module_link
        self._module_congested = False
        self._ending = False
        self._done = asyncio.Event()
        module_link.on_data = self._module_data
        module_link.on_congestion = self._module_congestion
        module_link.on_lost = self._module_lost
        module_link.on_ready_signal = self._module_signal

    @property
    def links(self) -> tuple[str, ...]:
        """Both links."""
        return self._host_link.name, self._module_link.name

    @property
    def _host(self) -> HostSide:
        return self._bridge.host

    async def open(self) -> None:
        """Open both links."""
        await self._host_link.open()
        try:
            await self._module_link.open()
        except LinkError:
            self._host_link.close()
            raise
        self._tick(self._loop.time())

    async def close(self) -> None:
        """Bring the module to command mode with no socket open, then close the links."""
        self._host_link.on_congestion = lambda _: None  # the module must be heard, however slowly the host reads
        self._host_congested = False
        await self._polyfills.close()
        self._ending = True
        self._bridge.finish(self._loop.time())
        self._apply()
        try:
            async with asyncio.timeout(FINISH_S):
                while not self._bridge.finished:
                    self._done.clear()
                    await self._done.wait()
        except TimeoutError:
            log.warning("the module could not be brought back to command mode within %.0f s", FINISH_S)
        self._stop()
        await self._close_links(self._module_link, self._host_link)

    def abandon(self) -> None:
        """End at once."""
        super().abandon()
        self._module_link.close()

    def _host_data(self, data: bytes) -> None:
        if self._tape is not None:
            self._record("host", "in", data, lines=self._host.mode is Mode.COMMAND)
        self._bridge.host_receive(data, self._loop.time())
        self._apply()

    def _module_data(self, data: bytes) -> None:
        if self._tape is not None:
            self._record("module", "in", data, lines=not self._bridge.module.in_data_mode)
        self._bridge.module_receive(data, self._loop.time())
        self._apply()

    def _host_signal(self, ready: bool) -> None:
        self._bridge.terminal_ready(ready, self._loop.time())
        self._apply()

    def _module_lost(self) -> None:
        self._bridge.module_link(False, self._loop.time())
        self._apply()
        self._lost(self._module_link, self._module_back)

    def _module_back(self) -> None:
        self._bridge.module_link(True, self._loop.time())
        self._apply()

    def _module_signal(self, ready: bool) -> None:
        """A module on a network link came or went."""
        self._bridge.module_link(ready, self._loop.time())
        self._apply()

    def _module_congestion(self, congested: bool) -> None:
        self._module_congested = congested
        self._bridge.module_stopped(congested, self._loop.time())
        self._apply()

    def _tick(self, now: float) -> None:
        self._bridge.tick(now)
        self._apply()

    @property
    def _deadline(self) -> float | None:
        return self._bridge.deadline

    def _carry_out(self) -> None:
        bridge = self._bridge
        while bridge.effects:
            effects, bridge.effects = bridge.effects, []
            for effect in effects:
                if isinstance(effect, ToModule):
                    if self._tape is not None:
                        self._record("module", "out", effect.data, lines=not bridge.module.in_data_mode)
                    self._module_link.write(effect.data)
                elif isinstance(effect, ToHost):
                    self._tell_host(effect.data)
                elif isinstance(effect, Drain):
                    self._drain()
                elif not self._polyfills.take(effect):
                    self._common(effect)
        if self._ending and bridge.finished:
            self._done.set()

    def _drain(self) -> None:
        at_once = True

        def drained() -> None:
            self._bridge.module_drained(self._loop.time(), just_now=not at_once)
            self._apply()

        self._module_link.drained(drained)
        at_once = False

    def _flow(self) -> None:
        bridge, polyfills = self._bridge, self._polyfills
        host_full = self._host_congested or bridge.holds_module
        congested = self._module_congested or (polyfills.used and polyfills.congested)
        waits = bridge.holds_host or (congested and bridge.host.waits_for_peers)
        host_read = not (waits or (self._host_congested and self._unheard))
        module_read = not host_full
        if polyfills.used:
            module_read = module_read and not polyfills.full
            polyfills.hold(host=host_full, module=self._module_congested or bridge.module.holds_host)
        if host_read is not self._host_link.reading:
            self._host_link.read(host_read)
        if module_read is not self._module_link.reading:
            self._module_link.read(module_read)
            if bridge.module_unread(not module_read, self._loop.time()):
                self._arm()

    def _found(self, finding: Finding) -> None:
        self._common(Note("finding", {"what": finding.kind.value, "old": finding.old, "new": finding.new}))
