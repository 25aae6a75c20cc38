"""The host's side of a session: the line discipline, the commands, the data phases, and when the host may be told what.

It runs a dialect's behaviour (:mod:`gateway.dialect.firmware`), knows no dialect, and puts out effects. Command line,
tasks and data phase hand one stream of bytes to each other: they are layers, each of which knows those below it:
``host_worker``, ``host_tasks``, ``host_data``, ``host_lines``, and here what happens to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.dialect.firmware import DataEnd, EndReason
from gateway.model.causes import Cause
from gateway.model.events import Event, ModuleText, Received
from gateway.model.findings import Finding, FindingKind
from gateway.model.results import Progress, Result
from gateway.model.values import Ticket
from gateway.session.host_lines import LinesOfHost
from gateway.session.host_worker import dialects_own
from gateway.session.tasks import Mode

PENDING_LIMIT_BYTES = 16384
"""Bytes of the host that wait for a command to end; beyond this its port is not read."""
_ETX = re.compile(rb"(?<!\x10)(?:\x10\x10)*\x03")
"""An ETX; behind a DLE it is payload of a phase that opens only now."""


class HostSide(LinesOfHost):
    """See the module's text. Feed it with what happens; then take ``effects``."""

    # -- what happens ----------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the host."""
        self.around.now = now
        if self._deaf:
            self._finding(Finding(FindingKind.LOST, f"{len(data)} bytes", "the connection had ended"))
            return
        if self._pending:
            self._pending += data
        elif self._data is not None:
            self._from_host(data, now)
        elif self._run is None and not self._tasks and self.mode is Mode.COMMAND:
            self._command(data, now)
        else:
            self._pending += data
        self._work(now)

    def deliver(self, ticket: Ticket, result: Result | Progress, now: float) -> None:
        """A request has a result, or news before it."""
        self.around.now = now
        for task in self._tasks:
            if task.ticket == ticket:
                break
        else:
            return
        self._note_result(result)
        if not isinstance(result, Progress):
            task.ticket = None
            if task.waits:
                task.waits, task.due_s = False, None
            if task is self._data:
                self._result_in_data(task)
        self._advance(task, result, now)
        self._work(now)

    def event(self, event: Event, now: float) -> None:
        """Something happened unasked."""
        self.around.now = now
        if isinstance(event, Received) and not self.firmware.tells_data(event.socket):
            self._received(event, now)
        else:
            self._note("event", type(event).__name__, event)
            if isinstance(event, ModuleText) and event.lines[0] in self.dialect.tables.results:
                self._speak(self._speaker.result(event.lines[0]), None)  # RING: a number under ATV0
            elif not self._for_data(event, now) and not self._for_waiting(event, now):
                self._perform_all(self.firmware.event(event), now)
            if isinstance(event, ModuleText):
                self._perform_all(self.firmware.overhears(event.lines), now)
        self._work(now)

    def relayed(self, data: bytes) -> None:
        """Bytes came from a module that is in a data call."""
        self._speaker.now(data)
        self._flush()

    def tick(self, now: float) -> None:
        """Time has come; see ``deadline``."""
        self.around.now = now
        if self._data is not None and self._data.data is not None:
            phase = self._data.data.phase
            if phase.deadline is not None and now >= phase.deadline:
                self._taken(phase.tick(now), now)
        abandoned = self._reader.tick(now)
        if abandoned is not None:
            self._echo()
            self._item(abandoned, now)
        for task in list(self._tasks):
            if task.due_s is not None and now >= task.due_s and task in self._tasks:
                task.due_s, task.waits = None, False
                self._advance(task, None if task.text is None else self._typed(task), now)
        started = self.firmware.tick(now)
        if started is not None:
            self._spawn(*started, now)
        self._work(now)

    def terminal_ready(self, ready: bool, now: float) -> None:
        """The host's DTR (circuit 108) changed; ``AT&D`` says what that means."""
        self.around.now = now
        if not ready and self.settings.terminal_ready:
            if self._data is not None:
                self._end_data(DataEnd(EndReason.TERMINAL), now)
            self._pending.clear()
        self._work(now)

    def restart(self, lines: Sequence[str], now: float) -> None:
        """The module that this side plays restarts: everything is forgotten but what is stored; ``lines`` are said."""
        self.around.now = now
        for task in list(self._tasks):
            self._cancel(task)
        self._run = self._foreground = self._data = None
        self.mode = Mode.COMMAND
        self._pending.clear()
        self._speaker.clear()
        self._early.clear()
        self._deaf = False
        self.settings.assign(self._saved)
        if self._erased:
            self.around.stored.clear()
            self.around.stored.update(dialects_own(self._kept))
            self._erased = False
        self.firmware = self._firmware(self.dialect, self.around)
        for line in lines:
            self._speaker.now(self._speaker.block((line,)))
        self._flush()

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called next."""
        due, other = self._reader.deadline, self.firmware.deadline
        if other is not None and (due is None or other < due):
            due = other
        if self._data is not None and self._data.data is not None:
            other = self._data.data.phase.deadline
            if other is not None and (due is None or other < due):
                due = other
        for task in self._tasks:
            if task.due_s is not None and (due is None or task.due_s < due):
                due = task.due_s
        return due

    @property
    def waits_for_peers(self) -> bool:
        """Whether the host's port should not be read while a peer reads too slowly."""
        return self._data is not None or not self.firmware.tells_congestion

    @property
    def holds_host(self) -> bool:
        """Whether the host's port should not be read just now."""
        return len(self._pending) > PENDING_LIMIT_BYTES

    @property
    def holds_module(self) -> bool:
        """Whether the other side should not be read just now."""
        return self._early.full

    @property
    def busy(self) -> bool:
        """Whether a command line is being carried out."""
        return self._run is not None

    # -- the host's bytes ------------------------------------------------------------------------------------------------

    def _work(self, now: float) -> None:
        """Go on with what is there, until something must be waited for; then let the bytes go."""
        while True:
            if (self._tasks or self._speaker.waiting or self._speaker.held) and self._run is None:
                self._when_free(now)
            if not self._pending:
                break
            if self.mode is Mode.COMMAND and self._run is None:
                data = bytes(self._pending)
                self._pending.clear()
                self._command(data, now)
            elif self.mode is Mode.COMMAND:
                if not self._while_busy(now):
                    break
            else:
                data = bytes(self._pending)
                self._pending.clear()
                self._from_host(data, now)
        self._flush()

    def _command(self, data: bytes, now: float) -> None:
        """The line is free: take one item; what stands behind it waits."""
        item, position = self._reader.feed(data, 0, now)
        if position < len(data):
            self._pending += data[position:]
        self._echo()
        if item is not None:
            self._item(item, now)

    def _from_host(self, data: bytes, now: float) -> None:
        if data and self._reader.after_cr and self._reader.late_lf(data[0]):
            data = data[1:]
        if not data:
            return
        if self._data is not None:
            assert self._data.data is not None
            self._taken(self._data.data.phase.from_host(data, now), now)
        elif self.mode is Mode.TEXT:
            self._text(data, now)
        elif self._foreground is not None and self._foreground.ticket is not None:
            self._text_for_module(data, self._foreground.ticket)

    def _while_busy(self, now: float) -> bool:
        """The host sends while a command is being carried out: True when something changed by it."""
        if self._reader.after_cr and self._reader.late_lf(self._pending[0]):
            del self._pending[:1]
            return True
        task = self._foreground
        if task is None or task.steps is None or not self.firmware.etx_aborts(task.name):
            return False
        etx = _ETX.search(self._pending)
        if etx is not None:
            del self._pending[: etx.end()]
            self._interrupt(task, Cause.ABORTED, now)
            return True
        return False

    def _when_free(self, now: float) -> None:
        """The command line is free: say what waits, open a data phase that waits."""
        if not self._free:
            return
        if self._speaker.held and not self._answering:
            self._speaker.let_go()
        self._speaker.moment()
        for task in [task for task in self._tasks if task.turns]:
            if task in self._tasks and self._free:
                task.turns = False
                self._advance(task, None, now)
        for task in self._tasks:
            if task.data is not None and self._data is None:
                self._open_data(task, now)
                return
