"""Working a module of the MIP family: its known state, and its link (1.1.1).

Sections are those of the L610 manual, erratum ids stand where it leaves a choice.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Dialect, Heard
from gateway.dialect.driver import Answer, Await, Chores, Command, Driver, DriverSteps, Emit, Final, Part, Rest
from gateway.dialect.quirks.mip.connections import Connections
from gateway.dialect.values import WrongValue
from gateway.model.causes import Cause
from gateway.model.events import BearerFound, BearerLost, Event, ModuleRestarted, SocketLost
from gateway.model.requests import QueryBearer, StartBearer, StopBearer
from gateway.model.results import Done, Failed
from gateway.model.values import ANY_ADDRESS, Addresses, BearerKind, Family, is_numeric, is_six, plain

DOWN, UP, BUSY = 0, 1, 2
"""States of the link (1.1.1.4)."""
HEXADECIMAL = 0
"""Form of received data (1.2.4.4)."""
ANY_AUTHENTICATION = 3
"""PAP and CHAP (1.1.1.4, F04)."""
OPERATIONS = {Family.FOUR: 1, Family.SIX: 2, Family.BOTH: 3}
"""Of +MIPCALL (1.1.1.4)."""
CALL_STATES = frozenset({"call_down", "call_busy", "call_state", "call_state_both"})
CALL_RESULTS = frozenset({"call_down", "call_up", "call_up_both", "call_state", "call_state_both"})
BUSY_TRIES = 35
"""Setting up or releasing takes up to 30 s (1.1.1.2); asked once a second."""
BUSY_PAUSE_S = 1.0


class LinkDriver(Driver):
    """See the module's text."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        numbers = dialect.tables.numbers
        self._up = False
        self._contexts: dict[int, str] = {}
        """Access points that the module was told."""
        self.connections = Connections(numbers["sockets"], numbers["accumulating_bytes"])

    # -- the module's state --------------------------------------------------------------------------------------------

    def start(self) -> Chores:
        """Known state, received data as digits; then what the module is doing already."""
        for text in self.dialect.tables.module.known_state:
            yield Command(text)
        yield Command(self.dialect.write("receive_format", format=HEXADECIMAL))
        status, addresses = yield from self._call_state()
        if status is None:
            return
        if self._up and status != UP:
            yield from self._tell_gone()
        elif self._up:
            yield from self._find_lost()
        elif status == UP:
            yield from self._close_leftovers()
            self._up = True
            yield Emit(BearerFound(BearerKind.GPRS, addresses))

    def _call_state(self) -> Part:
        """State of the link and its addresses; None for the state when the module does not say."""
        answer: Answer = yield Command(self.dialect.write("call_read"), CALL_STATES, asks=True)
        if not answer.ok or not answer.heard:
            return None, Addresses()
        heard = answer.heard[-1]
        if heard.key == "call_down":
            return DOWN, Addresses()
        if heard.key == "call_busy":
            return BUSY, Addresses()
        return heard.number("status"), _addresses(heard)

    def _is_gone(self) -> Part:
        """Whether a link that was up is not there any more."""
        if not self._up:
            return False
        status, _ = yield from self._call_state()
        return status in (DOWN, BUSY)

    def _tell_gone(self) -> Chores:
        for event in self._link_gone():
            yield Emit(event)

    def _link_gone(self) -> list[Event]:
        """What it means that the link is down, with all its sockets."""
        was_up, self._up = self._up, False
        lost = [SocketLost(socket, Cause.BEARER_LOST) for socket in self.connections.clear()]
        return [BearerLost(), *lost] if was_up or lost else []

    def _free_ids(self) -> Part:
        """Sockets that could be opened (1.1.2.2, F14); None when the module does not say."""
        answer: Answer = yield Command(self.dialect.write("open_read"), frozenset({"open_free"}))
        if not answer.ok or not answer.heard:
            return None
        return {int(id) for id in answer.heard[-1].fields["ids"].split(",") if id.strip().isdigit()}

    def _find_lost(self) -> Chores:
        """The link is up: which sockets are gone with a restart that nobody noticed."""
        free = yield from self._free_ids()
        for connection in list(self.connections.by_id.values()):
            if free is not None and connection.id in free:
                self.connections.release(connection)
                if connection.holder is not None and connection.holder not in self.connections.listeners:
                    yield Emit(SocketLost(connection.holder, Cause.RESET))

    def _close_leftovers(self) -> Chores:
        """Sockets of an earlier life."""
        free = yield from self._free_ids()
        if free is None:
            return
        for id in range(1, self.dialect.tables.numbers["sockets"] + 1):
            if id not in free:
                yield Command(self.dialect.write("close", id=id))

    def lost(self) -> Iterable[Event]:
        """The module forgot everything."""
        self._contexts.clear()
        return [*self._link_gone(), ModuleRestarted()]

    def idle(self) -> Chores | None:
        """Whether the link is still there: a module that restarts without a word does not tell."""
        return self._check() if self._up else None

    def _check(self) -> Chores:
        if (yield from self._is_gone()):
            yield from self._tell_gone()

    # -- bearer (1.1.1) ------------------------------------------------------------------------------------------------

    def do_start_bearer(self, request: StartBearer) -> DriverSteps:
        """OK, then the address or that it failed; GPRS alone."""
        if request.kind is not BearerKind.GPRS:
            return Failed(Cause.NOT_SUPPORTED)
        try:
            text, failed = yield from self._call(request)
        except WrongValue:
            return Failed(Cause.BAD_VALUE)
        if isinstance(failed, Failed):
            return failed
        answer: Answer = yield Command(text)
        if not answer.ok:
            if answer.final is Final.ERROR:
                status, addresses = yield from self._settled()
                if status == UP:  # it was up already
                    return self._is_up(addresses)
            return self.failed(answer, "+MIPCALL")
        heard: Heard | None = yield Await(_tells_call, "+MIPCALL")
        if heard is not None and "address" in heard.fields:
            return self._is_up(_addresses(heard))
        status, addresses = (yield from self._call_state()) if heard is None else (DOWN, Addresses())
        if status == UP:
            return self._is_up(addresses)
        if heard is None:
            return Failed(Cause.BEARER_TIMED_OUT, "no +MIPCALL")
        if heard.key == "error":
            return Failed(self.dialect.cause_of(heard.fields["code"]), heard.fields["code"])
        if (yield from self._unregistered()):
            return Failed(Cause.NOT_REGISTERED, "+MIPCALL: 0")
        return Failed(Cause.BEARER_FAILED, "+MIPCALL: 0")

    def _call(self, request: StartBearer) -> Part:
        """The command that sets the link up, and why it cannot be given, if so."""
        operation = OPERATIONS[request.family]
        if request.user or request.password or request.family is not Family.FOUR:  # 1.1.1.4: IPv6 only with the name
            text = self.dialect.write(
                "call_start",
                operation=operation,
                apn=request.access_point,
                user=request.user,
                password=request.password,
                authentication=ANY_AUTHENTICATION,
            )
            return text, None
        # 1.1.1.2: without credentials the access point is that of AT+CGDCONT.
        context = request.context_id
        if request.access_point and self._contexts.get(context) != request.access_point:
            if any(sign in request.access_point for sign in '"\r\n'):
                raise WrongValue("an access point")
            answer: Answer = yield Command(f'AT+CGDCONT={context},"IP","{request.access_point}"')
            if not answer.ok:
                final = answer.final is Final.ERROR
                return "", Failed(Cause.BEARER_REFUSED, "+CGDCONT") if final else self.failed(answer, "+CGDCONT")
            self._contexts[context] = request.access_point
        if context == 1:
            return self.dialect.write("call_start", operation=1), None
        return self.dialect.write("call_start_context", operation=1, context=context), None

    def _is_up(self, addresses: Addresses) -> Done:
        self._up = True
        return Done(addresses)

    def _settled(self) -> Part:
        """The link's state when it is neither being set up nor released; there is no way to break that off (1.1.1.2)."""
        for _ in range(BUSY_TRIES):
            status, addresses = yield from self._call_state()
            if status != BUSY:
                return status, addresses
            yield Rest(BUSY_PAUSE_S)
        return BUSY, Addresses()

    def _unregistered(self) -> Part:
        """Whether the module says that no network has it: the host's error for that is another."""
        for command in ("+CREG", "+CEREG"):
            answer: Answer = yield Command(f"AT{command}?")
            line = next((line for line in answer.lines if line.startswith(f"{command}:")), "")
            fields = [part.strip() for part in line.partition(":")[2].split(",")]
            if len(fields) < 2 or fields[1] not in ("0", "2", "3"):
                return False
        return True

    def do_stop_bearer(self, _request: StopBearer) -> DriverSteps:
        """Every socket goes before."""
        yield from self.finish()
        was_up, self._up = self._up, False
        self.connections.clear()
        text = self.dialect.write("call_stop", operation=0)
        answer: Answer = yield Command(text)
        if not answer.ok and answer.final is Final.ERROR:
            status, _ = yield from self._settled()  # it may just be set up for a host that waits no longer
            if status in (DOWN, None):
                return Done()
            answer = yield Command(text)
        if not answer.ok:
            return self.failed(answer, "+MIPCALL") if was_up else Done()
        yield Await(lambda one: one.key == "call_down", "+MIPCALL")
        return Done()

    def do_query_bearer(self, _request: QueryBearer) -> DriverSteps:
        """As the module says, not as it was."""
        status, addresses = yield from self._call_state()
        return Done(addresses if status == UP else None)

    def _unless_gone(self, failed: Failed) -> Part:
        """A refusal; where the link behind it is gone (the module restarted without a word), that instead."""
        doubtful = (Cause.NO_BEARER, Cause.BEARER_LOST, Cause.NOT_ALLOWED, Cause.INTERNAL, Cause.OPEN_FAILED)
        if failed.cause in doubtful and (yield from self._is_gone()):
            yield from self._tell_gone()
            return Failed(Cause.BEARER_LOST, failed.original)
        return failed


def _tells_call(heard: Heard) -> bool:
    """Whether a message says how the setting up of the link ended (F08, F09)."""
    address = heard.fields.get("address")
    if address is not None:
        return heard.key in CALL_RESULTS and is_numeric(address)
    return heard.key in ("call_down", "error")


def _addresses(heard: Heard) -> Addresses:
    """One of each Internet Protocol, or of one (F09)."""
    found = [plain(heard.fields[name]) for name in ("address", "address6") if name in heard.fields]
    four = next((address for address in found if not is_six(address)), ANY_ADDRESS)
    return Addresses(four, own6=next((address for address in found if is_six(address)), ""))
