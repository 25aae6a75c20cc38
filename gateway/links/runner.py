"""Runs sessions: their bytes over links, their time, their effects. One event loop, no thread on a session's path.

What a session with a module and one without have in common.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from gateway.errors import LinkError
from gateway.links.link import Link
from gateway.model.findings import FindingKind
from gateway.model.requests import Request
from gateway.model.results import Progress, Result
from gateway.model.values import HostSocket, Ticket
from gateway.session.effects import Carrier, Effect, Keep, Note, SetPort, ToHost
from gateway.session.host import HostSide
from gateway.session.tasks import Mode

log = logging.getLogger("gateway.runner")
REOPEN_S = 1.0
"""How often a link that was lost is tried again."""


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
