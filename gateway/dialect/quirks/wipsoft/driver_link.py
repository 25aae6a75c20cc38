"""A WIPSoft module's known state, its stack, its bearers (4.1, 4.2).

Sections are those of the 5.57 guide. Errors that only say "already so" are taken as done, because a module keeps its
state when the gateway is restarted. What an older module has not (options, commands, codes) its tables tell.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import (
    FOREVER_S,
    Answer,
    Await,
    Chores,
    Command,
    Driver,
    DriverSteps,
    Emit,
    Final,
    Part,
    Remark,
    Report,
    Rest,
)
from gateway.dialect.quirks.wipsoft.connections import Connections
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import BearerFound, BearerLost, Event, ModuleRestarted, SocketLost
from gateway.model.findings import FindingKind
from gateway.model.requests import QueryBearer, StartBearer, StopBearer
from gateway.model.results import Done, Failed
from gateway.model.services import Begun
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind

BIDS = {BearerKind.GPRS: 6, BearerKind.GSM: 5}
KINDS = {bid: kind for kind, bid in BIDS.items()}
USER, PASSWORD, NUMBER, RINGS, APN, CONTEXT, OWN, PEER, DNS1, DNS2, LIMIT = 0, 1, 2, 5, 11, 12, 15, 16, 17, 18, 21
"""Bearer options (4.2.3)."""
QUIET_SIGNS = 13
"""Stack option: +++ is not sent to the peer (4.1.3); a stored 0 would put it into the host's payload."""
DOUBTFUL = (
    Cause.NOT_ALLOWED, Cause.BAD_STATE, Cause.NOT_STARTED, Cause.INTERNAL, Cause.OPEN_FAILED, Cause.TIMED_OUT,
    Cause.RESET, Cause.CLOSED_BY_PEER,
)  # fmt: skip
"""Why a service fails where the bearer may be gone."""
START_RETRIES = 2
"""After power-up a bearer is refused several times before it works (field observation)."""
START_PAUSE_S = 2.0
CALL_LIMIT_S = 60.0
"""How long behind its start a call that rings may take to be up."""
CONNECT_TIME_LIMIT = 600
"""Bearer option 21, in 100 ms: the module's own limit stays below the gateway's."""


class LinkDriver(Driver):
    """See the module's text."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._stack = False
        self._told: set[int] = set()
        """Stack options that this stack was told."""
        self._open: set[int] = set()
        self._started: int | None = None
        self._stopped: int | None = None
        """A bearer that was told to stop because nobody called."""
        self._ever_started = False
        self._sent: dict[tuple[int, int], str] = {}
        self.connections = Connections(dialect.tables.numbers)

    # -- the module's state --------------------------------------------------------------------------------------------

    def start(self) -> Chores:
        """Known state; then what the module is doing already: a gateway may come in the middle."""
        for text in self.dialect.tables.module.known_state:
            yield Command(text)
        yield from self._find(adopt=not self.connections.held and self._started is None)

    def _find(self, *, adopt: bool) -> Chores:
        states: dict[int, int] | None = yield from self._bearer_states()
        if states is None:
            return
        if self._is_gone(states):
            yield from self._tell_gone()
        started = [bid for bid, state in states.items() if state == 1]
        if adopt and started and started[0] in KINDS:
            self._started, self._stack = started[0], True
            yield from self._close_leftovers()
            addresses = yield from self._addresses(started[0])
            yield Emit(BearerFound(KINDS[started[0]], addresses))

    def _bearer_states(self) -> Part:
        """Open bearers and whether each is started; {} when there is none, None when the module does not say."""
        answer: Answer = yield Command(
            self.dialect.write("bearer_states"), frozenset({"bearer_state", "bearer_state_named"}), asks=True
        )
        if not answer.ok and answer.final is not Final.ERROR:
            return None
        if not answer.heard:  # some modules refuse, others say OK, when there is no stack: it is started again
            self._no_stack()
        states = {heard.number("bid"): heard.number("state") for heard in answer.heard}
        self._open = set(states)
        self._sent = {key: value for key, value in self._sent.items() if key[0] in states}
        return states

    def _is_gone(self, states: dict[int, int] | None) -> bool:
        return states is not None and self._started is not None and states.get(self._started) != 1

    def _tell_gone(self) -> Chores:
        for event in self._bearer_gone():
            yield Emit(event)

    def _close_leftovers(self) -> Chores:
        """Sockets of an earlier life; where the module does not list them, each is closed when it is in the way."""
        if not self.dialect.writes("sockets"):
            return
        answer: Answer = yield Command(
            self.dialect.write("sockets"),
            frozenset({"ready", "ready_peer", "ready_user", "ready_login", "serving", "serving_udp"}),
        )
        for heard in answer.heard:
            yield Command(self.dialect.write("socket_close", protocol=heard.number("mode"), index=heard.number("index")))

    def lost(self) -> Iterable[Event]:
        """The module forgot everything: stack, bearer, sockets."""
        self._no_stack()
        self._open.clear()
        self._sent.clear()
        self._ever_started = False
        events = self._bearer_gone()
        return [*events, ModuleRestarted()]

    def _bearer_gone(self) -> list[Event]:
        if self._started is None and not self.connections.held:
            return []
        self._started = None
        return [BearerLost(), *(SocketLost(socket, Cause.BEARER_LOST) for socket in self.connections.clear())]

    def idle(self) -> Chores | None:
        """Whether the bearer is still there: a module does not tell it."""
        return self._find(adopt=False) if self._started is not None else None

    # -- bearer (4.1, 4.2) ---------------------------------------------------------------------------------------------

    def do_start_bearer(self, request: StartBearer) -> DriverSteps:
        """Stack, bearer, options, and what it was given."""
        bid = BIDS.get(request.kind)
        if bid is None:
            return Failed(Cause.NOT_SUPPORTED)
        failed: Failed | None = yield from self._start_stack()
        if failed is None and bid not in self._open:
            failed = yield from self._open_bearer(bid)
        if failed is None:
            failed = yield from self._set_options(bid, request)
        if failed is not None:
            return failed
        failed = yield from (self._answer_call(bid, request) if request.answers else self._bring_up(bid))
        if failed is not None:
            return failed
        self._started, self._ever_started = bid, True
        addresses: Addresses = yield from self._addresses(bid)
        return Done(addresses)

    def _start_stack(self) -> Part:
        if not self._stack:
            answer: Answer = yield Command(self.dialect.write("stack_start"))
            if not answer.ok and not self._says(answer, "+WIPCFG", Cause.ALREADY_STARTED):
                return self.failed(answer, "+WIPCFG=1")
            self._stack = True
        yield from self._tell_option(QUIET_SIGNS, 1)
        return None

    def _no_stack(self) -> None:
        self._stack = False
        self._told.clear()

    def _tell_option(self, option: int, value: int) -> Chores:
        """Give the stack an option that it knows, once."""
        if option not in self._told and self._has("+WIPCFG", option):
            self._told.add(option)
            yield Command(self.dialect.write("stack_option", option=option, value=value))

    def _open_bearer(self, bid: int) -> Part:
        answer: Answer = yield Command(self.dialect.write("bearer_open", bid=bid))
        if not answer.ok and self._cause(answer) in (Cause.NOT_STARTED, Cause.NOT_ALLOWED):
            # The module was restarted without a word: it knows nothing of the stack.
            self._no_stack()
            failed = yield from self._start_stack()
            if failed is not None:
                return failed
            answer = yield Command(self.dialect.write("bearer_open", bid=bid))
        if not answer.ok and self._cause(answer) is not Cause.ALREADY_OPEN:
            return self.failed(answer, "+WIPBR=1")
        self._open.add(bid)
        return None

    def _set_options(self, bid: int, request: StartBearer) -> Part:
        """Options that differ from what the module was told before; credentials it will not take end the start."""
        wanted: dict[int, str | int] = {USER: request.user, PASSWORD: request.password}
        if request.answers:  # the credentials stand in the command that starts it
            served: dict[int, str | int] = {RINGS: request.rings, OWN: request.own, PEER: request.peer}
            wanted = {
                option: value
                for option, value in served.items()
                if value not in (0, ANY_ADDRESS) or (bid, option) in self._sent
            }
        elif request.kind is BearerKind.GPRS:
            wanted = {APN: request.access_point, **wanted, CONTEXT: request.context_id, LIMIT: CONNECT_TIME_LIMIT}
        else:
            wanted = {NUMBER: request.number, **wanted}
        servers = (*request.name_servers, ANY_ADDRESS, ANY_ADDRESS)
        for option, server in zip((DNS1, DNS2), servers, strict=False):
            if server != ANY_ADDRESS or (bid, option) in self._sent:
                wanted[option] = server
        for option, value in wanted.items():
            before = self._sent.get((bid, option))
            if str(value) == before or (before is None and value == ""):
                continue
            if not self._has("+WIPBR", option):
                continue
            try:
                text = self.dialect.write("bearer_set", bid=bid, option=option, value=value)
            except WrongValue:
                return Failed(Cause.BAD_VALUE, f"bearer option {option}")
            answer: Answer = yield Command(text)
            if answer.ok:
                self._sent[(bid, option)] = str(value)
            elif answer.final is not Final.ERROR:
                return self.failed(answer, "+WIPBR=2")
            elif option in (APN, NUMBER, USER, PASSWORD):
                return Failed(Cause.BEARER_REFUSED, f"+WIPBR=2,{bid},{option} {answer.original}")
            elif request.answers:
                yield Remark("finding", {"what": FindingKind.CHANGED.value, "old": text, "new": "the module's own"})
        return None

    def _bring_up(self, bid: int) -> Part:
        retries = 0 if self._ever_started else START_RETRIES
        while True:
            answer: Answer = yield Command(self.dialect.write("bearer_start", bid=bid, mode=0))
            if answer.ok:
                return None
            cause = self._cause(answer)
            if cause in (Cause.ALREADY_OPEN, Cause.NOT_ALLOWED):
                states = yield from self._bearer_states()
                if states is not None and states.get(bid) == 1:
                    return None  # it was up already
                if states is not None and any(states.values()):
                    return Failed(Cause.ALREADY_CONNECTED, answer.original)
            if cause not in (Cause.BEARER_FAILED, Cause.SIM_NOT_READY) or retries == 0:
                break
            retries -= 1
            yield Rest(START_PAUSE_S)
        if cause is Cause.BEARER_FAILED and (yield from self._unregistered()):
            return Failed(Cause.NOT_REGISTERED, answer.original)
        return self.failed(answer, "+WIPBR=4")

    def _answer_call(self, bid: int, request: StartBearer) -> Part:
        """The bearer as a server: OK when it waits for a call, and its line when one is up (4.2.2)."""
        caller = {"caller": request.caller} if request.caller else {}
        try:
            text = self.dialect.write(
                "bearer_start", bid=bid, mode=1, login=request.user, password=request.password, **caller
            )
        except WrongValue:
            return Failed(Cause.BAD_VALUE, "+WIPBR=4")
        answer: Answer = yield Command(text)
        if not answer.ok:
            return self.failed(answer, "+WIPBR=4")
        self._stopped = None
        heard: Heard | None = None
        if (yield Report(Begun())):
            limit_s = FOREVER_S if request.waits else CALL_LIMIT_S
            heard = yield Await(lambda one: one.key == "bearer_event" and one.number("bid") == bid, limit_s, aside=True)
            if heard is not None and heard.number("status") == 0:
                return None
        yield Command(self.dialect.write("bearer_stop", bid=bid))
        self._stopped = bid
        if heard is None and request.waits:
            return Failed(Cause.BEARER_FAILED, "the module waits no more")
        if heard is None:
            return Failed(Cause.BEARER_TIMED_OUT, "nobody called")
        return Failed(self.dialect.cause_of(heard.fields["status"]) or Cause.LINK_NEGOTIATION, heard.fields["status"])

    def _unregistered(self) -> Part:
        """Whether the module says that no network has it: the host's error for that is another."""
        answer: Answer = yield Command("AT+CREG?")
        line = next((line for line in answer.lines if line.startswith("+CREG:")), "")
        fields = [part.strip() for part in line.partition(":")[2].split(",")]
        return len(fields) >= 2 and fields[1] in ("0", "2", "3")

    def _addresses(self, bid: int) -> Part:
        """What the bearer was given; options that the module will not tell stay 0.0.0.0."""
        found = {}
        for option in (OWN, PEER) if bid == BIDS[BearerKind.GSM] else (OWN,):
            answer: Answer = yield Command(
                self.dialect.write("bearer_get", bid=bid, option=option), frozenset({"bearer_option"})
            )
            if answer.ok and answer.heard:
                found[option] = answer.heard[0].fields["value"]
        return Addresses(found.get(OWN, ANY_ADDRESS), found.get(PEER, ANY_ADDRESS))

    def do_stop_bearer(self, _request: StopBearer) -> DriverSteps:
        """Every socket goes before."""
        yield from self.finish()
        bid, self._started = self._started, None
        for known in [bid] if bid is not None else sorted(self._open - {self._stopped}):
            answer: Answer = yield Command(self.dialect.write("bearer_stop", bid=known))
            if bid is not None and not answer.ok and answer.final is not Final.ERROR:
                return self.failed(answer, "+WIPBR=5")
        return Done()

    def do_query_bearer(self, _request: QueryBearer) -> DriverSteps:
        """As the module says, not as it was."""
        states = yield from self._bearer_states()
        started = [bid for bid, state in (states or {}).items() if state == 1]
        if not started:
            return Done(None)
        return Done((yield from self._addresses(started[0])))

    def _has(self, command: str, option: int) -> bool:
        """Whether the module knows an option: an older one has fewer."""
        return str(option) in self.dialect.tables.options[command]

    def _says(self, answer: Answer, command: str, *causes: Cause) -> bool:
        """Whether a refusal has the code that the module has for one of ``causes``; an older one has fewer codes."""
        return answer.code != "" and answer.code in {self.dialect.code(cause, command) for cause in causes}

    def _cause(self, answer: Answer) -> Cause | None:
        return self.dialect.cause_of(answer.code) if answer.code else None

    def _unless_gone(self, failed: Failed, doubtful: tuple[Cause, ...] = DOUBTFUL) -> Part:
        """A refusal; where the bearer behind it is gone (the module restarted without a word), that instead."""
        if failed.cause in doubtful and self._is_gone((yield from self._bearer_states())):
            yield from self._tell_gone()
            return Failed(Cause.BEARER_LOST, failed.original)
        return failed
