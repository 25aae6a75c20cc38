"""The module's side of a session: one command at a time, its limit, its answer, its data mode, its restarts.

It runs a driver (:mod:`gateway.dialect.driver`), knows no dialect, and puts out effects. What it does itself (send a
command, leave a data mode, bring a silent module back) is written as generators too, around the driver's: they yield
only the few things that can be waited for. It is made of layers that share one stream of bytes and one worker, each of
which knows those below it: ``module_worker``, ``module_payload``, ``module_lines``, ``module_recovery``,
``module_data``, ``module_jobs``, and here what happens to it.
"""

from __future__ import annotations

from gateway.model.causes import Cause
from gateway.model.deadlines import earliest
from gateway.model.requests import CloseSocket, PassThrough, Request, ShutdownTcp
from gateway.model.results import Done, Failed
from gateway.model.tuning import Tune, Tuned, ignored
from gateway.model.values import HostSocket, Ticket
from gateway.session.module_jobs import JobsSide
from gateway.session.module_lines import GIVE_UP, PROMPT_S, TEXT_REST_S
from gateway.session.module_worker import Drained, Job, Leaving, Mail, Sleep, State
from gateway.session.sorting import Flight
from gateway.translate.plan import Way, plan

GIVEN_UP_S = 5.0
"""How long a module may take to say OK behind a text that the host gave up: nothing is sent."""
BACKLOG_LIMIT_BYTES = 65536


class ModuleSide(JobsSide):
    """See the module's text. Feed it with what happens; then take ``effects``."""

    def submit(self, ticket: Ticket, request: Request, now: float) -> None:
        """Do something for the host's side."""
        self._now = now
        if isinstance(request, PassThrough):
            job = Job(None, ticket, "PassThrough", request.text)
            if self.tracing:
                self._note("plan", what=job.name, way=plan(request, self.driver).value)
        else:
            job = Job(None, ticket, type(request).__name__)
            if self._answered(job, request):
                return
        if self._finishing:
            self._reply(job, Failed(Cause.ABORTED))
            return
        if self.state is State.DOWN and (self._worker is None or self._attempts > 0):
            self._reply(job, Failed(Cause.NO_MODULE, "the module does not answer"))
            return
        self._jobs.append(job)
        self._work()

    def _answered(self, job: Job, request: Request) -> bool:
        """Plan a request: whether it is answered at once, because the module is not asked."""
        way = plan(request, self.driver)
        if self.tracing:
            self._note("plan", what=job.name, way=way.value)
        if way is Way.REFUSED or way is Way.POLYFILLED:
            self._reply(job, Failed(Cause.NOT_SUPPORTED))
            return True
        if way is Way.EMULATED and isinstance(request, Tune):
            self._reply(job, Done(Tuned(ignored(request.values, frozenset()))))
            return True
        job.steps = self.driver.perform(request)
        job.closes = request.socket if isinstance(request, CloseSocket) else None
        job.ends = request.socket if isinstance(request, CloseSocket | ShutdownTcp) else None
        return False

    def withdraw(self, ticket: Ticket, now: float) -> None:
        """The host's side waits no longer: what was begun is ended in good order, its result is dropped."""
        self._now = now
        waiting = next((job for job in self._jobs if job.ticket == ticket), None)
        if waiting is not None:
            self._jobs.remove(waiting)
        elif self._job is not None and self._job.ticket == ticket:
            if _withdraw(self._job) and isinstance(self._waiting, Mail | Sleep):
                self._resume(None)
        else:
            self._asides.wake(lambda job: job.ticket == ticket and _withdraw(job))
        self._work()

    def payload(self, socket: HostSocket, data: bytes, now: float) -> None:
        """Payload of the host for a socket."""
        self._now = now
        by_command = self.driver.sends_by_command
        if by_command and (self.driver.mapped != socket or socket in self._outgoing):
            self._outgoing.add(socket, data)
            self._work()
        elif socket not in self._backlog and self._sends_to(socket):
            self._send_now(data)
        else:
            self._backlog.setdefault(socket, []).append(data)
        self._weigh()

    def stopped(self, stopped: bool, now: float) -> None:
        """Whether the module takes no bytes just now, so that what is written waits."""
        self._now = now
        self._stopped = stopped
        self._weigh()

    def text(self, data: bytes, now: float) -> None:
        """What the host typed for a command that prompted, or in a data call."""
        self._now = now
        if isinstance(self._waiting, Flight):
            self._waiting.due_s = now + max(self._sorter.limit_s(self._waiting.text), PROMPT_S)
        self._write(data)

    def text_complete(self, now: float, *, given_up: bool) -> None:
        """The host has ended its text: the result must come within the command's limit, or sooner if it gave up."""
        if isinstance(self._waiting, Flight):
            self._waiting.due_s = now + (GIVEN_UP_S if given_up else self._sorter.limit_s(self._waiting.text))

    def receive(self, data: bytes, now: float) -> None:
        """Bytes came from the module."""
        self._now = now
        self._take(data)
        self._work()
        if self.weighs:
            self._weigh()

    def drained(self, now: float, *, just_now: bool) -> None:
        """Everything written has gone out: ``just_now``, or it had before it was asked."""
        self._now = now
        self._draining = False
        if just_now:
            self._last_write_s = now
        if self._phase is not None:
            self._phase.drained(now)
        if isinstance(self._waiting, Drained):
            self._resume(True)
        self._work()
        self._weigh()

    def unread(self, unread: bool, now: float) -> bool:
        """Whether its port is not read just now: a command's limit stands still meanwhile. True when that is new."""
        if unread == (self._unread_s is not None):
            return False
        if self._unread_s is not None and isinstance(self._waiting, Flight):
            self._waiting.due_s += now - max(self._unread_s, self._last_write_s)
        self._unread_s = now if unread else None
        return True

    def tick(self, now: float) -> None:
        """Time has come; see ``deadline``."""
        self._now = now
        if self._text_due_s is not None and now >= self._text_due_s:
            if self._reader.pending:
                self._text_due_s = now + TEXT_REST_S
            else:
                self._give_up_rest()
        due = self._phase_deadline
        if self._phase is not None and due is not None and now >= due:
            data, fed = self._phase.tick(now)
            self._write(data)
            self._fed(fed)
            self._send_backlog()
        self._time()
        if self._worker is None and self._retry_s is not None and now >= self._retry_s and self._connected:
            self._retry_s = None
            self._worker = self._bring_back()
            self._resume(None)
        if self._idle_s is not None and now >= self._idle_s and self._worker is None:
            self._idle_s = None
            chores = self.driver.idle()
            if chores is not None and self._phase is None:
                self._jobs.append(Job(chores, Ticket(0), "idle"))
        self._work()
        self._weigh()

    def link_lost(self, now: float) -> None:
        """The module's link is gone (unplugged)."""
        self._now = now
        self._connected = False
        before, self.effects = self.effects, []
        self._abandon()
        ended, self.effects = self.effects, []
        self._down()
        # What it means comes before what it ends: a host's side that ends its services for that tells one error.
        self.effects = [*before, *self.effects, *ended]

    def link_back(self, now: float) -> None:
        """The module's link is there again."""
        self._connected = True
        self._retry_s = now
        self._attempts = 0
        self.tick(now)

    def finish(self, now: float) -> None:
        """End in good order: no socket mapped or open, the module in command mode; see ``finished``."""
        self._now = now
        self._finishing = True
        self._retry_s = self._idle_s = None
        for job in self._jobs:
            self._reply(job, Failed(Cause.ABORTED))
        self._jobs.clear()
        if self.state is State.READY:
            self._jobs.append(Job(self.driver.finish(), Ticket(0), "finish"))
        if isinstance(self._waiting, Flight) and self._waiting.prompted:
            self._write(GIVE_UP)
        if self._job is not None:  # also one of the gateway's own, which has no ticket
            _end(self._job)
            if isinstance(self._waiting, Mail | Sleep):
                self._resume(None)
        self._asides.wake(_end)
        self._work()

    @property
    def busy(self) -> bool:
        """Whether anything is being done with the module."""
        return self._worker is not None or bool(self._jobs)

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` is done."""
        return self._finishing and not self._jobs and self._worker is None and not self._asides

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called next."""
        waiting, times = self._waiting, []
        if isinstance(waiting, Flight):
            times.append(waiting.due_s if self._unread_s is None else None)
            if self._phase is None and not self._asides.waiting and self._text_due_s is None:
                return times[0]
        elif isinstance(waiting, Sleep):
            times.append(self._sleep_s)
        elif waiting is not None:
            times.append(waiting.due_s)
        if self._worker is None:
            times += (self._idle_s, self._held_s, self._retry_s if self._connected else None)
            if self._jobs:
                times.append(self._jobs[0].flush_s)
        times.append(self._text_due_s)
        if self._asides.waiting:
            times.append(self._asides.deadline)
        if self._phase is not None:
            times.append(self._phase_deadline)
        return earliest(*times)

    @property
    def _phase_deadline(self) -> float | None:
        """When the data mode has something to decide; while it is left its payload is looked at in another way."""
        if self._phase is None or self._phase_over or isinstance(self._waiting, Leaving):
            return None
        return self._phase.deadline

    @property
    def holds_host(self) -> bool:
        """Whether the host should send no more just now."""
        waits = sum(len(part) for parts in self._backlog.values() for part in parts) if self._backlog else 0
        return waits + self._outgoing.size > BACKLOG_LIMIT_BYTES

    @property
    def holds_module(self) -> bool:
        """Whether the module should not be read just now; an answer must be read."""
        if self._worker is not None:
            return False
        return self.driver.full or (self.in_data_mode and not self._delivers and self._kept.full)

    def _take(self, data: bytes) -> None:
        waiting = self._waiting
        if self._phase is None and self._relay is None and isinstance(waiting, Flight):
            if waiting.passing and self._whole(data, waiting):
                return
            self._reader.add(data)
            self._read_lines()
            return
        self._last_read_s = self._now
        if self._phase is not None and self._reader.after_cr:
            self._reader.after_cr = False
            data = data.removeprefix(b"\n")  # the rest of CONNECT's own line end
        if isinstance(waiting, Sleep) and waiting.quiet_s is not None:
            self._sleep_s = self._now + waiting.quiet_s
        if self._relay is not None:
            self._relayed(data)
        elif isinstance(waiting, Leaving):
            self._while_leaving(data, waiting)
        elif self._phase is not None and not self._phase_over:
            self._fed(self._phase.feed(data, self._now))
            if self._backlog:
                self._send_backlog()
        else:
            self._reader.add(data)
            self._read_lines()


def _withdraw(job: Job) -> bool:
    """Nobody waits for its result any more; whether it ends."""
    job.withdrawn = True
    return job.given_up


def _end(job: Job) -> bool:
    """It ends, whatever it is."""
    job.stays = False
    return _withdraw(job)
