"""The host's data phases, and the text that it types for a command."""

from __future__ import annotations

from collections import deque

from gateway.dialect.firmware import DataEnd, EndReason, Interrupted
from gateway.model.causes import Cause
from gateway.model.events import Event, PeerClosed, Received, SocketLost
from gateway.model.findings import Finding, FindingKind
from gateway.model.requests import ShutdownTcp
from gateway.model.values import Ticket
from gateway.session.effects import Carrier, Payload, Submit, TextFor
from gateway.session.host_tasks import TasksSide
from gateway.session.tasks import Mode, Run, Task
from gateway.wire.phase import Taken
from gateway.wire.settings import ESC, SUB


class HostDataSide(TasksSide):
    """See the module's text."""

    def _open_data(self, task: Task, now: float) -> None:
        assert task.data is not None
        self._speaker.release()
        self._data = task
        self._flush()
        self.mode = Mode.DATA
        self._note("phase", "open", escaped=task.data.phase.escaped)
        if self.settings.carrier == 1:
            self.effects.append(Carrier(True))
        early = self._early.take(task.data.socket)
        if early is None:
            return
        for data in early.data:
            self._speaker.now(task.data.phase.to_host(data))
        if early.end is not None:
            self._end_or_tell(early.end, now)

    def _received(self, event: Received, now: float) -> None:
        task = self._data
        if task is not None and task.data is not None and task.data.socket == event.socket:
            self._speaker.now(task.data.phase.to_host(event.data))
            self.firmware.touch(now)
            self._flush()
            return
        if self._closing is not None and self._closing.socket == event.socket:
            self._speaker.now(self._closing.phase.to_host(event.data))
            return
        self._early.add(event.socket, event.data)

    def _for_data(self, event: Event, now: float) -> bool:
        """Whether an event is the data phase's own."""
        if not isinstance(event, PeerClosed | SocketLost):
            return False
        end = DataEnd(EndReason.PEER)
        if isinstance(event, SocketLost):
            end = DataEnd(EndReason.LOST, event.cause)
        if self._data is not None and self._data.data is not None and self._data.data.socket == event.socket:
            return self._end_or_tell(end, now)
        waits = any(task.data is not None and task.data.socket == event.socket for task in self._tasks)
        if event.socket not in self._early and not waits:
            return False
        self._early.end(event.socket, end)
        return True

    def _end_or_tell(self, end: DataEnd, now: float) -> bool:
        """End the data phase, or only show the host that the peer has closed (False)."""
        assert self._data is not None and self._data.data is not None
        if end.reason is EndReason.PEER:
            text = self._data.data.phase.peer_closed()
            if text is not None:
                self._speaker.now(text)
                return False
        self._end_data(end, now)
        return True

    def _taken(self, taken: Taken, now: float) -> None:
        """Send on what the phase made of the host's bytes, and end it when they say so."""
        task = self._data
        assert task is not None and task.data is not None
        socket = task.data.socket
        for payload in taken.payload:
            self.effects.append(Payload(socket, payload))
        if taken.payload:
            self.firmware.touch(now)
        if taken.dropped:
            self._finding(Finding(FindingKind.LOST, f"{taken.dropped} bytes", "the sending was ended before"))
        if taken.shutdown:
            self.effects.append(Submit(Ticket(0), ShutdownTcp(socket)))
        if taken.expired:
            self._end_data(DataEnd(EndReason.LOST, Cause.SEND_FAILED), now)
        elif taken.ended:
            if self.settings.echo and not taken.escaped:
                self._speaker.now(task.data.echo)
            self._pending[:0] = taken.rest
            self._end_data(DataEnd(EndReason.ESCAPE if taken.escaped else EndReason.HOST), now)

    def _end_data(self, end: DataEnd, now: float) -> None:
        task = self._data
        assert task is not None and task.data is not None
        left = task.data.phase.finish()
        if end.reason in (EndReason.HOST, EndReason.ESCAPE, EndReason.TERMINAL):
            for payload in left:
                self.effects.append(Payload(task.data.socket, payload))
        else:
            self._lose(left)
        self._deaf = end.reason in (EndReason.PEER, EndReason.LOST)
        self._closing = task.data if end.reason is EndReason.HOST else None
        self._close_data(task, end.reason.value)
        self._advance(task, end, now)

    def _result_in_data(self, task: Task) -> None:
        """What the data phase was opened for is done, or has failed: that ends it."""
        assert task.data is not None
        self._lose(task.data.phase.finish())
        self._close_data(task, "result")

    def _lose(self, left: list[bytes]) -> None:
        """Bytes of the host that are of use to nobody."""
        lost = sum(len(part) for part in left) + len(self._pending)
        self._pending.clear()
        if lost:
            self._finding(Finding(FindingKind.LOST, f"{lost} bytes", "the connection ended before they were sent"))

    def _close_data(self, task: Task, reason: str) -> None:
        self._note("phase", "closed", reason=reason)
        self._data = None
        task.data = None
        self.mode = Mode.COMMAND
        if self.settings.carrier == 1:
            self.effects.append(Carrier(False))
        if not task.foreground and self._run is None:
            # The line is the task's own until it has said how the session ended.
            task.foreground, self._foreground = True, task
            self._run = Run(deque())

    # -- text ------------------------------------------------------------------------------------------------------------

    def _text(self, data: bytes, now: float) -> None:
        """Text for an entry of the dialect's own: Ctrl-Z ends it, ESC gives it up."""
        task = next(task for task in self._tasks if task.text is not None)
        assert task.text is not None
        ends: tuple[int, ...] = (SUB,) if task.text.binary else (SUB, ESC)
        if task.text.length is not None:
            room = task.text.length - len(self._entry)
            self._entry += data[:room]
            self._echo_text(data[:room])
            if len(data) >= room:
                self._pending[:0] = data[room:]
                self._advance(task, self._typed(task), now)
            return
        for at, byte in enumerate(data):
            if byte in ends:
                self._pending[:0] = data[at + 1 :]
                self._echo_text(data[:at])
                text = bytes(self._entry) if byte == SUB and len(self._entry) <= task.text.limit_bytes else None
                too_long = byte == SUB and text is None
                self._typed(task)
                self._advance(task, Interrupted(Cause.TOO_LONG) if too_long else text, now)
                return
            if len(self._entry) <= task.text.limit_bytes:
                self._entry.append(byte)
        self._echo_text(data)

    def _typed(self, task: Task) -> bytes:
        """Text is not taken any more; what came of it."""
        task.text = task.due_s = None
        self.mode = Mode.COMMAND
        return bytes(self._entry)

    def _text_for_module(self, data: bytes, ticket: Ticket) -> None:
        """Text for a command of the module's: Ctrl-Z and ESC are its own ends; a data call takes everything."""
        if self.mode is Mode.RELAY:
            self.effects.append(TextFor(ticket, data, False))
            return
        at = min((at for at in (data.find(SUB), data.find(ESC)) if at >= 0), default=-1)
        if at < 0:
            self._echo_text(data)
            self.effects.append(TextFor(ticket, data, False))
            return
        self._echo_text(data[:at])
        self.effects.append(TextFor(ticket, data[: at + 1], True))
        self.mode = Mode.COMMAND
        self._pending[:0] = data[at + 1 :]

    def _echo_text(self, data: bytes) -> None:
        if self.settings.echo:
            self._speaker.now(data)
