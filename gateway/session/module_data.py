"""The module's data mode: how it opens, what comes out of it, how it ends and how it is left."""

from __future__ import annotations

import re

from gateway.dialect.dialect import Heard
from gateway.dialect.driver import Answer, Chores, Enter, Final, Opening
from gateway.model.values import HostSocket, Ticket
from gateway.session.module_recovery import RecoverySide
from gateway.session.module_worker import Ending, Job, Leaving, Sleep, State, Steps
from gateway.session.sorting import Flight
from gateway.wire.dle import ETX
from gateway.wire.module_phase import FALL_BACK, Fed, ModulePhase
from gateway.wire.plus import PLUS

LEAVE_S = 1.5
"""How long behind the guard time a module may take to say OK to +++."""
LEAVE_EARLY_S = 0.15
"""An OK that comes more than this before the guard time behind +++ is over is payload, if another follows in time."""
LEAVE_FREE_S = 0.3
"""So long behind the guard time that other OK may come; if not, the module did not keep its own guard time: some do not
once they have said that the peer has ended (field observation)."""
SETTLE_S = 0.06
"""How long the line must be quiet behind that OK, since a peer's payload could read the same, or behind a reason."""
END_RESULT_S = 1.0
"""How long behind the word that it is closed its OK may come."""
HELD_LIMIT_BYTES = 65536
_LEFT = re.compile(rb"\r\nOK\r\n")
_EARLY = re.compile(rb"\r\nOK\r\n(?:\r\n\+[^\r\n]{1,200}\r\n)*(?:\r(?:\n(?:\+[^\r\n]{0,200}\r?)?)?)?\Z")
"""An OK with nothing behind it but lines of the module's own, of which the last may be incomplete."""
_OWN = re.compile(rb"(?:\r\n\+[^\r\n]{1,200}\r\n)*(?:\r(?:\n(?:(?:\+[^\r\n]{0,200}|OK?)\r?)?)?)?\Z")
"""Lines of its own before its OK, and what may become one or the OK, at the end of payload."""
_OWN_LINE = re.compile(rb"(?:\r\n(\+[A-Z]+: ?[^\r\n]*)\r\n)\Z")
_ERROR = re.compile(rb"(?:\A|\r\n)[+#]CME ERROR: ?([0-9]+)\r\n")
"""The reason of an end, by which the module is in command mode."""


class DataSide(RecoverySide):
    """See the module's text."""

    def _enter(self, step: Enter) -> Steps:
        """Open the module's data mode; what stands behind its CONNECT is payload already."""
        if self._doubtful:
            yield from self._recover()
        if self._phase is not None:
            yield from self._make_room()
        if self.state is State.DOWN:
            return Answer(Final.DOWN)
        answer: Answer = yield self._sent(Flight(step.text, self._due(step.text)))
        if answer.final is Final.CONNECT:
            self._open(Opening(step.socket, step.phase, step.deliver))
        elif answer.ok:
            return Answer(Final.ERROR)
        return answer

    def _fed(self, fed: Fed) -> None:
        """What the module's data mode gave."""
        socket = self._phase_socket
        assert socket is not None
        self._received(fed.payload)
        if fed.mark is None:
            return
        self._note("module_phase", what="mark", mark=fed.mark.decode("latin-1"))
        if isinstance(self._waiting, Ending):
            self._phase_over = True
            self._reader.take_rest()
            self._reader.add(fed.rest if fed.mark == ETX else fed.mark)
            self._resume(fed.mark)
            self._read_lines()
            return
        if fed.mark == ETX:
            # A reset follows with its code, in command mode; or nothing, and the module still is in data mode.
            self._phase_over = True
            self._reader.take_rest()
            self._reader.add(fed.rest)
        elif fed.mark == FALL_BACK:
            self._drop_phase()
            self._reader.take_rest()
            self._reader.add(fed.rest)
        if not self._suspended:
            self._suspended = True
            if not self._finishing:
                self._soon(Job(self._ended_by(socket, fed.mark), Ticket(0), "data ended", urgent=True))
        if fed.mark in (ETX, FALL_BACK):
            self._read_lines()

    def _ended_by(self, socket: HostSocket, mark: bytes) -> Chores:
        """The driver's work behind the end of a data mode; a reason that was heard before is not lost on it."""
        if self._reason is not None:
            self._mail.append(self._reason)
            self._reason = None
        yield from self.driver.data_ended(socket, mark)

    def _end(self, limit_s: float) -> Steps:
        """The phase's own sign; payload goes on until the module has said that the socket is closed."""
        phase = self._phase
        if phase is None:
            return self.state is State.READY
        self._suspended = True
        if not self._phase_over:
            suspected = phase.absolve()
            self._write(phase.end())
            mark = yield Ending(self._now + limit_s)
            if mark not in (None, ETX) and not phase.restarted:  # else it has started anew, and at best echoes
                self._received(suspected)
            self._received(phase.finish())
        closed = self._phase_over
        self._drop_phase()
        if closed:
            closed = yield from self._ended()
        self._note("module_phase", what="ended" if closed else "not ended")
        if not closed and not (yield from self._to_command_mode()):
            self._down()
        return self.state is not State.DOWN

    def _ended(self) -> Steps:
        """Wait for the OK behind the module's words, so that it is not the next command's."""
        flight = Flight.probing("", self._now + END_RESULT_S, lenient=True)
        answer: Answer = yield flight
        return answer.final is not Final.DOWN

    def _leave(self, there: bool = False, beside: bool = False) -> Steps:
        """Silence, ``+++``, silence, OK; payload goes on until then. If it fails the module is brought back; but for a
        command of the host's own (``beside``) one that takes nothing just now is left alone."""
        phase = self._phase
        if phase is None:
            return b""
        self._suspended = True
        if there:
            self._drop_phase()
            if not (yield from self._to_command_mode()):
                self._down()
            return b"" if self.state is not State.DOWN else None
        while phase.holding:  # a payload's own sign that is sent late
            yield Sleep(phase.deadline or self._now)
            self._write(phase.tick(self._now)[0])
        if not (yield from self._silence()):
            if beside:
                self._suspended = False
                self._send_backlog()
            else:
                self._down()
            return None
        if self._phase is None:  # it has left the mode by itself meanwhile
            return b""
        why = self._why_ended()
        left = False
        if why is None:
            self._write(PLUS)
            left, why = yield from self._left(phase)
        held = phase.suspected
        socket, over = self._phase_socket, self._phase_over
        self._drop_phase()
        self._note("module_phase", what="left" if left else "not left")
        self._read_lines()
        if not left and not (yield from self._to_command_mode()):
            self._down()
        if over and socket is not None and not self._finishing:  # a reset's reason would have come instead of the OK
            self._reason = why
            ended = self._ended_by(socket, b"" if left else ETX)
            self._soon(Job(ended, Ticket(0), "data ended", urgent=True))
        return held if self.state is not State.DOWN else None

    def _why_ended(self) -> Heard | None:
        """The reason of an end that the module has told: it is in command mode, and would take a sign for text."""
        return next((heard for heard in self._mail if heard.key == "error"), None) if self._phase_over else None

    def _left(self, phase: ModulePhase) -> Steps:
        """Behind the sign: whether the module has left its data mode by it, or the reason why it had before."""
        guard_s = self._guard_s
        if self._phase_over:
            answer: Answer = yield Flight.probing("+++", self._now + guard_s + LEAVE_S)
            return answer.ok, Heard("error", {"code": answer.code}) if answer.code else None
        earliest_s, free_s = self._now + guard_s - LEAVE_EARLY_S, self._now + guard_s + LEAVE_FREE_S
        waiting = Leaving(earliest_s, free_s, self._now + guard_s + LEAVE_S, bool(phase.suspected))
        left = yield waiting
        if self._phase_over and (error := _ERROR.search(waiting.tail)) is not None:
            self._received(phase.finish())
            self._reader.add(waiting.tail[: error.start()] + waiting.tail[error.end() :])
            return False, Heard("error", {"code": error[1].decode("ascii")})
        self._end_leaving(waiting, left)
        return left, None

    def _make_room(self, beside: bool = False) -> Steps:
        """Leave the data mode for a command; ``beside``: of the host's own. Whether there is none any more."""
        socket = self._phase_socket
        held = yield from self._leave(beside=beside)
        self._after_leaving(socket, held, held, beside)
        return self._phase is None

    def _after_leaving(self, socket: HostSocket | None, left: bytes | None, held: bytes | None, beside: bool) -> None:
        if socket is not None and left is not None and not self._finishing:
            chores = self.driver.left(socket, held or b"", beside=beside)
            self._soon(Job(chores, Ticket(0), "left", urgent=True))

    def _while_leaving(self, data: bytes, waiting: Leaving) -> None:
        """Payload goes on until the module's own OK; that one cannot come before its guard time is over."""
        assert self._phase is not None
        waiting.tail += data
        if self._phase_over and _ERROR.search(waiting.tail):
            waiting.due_s = self._now + SETTLE_S
            return
        early = self._now < waiting.earliest_s
        if not early and _LEFT.search(waiting.tail):
            waiting.due_s = self._now + SETTLE_S
            return
        match = _EARLY.search(waiting.tail)
        if early:
            waiting.due_s = waiting.free_s if match else waiting.free_s + LEAVE_S - LEAVE_FREE_S
        if waiting.suspected and len(waiting.tail) <= HELD_LIMIT_BYTES:
            return
        if waiting.tail == PLUS[: len(waiting.tail)]:
            return  # the echo of a module that is in command mode, or payload
        if self._phase_over:
            return
        begun = match or _OWN.search(waiting.tail)
        ready, waiting.tail = _cut(waiting.tail, len(waiting.tail) - begun.start() if begun else 0)
        waiting.tail = self._last_words(ready) + waiting.tail
        if self._phase_over:
            self._while_leaving(b"", waiting)

    def _has_left(self, waiting: Leaving) -> bool:
        """Whether the module has said so when nothing more came."""
        return _LEFT.search(waiting.tail) is not None

    def _last_words(self, data: bytes) -> bytes:
        """Payload; the lines behind it where it has ended meanwhile."""
        assert self._phase is not None
        fed = self._phase.feed(data, self._now)
        self._received(fed.payload)
        if fed.mark != ETX:
            return b""
        self._phase_over = True
        self._reader.take_rest()
        return fed.rest

    def _end_leaving(self, waiting: Leaving, left: bool) -> None:
        """What stands before the module's OK is payload, what stands behind it are lines."""
        phase = self._phase
        assert phase is not None
        tail = waiting.tail
        if not left and (waiting.suspected or tail == PLUS):
            tail = b""  # it had left the mode before, as it seemed: its echo and its lines
        at = [match.start() for match in _LEFT.finditer(tail)][-1] if left else len(tail)
        before, behind = tail[:at], tail[at + len(FALL_BACK) :]
        while left and (own := _OWN_LINE.search(before)) and self.dialect.hear(own[1].decode("latin-1")) is not None:
            # Some modules say what happened in the meantime before their OK.
            before, behind = before[: own.start()], own[0] + behind
        if not self._phase_over:
            before = self._last_words(before)
        self._received(phase.finish())
        if self._phase_over:  # the end that the ETX has told already, once more in words (erratum X14)
            for hint in self.dialect.tables.module.hints:
                before = before.replace(hint.replace("{end}", "\r\n").encode(), b"")
        self._reader.add(before + behind)


def _cut(data: bytes, keep: int) -> tuple[bytes, bytes]:
    """All but the last ``keep`` bytes, and those."""
    at = len(data) - keep
    return data[:at], data[at:]
