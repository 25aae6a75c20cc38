"""Runs sessions: their bytes over links, their time, their effects. One event loop, no thread on a session's path.

Longer than 400 lines because a bridge and a session without a module share links, timer, trace and ending.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from gateway.errors import LinkError
from gateway.links.link import Link
from gateway.links.polyfill import Polyfills
from gateway.model.events import Event, Received
from gateway.model.findings import Finding, FindingKind
from gateway.model.requests import Request
from gateway.model.results import Progress, Result
from gateway.model.values import ANY_ADDRESS, ANY_ADDRESS6, HostSocket, Ticket
from gateway.native.engine import NativeEngine
from gateway.native.faults import Faults
from gateway.native.names import NameMap
from gateway.native.radio import Radio
from gateway.session.bridge import Bridge
from gateway.session.effects import (
    Carrier,
    Drain,
    Effect,
    Keep,
    Note,
    Payload,
    SetPort,
    Submit,
    TextFor,
    ToHost,
    ToModule,
    Withdraw,
)
from gateway.session.host import HostSide
from gateway.session.tasks import Mode

log = logging.getLogger("gateway.runner")
REOPEN_S = 1.0
"""How often a link that was lost is tried again."""
FINISH_S = 10.0
"""How long a session may take to end in good order."""


class Tape(Protocol):
    """Where a trace goes."""

    def data(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        """Bytes of a link."""

    def note(self, kind: str, values: dict[str, object]) -> None:
        """What bytes became."""


class Meter(Protocol):
    """Who counts what a session does."""

    def note(self, kind: str, values: dict[str, object]) -> None:
        """What bytes became."""

    def asked(self, ticket: Ticket, request: Request) -> None:
        """What the host wants of the network."""

    def answered(self, ticket: Ticket, result: Result | Progress) -> None:
        """What came of it."""

    def sent(self, socket: HostSocket, count: int) -> None:
        """Payload of the host's, in bytes."""

    def received(self, socket: HostSocket, count: int) -> None:
        """Payload for the host."""


class Runner(ABC):
    """What running has in common: the host's link, the timer, the trace, what is kept."""

    def __init__(self, host_link: Link, *, keep: Callable[[dict[str, str | int]], None], tape: Tape | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._host_link = host_link
        self._keep = keep
        self._tape = tape
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        self._host_congested = False
        self._ended = False
        self._applying = False
        self._to_keep: dict[str, str | int] | None = None
        self._reopening: set[asyncio.Task[None]] = set()
        host_link.on_data = self._host_data
        host_link.on_congestion = self._host_congestion
        host_link.on_ready_signal = self._host_signal
        host_link.on_lost = self._host_lost

    @property
    def links(self) -> tuple[str, ...]:
        """The names of the links, the host's first."""
        return (self._host_link.name,)

    async def open(self) -> None:
        """Open every link. Raises :class:`LinkError`."""
        await self._host_link.open()
        self._arm()

    @abstractmethod
    async def close(self) -> None:
        """End in good order: links closed, nothing left behind."""

    def abandon(self) -> None:
        """End at once, without a word to anybody; only what lies about on this computer is put away."""
        self._stop()
        self._host_link.close()

    # -- to be filled in -----------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def _host(self) -> HostSide: ...

    @abstractmethod
    def _host_data(self, data: bytes) -> None: ...

    @abstractmethod
    def _host_signal(self, ready: bool) -> None: ...

    @abstractmethod
    def _tick(self, now: float) -> None: ...

    @property
    @abstractmethod
    def _deadline(self) -> float | None: ...

    @abstractmethod
    def _carry_out(self) -> None:
        """Carry out the session's effects, and those that follow from them."""

    @abstractmethod
    def _flow(self) -> None:
        """Hold back whoever sends more than can be passed on."""

    # -- common parts --------------------------------------------------------------------------------------------------

    def _apply(self) -> None:
        """Carry out what the session wants; what that makes it want is carried out after it, in order."""
        if self._applying:
            return
        self._applying = True
        try:
            self._carry_out()
        finally:
            self._applying = False
        if self._to_keep is not None:
            self._keep_now()
        self._flow()
        self._arm()

    def _host_congestion(self, congested: bool) -> None:
        self._host_congested = congested
        self._flow()

    @property
    def _unheard(self) -> bool:
        """A host that does not read sends commands: it is held back, or their answers would fill the memory."""
        return self._host.mode is Mode.COMMAND

    def _keep_now(self) -> None:
        """Keep what is to be kept: before the host is told that it was, since it may then cut the power."""
        if self._to_keep is not None:
            values, self._to_keep = self._to_keep, None
            self._keep(values)

    def _host_lost(self) -> None:
        """While the link is away payload waits with the peers, as for a host that reads too slowly."""
        self._host_congested = self._host.mode is not Mode.COMMAND
        self._flow()
        self._lost(self._host_link, self._host_back)

    def _host_back(self) -> None:
        self._host_congested = False
        self._flow()

    def _record(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        if self._tape is not None:
            self._tape.data(side, direction, data, lines=lines)

    def _tell_host(self, data: bytes) -> None:
        if self._to_keep is not None:
            self._keep_now()
        if self._tape is not None:
            self._record("host", "out", data, lines=self._host.mode is Mode.COMMAND)
        self._host_link.write(data)

    def _common(self, effect: Effect) -> None:
        match effect:
            case ToHost(data):
                self._tell_host(data)
            case Keep(values):
                self._to_keep = values
            case SetPort(rate, flow):
                self._host_link.drained(lambda: self._host_link.set_port(rate, flow))
            case Carrier(on):
                self._host_link.set_carrier(on)
            case Note(kind, fields):
                if self._tape is not None:
                    self._tape.note(kind, fields)
                elif kind == "finding":
                    log.info("finding: %s", " ".join(f"{key}={value}" for key, value in fields.items() if value))

    def _arm(self) -> None:
        """Have the timer ring at the session's deadline; an earlier ring does no harm, a re-arm would cost."""
        deadline = self._deadline
        if deadline is None or self._ended:
            return
        if self._timer is not None:
            if self._timer_s <= deadline:
                return
            self._timer.cancel()
        self._timer_s = deadline
        self._timer = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._loop.time()
        deadline = self._deadline
        if deadline is not None and now >= deadline:
            self._tick(now)
        self._arm()

    def _lost(self, link: Link, back: Callable[[], None]) -> None:
        """A link is gone: try until it is there again."""
        if self._ended:
            return
        log.warning("the link %s is lost: trying again until it is back", link.name)
        task = self._loop.create_task(self._reopen(link, back))
        self._reopening.add(task)
        task.add_done_callback(self._reopening.discard)

    async def _reopen(self, link: Link, back: Callable[[], None]) -> None:
        link.close()
        while not self._ended:
            await asyncio.sleep(REOPEN_S)
            try:
                await link.open()
            except LinkError as error:
                log.debug("%s", error)
                continue
            log.info("the link %s is back", link.name)
            self._tell_undelivered(link)
            back()
            return

    async def _close_links(self, *links: Link) -> None:
        """Close, and let what was written last go out."""
        for link in links:
            link.close()
        await asyncio.gather(*(link.closed() for link in links))
        for link in links:
            self._tell_undelivered(link)

    def _tell_undelivered(self, link: Link) -> None:
        """Nothing is lost without a word."""
        count, link.undelivered_bytes = link.undelivered_bytes, 0
        if count:
            log.warning("%d bytes could not be delivered to the link %s", count, link.name)
            if self._tape is not None:
                self._tape.note("finding", {"what": FindingKind.LOST.value, "old": f"{count} bytes", "new": link.name})

    def _stop(self) -> None:
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in list(self._reopening):
            task.cancel()


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
        self._flow()

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
        module_full = self._module_congested or bridge.holds_host
        host_read = not (module_full or (self._host_congested and self._unheard))
        module_read = not host_full
        if polyfills.used:
            host_read = host_read and not polyfills.congested
            module_read = module_read and not polyfills.full
            polyfills.hold(host=host_full, module=module_full)
        if host_read is not self._host_link.reading:
            self._host_link.read(host_read)
        if module_read is not self._module_link.reading:
            self._module_link.read(module_read)
            if bridge.module_unread(not module_read, self._loop.time()):
                self._arm()

    def _found(self, finding: Finding) -> None:
        self._common(Note("finding", {"what": finding.kind.value, "old": finding.old, "new": finding.new}))


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
            radio=Radio(host.dialect.tables.virtual_answers),
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
        self.engine.lose_bearer()
        self._side.restart(self._side.dialect.tables.boot_text, self._loop.time())
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
