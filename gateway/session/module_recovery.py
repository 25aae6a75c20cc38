"""A module that is silent, restarts or is unplugged: how it is found again, and what is told of it."""

from __future__ import annotations

from gateway.dialect.driver import Answer, Command, DriverStep, Final
from gateway.model.causes import Cause
from gateway.model.results import Failed
from gateway.model.values import Ticket
from gateway.session.effects import Drain
from gateway.session.module_lines import GIVE_UP, LinesSide
from gateway.session.module_worker import Drained, Job, Mail, Sleep, State, Steps
from gateway.session.sorting import Flight
from gateway.wire.plus import PLUS

PROBE_S = 1.0
"""How long a module may take to answer AT."""
GUARD_MARGIN = 1.1
"""A guard time is kept this much longer than the module asks."""
CLEAR_S = 0.2
"""How long an answer to what stood in the module's command line may take."""
DRAIN_S = 15.0
"""How long what was written may take to go out: while a peer does not read, its module may take nothing."""
LATE_S = 0.3
"""A module that answers again must be quiet for so long: a late answer is not the next command's."""


class RecoverySide(LinesSide):
    """See the module's text."""

    def _probe(self, text: str = "AT") -> Steps:
        if self._line_open:  # +++ or payload may stand in its command line, and would spoil the next one
            self._write(b"\r")
            yield Flight.probing("", self._now + CLEAR_S)
        answer: Answer = yield self._sent(Flight.probing(text, self._now + PROBE_S))
        return answer.ok

    def _wake(self) -> Steps:
        """Escape and probe, with what makes a module speak whose own settings keep it quiet (ATQ1)."""
        yield from self._escape()
        return (yield from self._probe(self.dialect.tables.module.known_state[0]))

    def _escape(self) -> Steps:
        sign = self.dialect.tables.module.escape.encode("latin-1")
        if sign == PLUS:
            yield from self._silence()
        self._write(sign)
        yield Sleep(self._now + self._guard_s * GUARD_MARGIN + 0.2)

    def _silence(self) -> Steps:
        """Wait until the module has heard nothing for its guard time; whether it has taken what was written before."""
        self.effects.append(Drain())
        if not (yield Drained(self._now + DRAIN_S)):
            return False
        due_s = self._last_write_s + self._guard_s * GUARD_MARGIN
        if due_s > self._now:
            yield Sleep(due_s)
        return True

    def _give_up_text(self) -> Steps:
        """Probe a module that may wait for the text of a short message, where nothing but ESC is heard."""
        self._write(GIVE_UP)
        yield Sleep(self._now + CLEAR_S)
        return (yield from self._probe())

    def _to_command_mode(self) -> Steps:
        """Probe, escape, probe: True when the module answers AT."""
        if (yield from self._probe()):
            return True
        for _ in range(2):
            if (yield from self._wake()):
                return True
        return (yield from self._give_up_text())

    def _recover(self) -> Steps:
        """Bring a module back that did not answer in time or seems to have restarted; else it is down."""
        self._doubtful = self._restarted = False
        self._drop_phase()
        if not (yield from self._to_command_mode()):
            self._down()
            return
        yield Sleep(self._now + LATE_S, LATE_S)
        self._note("module", what="recovered")
        yield from self._start()

    def _start(self) -> Steps:
        steps = self.driver.start()
        job = Job(steps, Ticket(0), "start")
        before, self.state = self.state, State.STARTING
        self._start_again = False
        self._unanswered.clear()
        value: object = None
        while True:
            try:
                step = steps.send(value)
            except StopIteration:
                break
            value = yield from self._step(step, job)
            if self._doubtful and not (yield from self._silent_to(step)):
                steps.close()
                self.state = before
                self._down()
                return
        self.state = State.READY
        self._noisy = False
        self._found = True
        self._attempts = 0
        self._doubtful = self._start_again
        self._note("module", what="ready")

    def _silent_to(self, step: DriverStep) -> Steps:
        """Whether a module that is started gave no answer to this alone: what has nothing to do with it goes on."""
        self._doubtful = False
        if not isinstance(step, Command) or step.text in self.dialect.tables.module.known_state:
            return False  # all that follows would find it silent too, or in a state that is not known
        if not (yield from self._probe()):
            return False
        yield Sleep(self._now + LATE_S, LATE_S)
        if step.asks:
            self._unanswered.add(step.text)
        return True

    def _bring_back(self) -> Steps:
        """A module that is down is asked again; when it answers it is started as if it were new."""
        alive = yield from self._probe()
        if not alive:
            first = self._attempts == 0
            self._attempts += 1
            self._down()
            if first or self._attempts % 5 == 0:  # it may be in a data mode of an earlier life
                alive = (yield from self._wake()) or (yield from self._give_up_text())
            if not alive and self.driver.silence_s and ((first and self._found) or self._attempts % 5 == 0):
                yield Mail(lambda _: True, self._now + self.driver.silence_s)
                alive = yield from self._probe()
        if alive:
            yield from self._start()

    def _down(self) -> None:
        """The module does not answer: everything that waits for it fails."""
        if self.state is not State.DOWN:
            self._note("module", what="down")
        self.state = State.DOWN
        self._drop_phase()
        for event in self.driver.lost():
            self._happened(event)
        for job in self._jobs:
            self._reply(job, Failed(Cause.NO_MODULE, "the module does not answer"))
        self._jobs.clear()
        self._asides.wake()
        self._backlog.clear()
        self._outgoing.clear()
        self._kept.clear()
        self._say_texts()

    def _abandon(self) -> None:
        """The link is gone in the middle: whatever is waited for will not come."""
        self._relay = None
        waiting = self._waiting
        if isinstance(waiting, Flight):
            self.state = State.DOWN
            gone: object = Failed(Cause.NO_MODULE, "link lost") if waiting.passing else Answer(Final.DOWN)
            self._resume(gone)
        elif waiting is not None:
            self.state = State.DOWN
            self._resume(None)
        if self._worker is not None:
            self._worker.close()
            if self._job is not None:
                self._reply(self._job, Failed(Cause.NO_MODULE, "link lost"))
            self._worker = self._job = self._waiting = self._sleep_s = None
        for job in self._asides.drop():
            self._reply(job, Failed(Cause.NO_MODULE, "link lost"))
