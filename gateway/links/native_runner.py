"""Runs a host without a module: one link, with this computer's network behind it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from gateway.links.link import Link
from gateway.links.runner import Meter, Runner, Tape
from gateway.model.events import Event, Received
from gateway.model.results import Progress, Result
from gateway.model.values import ANY_ADDRESS, ANY_ADDRESS6, Ticket
from gateway.native.engine import NativeEngine
from gateway.native.faults import Faults
from gateway.native.names import NameMap
from gateway.native.radio import Radio
from gateway.session.effects import Note, Payload, Submit, TextFor, ToHost, Withdraw
from gateway.session.host import HostSide
from gateway.session.tasks import Mode


class NativeRunner(Runner):
    """A host's side with this computer's network behind it: a virtual module, or a gateway without a module."""

    def __init__(
        self,
        host: HostSide,
        host_link: Link,
        *,
        keep: Callable[[dict[str, str | int]], None],
        tape: Tape | None = None,
        names: NameMap | None = None,
        address: str = ANY_ADDRESS,
        address6: str = ANY_ADDRESS6,
        faults: Faults | None = None,
        trust: ssl.SSLContext | None = None,
        meter: Meter | None = None,
    ) -> None:
        super().__init__(host_link, keep=keep, tape=tape)
        self._side = host
        self._meter = meter
        self._faults = faults or Faults()
        self._late = 0
        self._restart_timer: asyncio.TimerHandle | None = None
        self.engine = NativeEngine(
            self._news,
            self._happened,
            self._flow,
            self.restart,
            names=names,
            address=address,
            address6=address6,
            trouble=self._faults.trouble,
            radio=Radio(host.dialect.tables.virtual_answers, host.dialect.tables.restarts),
            trust=trust,
        )

    @property
    def _host(self) -> HostSide:
        return self._side

    async def open(self) -> None:
        """Open the host's link."""
        await super().open()
        if self._faults.restart_s is not None:
            self._restart_timer = self._loop.call_later(self._faults.restart_s, self.restart)

    async def close(self) -> None:
        """Close sockets and link."""
        self._stop()
        if self._restart_timer is not None:
            self._restart_timer.cancel()
        await self.engine.close()
        await self._close_links(self._host_link)

    def swallows(self, line: str) -> bool:
        """Whether a command line gets no answer: a fault."""
        if self._faults.restarts(line):
            self._loop.call_soon(self.restart)
            return True
        return self._faults.swallows(line)

    def restart(self) -> None:
        """The module that is played restarts in the middle: sockets, bearer and settings are gone."""
        if self._ended:
            return
        self._side.restart(self._side.dialect.tables.boot_text, self._loop.time())
        self.engine.restart()
        self._apply()

    def _host_data(self, data: bytes) -> None:
        if self._tape is not None:
            self._record("host", "in", data, lines=self._side.mode is Mode.COMMAND)
        self._side.receive(data, self._loop.time())
        self._apply()

    def _host_signal(self, ready: bool) -> None:
        self._side.terminal_ready(ready, self._loop.time())
        self._apply()

    def _news(self, ticket: Ticket, result: Result | Progress) -> None:
        if not self._ended:
            if self._meter is not None:
                self._meter.answered(ticket, result)
            self._side.deliver(ticket, result, self._loop.time())
            self._apply()

    def _happened(self, event: Event) -> None:
        if not self._ended:
            if self._meter is not None and isinstance(event, Received):
                self._meter.received(event.socket, len(event.data))
            self._side.event(event, self._loop.time())
            self._apply()

    def _tick(self, now: float) -> None:
        self._side.tick(now)
        self._apply()

    @property
    def _deadline(self) -> float | None:
        return self._side.deadline

    def _carry_out(self) -> None:
        side = self._side
        while side.effects:
            effects, side.effects = side.effects, []
            for effect in effects:
                match effect:
                    case Payload(socket, data):
                        if self._meter is not None:
                            self._meter.sent(socket, len(data))
                        self.engine.payload(socket, data)
                    case Submit(ticket, request):
                        if self._meter is not None:
                            self._meter.asked(ticket, request)
                        self.engine.submit(ticket, request)
                    case Withdraw(ticket):
                        self.engine.withdraw(ticket)
                    case TextFor(ticket, data, complete):
                        self.engine.text(ticket, data, complete)
                    case ToHost(data):
                        self._to_host(ToHost(self._faults.spoil(data)))
                    case Note(kind, fields):
                        if self._meter is not None:
                            self._meter.note(kind, fields)
                        self._common(effect)
                    case _:
                        self._common(effect)

    def _to_host(self, effect: ToHost) -> None:
        if self._faults.slow_s:
            self._loop.call_later(self._faults.slow_s, self._common, effect)
        else:
            self._common(effect)

    def _flow(self) -> None:
        if self._ended:
            return
        congested = self.engine.congested and self._side.waits_for_peers
        self._host_link.read(not (congested or self._side.holds_host or (self._host_congested and self._unheard)))
        self.engine.hold(self._host_congested or self._side.holds_module)
