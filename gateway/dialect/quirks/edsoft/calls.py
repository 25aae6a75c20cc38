"""Calls that come in: accepted by the host, or by #ANSWERMODE answered or called back (ch. 2, App. B)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import (
    Ask,
    Cancel,
    Claim,
    Fail,
    Finish,
    Found,
    More,
    Ok,
    Refusal,
    Silent,
    Spawn,
    Step,
    Steps,
    Wait,
)
from gateway.dialect.quirks.edsoft.base import LINK, RELEASE, Link
from gateway.dialect.quirks.edsoft.services import Services
from gateway.model.causes import Cause
from gateway.model.findings import Finding, FindingKind
from gateway.model.requests import StartBearer
from gateway.model.results import Done, Failed
from gateway.model.services import Begun
from gateway.model.values import BearerKind, Secret

SERVES_CALLERS = (1, 4)
"""#PPPMODE: the module is the server of a call that comes in (ch. 2)."""
ANSWER, CALL_BACK_CALLER = NEEDS_CALLS = 1, 3
"""#ANSWERMODE; 2 calls back as #CONNECTIONSTART does, so by GPRS, too."""
NOBODY, EVERYBODY = "0", "*"
"""#CALLSCREENNUM (C17)."""
RING_GAP_S = 8.0
"""Networks ring every 3 to 6 s: behind so long a silence the caller has given up."""
CALLING_BACK = "calling back"


class Calls(Services, ABC):
    """See the module's text."""

    _rings = 0
    _caller = ""
    _rang_s: float | None = None
    _settled = False
    """What is done about the call that rings has been decided."""

    _answering = False

    @abstractmethod
    def _release(self) -> Steps:
        """Take IP down, or what was to become of it."""

    @abstractmethod
    def _dial(self, request: StartBearer, begin: Step) -> Steps:
        """What #CONNECTIONSTART does, once ``begin`` has been said."""

    @abstractmethod
    def _outgoing(self, gsm: bool, number: str = "") -> StartBearer:
        """The request of #CONNECTIONSTART, or for another number. Raises :class:`Refusal`."""

    @abstractmethod
    def _connected(self, result: Done) -> Steps:
        """IP is up: tell it."""

    # -- answering -----------------------------------------------------------------------------------------------------

    def do_call_accept(self, _call: Call) -> Steps:
        """AT#ACCEPT: OK when it begins, then as behind a call of the host's own (U17)."""
        if self.link in (Link.CONNECTED, Link.CHECKING, Link.DIALING):
            return Fail(Cause.ALREADY_CONNECTED)
        self._settled = True
        return (yield from self._answer(Finish(Ok(), LINK)))

    def _answer(self, begun: Step, caller: str = "") -> Steps:
        """Take the call that rings; ``begun`` is said when the module does. ``caller``: and of nobody else."""
        if self.number("PPPMODE") not in SERVES_CALLERS:
            return Fail(Cause.NOT_SUPPORTED, why="no newer module has this #PPPMODE for a call that comes in")
        self.bearer, self.link = BearerKind.GSM, Link.CHECKING
        self._answering = True
        try:
            request = StartBearer(
                BearerKind.GSM, user=Secret(self.text("PPPSERVUN")), password=Secret(self.text("PPPSERVPW")),
                answers=True, caller=caller, own=self.text("PPPMYIP"), peer=self.text("PPPPEERIP"),
            )  # fmt: skip
            result = yield Ask(request)
            if isinstance(result, Begun):
                self._rang_s = None
                yield begun
                result = yield More()
            if isinstance(result, Failed):
                return Fail(result.cause, "#ACCEPT", result.original)
            return (yield from self._connected(result))
        finally:
            self._answering = False
            if self.link is not Link.CONNECTED:
                self.link = Link.IDLE

    # -- by itself (#ANSWERMODE) -----------------------------------------------------------------------------------------

    def overhears(self, lines: tuple[str, ...]) -> Iterable[Step]:
        """A ring is counted, and its caller kept; what rings behind a call that was taken is another."""
        if self.link is not Link.IDLE:
            self._rang_s = None
            if self._answering and "NO CARRIER" in lines:  # an answer of #ACCEPT's, and the host has heard it
                yield Cancel(LINK)
                self.link = Link.DISCONNECTING
                yield Spawn(self._release(), RELEASE)
            return
        for line in lines:
            if line == "RING" or line.startswith("+CRING:"):
                now = self.around.now
                if self._rang_s is None or now - self._rang_s > RING_GAP_S:
                    self._rings, self._caller, self._settled = 0, "", False
                self._rang_s = now
                self._rings += 1
            elif line.startswith("+CLIP:"):
                self._caller = line.partition(":")[2].partition(",")[0].strip(' "')
            else:
                continue
            yield from self._decide()

    def _decide(self) -> list[Step]:
        """What is done about a call, once it is known."""
        mode, count, wanted = self.number("ANSWERMODE"), self.number("RINGCOUNT"), self.text("CALLSCREENNUM")
        if mode == 0 or self._settled or self._rings < count:
            return []
        asks = mode == CALL_BACK_CALLER or wanted != EVERYBODY
        reason = ""
        if count == 0:
            reason = "#RINGCOUNT is 0"
        elif wanted == NOBODY:
            reason = "#CALLSCREENNUM allows nobody"
        elif asks and not self._caller:
            if self._rings == count:
                return []  # who calls is told behind the ring
            reason = "who calls is not told (AT+CLIP=1 asks for it)"
        elif wanted not in (EVERYBODY, self._caller):
            reason = "#CALLSCREENNUM allows another"
        self._settled = True
        if reason:
            return [Found(Finding(FindingKind.REFUSED, "a call that comes in", reason))]
        if mode == ANSWER:
            return [Spawn(self._answers("" if wanted == EVERYBODY else wanted), LINK)]
        return [Spawn(self._calls_back(self._caller if mode == CALL_BACK_CALLER else ""), CALLING_BACK)]

    def _answers(self, caller: str) -> Steps:
        return (yield from self._answer(Claim(LINK), caller))

    def _calls_back(self, caller: str) -> Steps:
        """Behind the last ring and #CALLBACKTIMER: as #CONNECTIONSTART does, or the caller himself (C08, U24)."""
        assert self._rang_s is not None
        pause_s = max(RING_GAP_S, self.number("CALLBACKTIMER"))
        while self.around.now < self._rang_s + pause_s:
            yield Wait(seconds=self._rang_s + pause_s - self.around.now)
        if self.link is not Link.IDLE or self.number("ANSWERMODE") <= ANSWER:
            yield Found(Finding(FindingKind.REFUSED, "a call back", "the host has done something else meanwhile"))
            return Silent()
        try:
            request = self._outgoing(gsm=bool(caller) or self.number("GPRSMODE") == 0, number=caller)
        except Refusal as refusal:
            return Fail(refusal.cause, "#CONNECTIONSTART", why=refusal.why)
        return (yield from self._dial(request, Claim(LINK)))
