"""A module's data mode as the gateway sees it: payload goes in escaped, what comes out is payload and an end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.model.deadlines import earliest
from gateway.wire import dle
from gateway.wire.boot import BootHolder
from gateway.wire.hint import HintHolder
from gateway.wire.plus import EscapeBreaker

DATAGRAM_LIMIT_BYTES = 65536
"""A datagram that grows beyond this is given out as it is: noise must not grow without bound."""

FALL_BACK = b"\r\nOK\r\n"
_FALLEN_BACK = re.compile(rb"\r\nOK\r\n(?:\r\n\+[^\r\n]{1,200}\r\n)*")
"""That, and what the module says of itself at once behind it."""
_ERROR = re.compile(rb"\r\n[+#]CME ERROR: ?[0-9]+\r\n\Z")
"""What a module says when it ends a data mode by itself."""
FALL_BACK_WITHIN_S = 1.0
FALL_BACK_QUIET_S = 0.15
RESTART_QUIET_S = 0.5


@dataclass(slots=True)
class Fed:
    """What the module's bytes were: payload (pieces of a stream, or whole datagrams), and a sign of the end."""

    payload: list[bytes] = field(default_factory=list)
    mark: bytes | None = None
    """ETX, or a text that is only suspected to be the module's own."""
    rest: bytes = b""
    """What stands behind that end."""


class ModulePhase:
    """One data mode of a module on one socket.

    ``escaped``: DLE escapes ETX and DLE, and a bare ETX ends the stream or divides datagrams. ``divided``: the payload
    is datagrams. ``guard_s``: the module takes ``+++`` with so much silence around it for an escape. ``hints``: texts
    that the module prints at the end of the stream; ``boot``: when it restarts. ``falls_back``: each datagram that is
    sent may end the mode (erratum X15).
    ``uploads``: payload only goes to the module; all that it says is its own, with or without an ETX before it.
    """

    ends_socket = False
    """It cannot be left without closing its socket."""
    ending = False
    """It was told to end, and has not yet said that it has."""
    drains = False
    """It waits to hear when what was sent has really gone out (:meth:`drained`)."""

    def __init__(
        self,
        *,
        escaped: bool,
        divided: bool,
        guard_s: float,
        hints: tuple[bytes, ...] = (),
        boot: tuple[bytes, ...] = (),
        falls_back: bool = False,
        uploads: bool = False,
    ) -> None:
        self.divided = divided
        self._uploads = uploads
        self._falls_back = falls_back
        self.guard_s = guard_s
        self._escaped = escaped
        self._decoder = dle.DleDecoder()
        self._breaker = EscapeBreaker(guard_s, 0.0)
        self._holder = HintHolder(() if divided else hints)
        self._boot = BootHolder(() if divided else boot)
        self._signs = boot if divided else ()
        self._datagram = bytearray()
        self._sent_s: float | None = None
        self._quiet_s: float | None = None
        self._hold_s: float | None = None

    def begin(self, last_s: float) -> None:
        """The phase opens; the module heard its last byte at ``last_s``."""
        self._breaker = EscapeBreaker(self.guard_s, last_s)

    # -- to the module -------------------------------------------------------------------------------------------------

    def encode(self, payload: bytes, now: float) -> bytes:
        """What may be sent to the module now for payload."""
        self._boot.sent(payload)
        data = dle.encode(payload) if self._escaped else payload
        if self.divided:
            data += dle.ETX
            self._sent_s = now
            self._hold_s = now + FALL_BACK_WITHIN_S if self._falls_back else None
        return self._breaker.feed(data, now)

    def drained(self, now: float) -> None:
        """What was sent has really gone out."""

    def end(self) -> bytes:
        """What ends the mode and closes its socket, where that is one."""
        return b""

    def absolve(self) -> list[bytes]:
        """Payload again, and no longer a suspected text."""
        text, self._holder.suspected = (self._holder.suspected or b"") + self._boot.release(), None
        return [text] if text else []

    @property
    def holds(self) -> bool:
        """Whether the module may be in command mode just now: nothing more should be sent until that is known."""
        return self._quiet_s is not None or self._hold_s is not None

    def end_sending(self, now: float) -> bytes:
        """What tells the module that nothing more will be sent: a bare ETX."""
        return self._breaker.feed(dle.ETX, now)

    @property
    def holding(self) -> bool:
        """Whether a ``+`` waits to be sent."""
        return self._breaker.holding

    # -- from the module -----------------------------------------------------------------------------------------------

    def feed(self, data: bytes, now: float) -> Fed:
        """What the module sent."""
        fed = Fed()
        if self._uploads:
            if data:
                fed.mark, fed.rest = dle.ETX, data.removeprefix(dle.ETX)
            return fed
        if not self._escaped:
            self._pass(data, now, fed)
            return fed
        rest: bytes | None = data
        while rest is not None:
            payload, rest = self._decoder.decode(rest)
            if self.divided:
                self._collect(payload, rest is not None, now, fed)
            else:
                self._pass(payload, now, fed)
                if rest is not None:
                    if last := self._no_boot(now) + self._holder.release(whole=False):
                        fed.payload.append(last)
                    fed.mark, fed.rest = dle.ETX, rest
                    return fed
        return fed

    def _pass(self, payload: bytes, now: float, fed: Fed) -> None:
        passed = self._boot.feed(payload, now) if payload else b""
        ready = self._holder.feed(passed, now) if passed else b""
        if ready:
            fed.payload.append(ready)

    def _no_boot(self, now: float) -> bytes:
        """What was held as a boot text, or the beginning of one, goes the way of all else: it may end a hint."""
        held = self._boot.release()
        return self._holder.feed(held, now) if held else b""

    def _collect(self, payload: bytes, complete: bool, now: float, fed: Fed) -> None:
        self._datagram += payload
        self._quiet_s = None
        if complete or len(self._datagram) > DATAGRAM_LIMIT_BYTES:
            fed.payload.append(bytes(self._datagram))
            self._datagram.clear()
        elif (
            self._sent_s is not None
            and now - self._sent_s < FALL_BACK_WITHIN_S
            and _FALLEN_BACK.fullmatch(self._datagram)
        ):
            # Some modules answer OK to the ETX that ends a datagram, and are in command mode then (erratum X15).
            self._quiet_s = now + FALL_BACK_QUIET_S
        elif _ERROR.search(self._datagram) or (self._signs and self._datagram.endswith(self._signs)):
            # A module that has restarted or lost its link: its own lines are not ended by ETX, as every datagram is.
            self._quiet_s = now + RESTART_QUIET_S

    # -- time ----------------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return earliest(self._breaker.deadline, self._due_s, self._quiet_s, self._hold_s)

    def tick(self, now: float) -> tuple[bytes, Fed]:
        """What to send to the module now, and what time has made of its bytes."""
        fed = Fed()
        self._let_go(now, fed)
        if self._hold_s is not None and now >= self._hold_s:
            self._hold_s = None
        if self._quiet_s is not None and now >= self._quiet_s:
            self._quiet_s = None
            fed.mark, fed.rest = FALL_BACK, self._own_lines()
            self._datagram.clear()
        return self._breaker.tick(now), fed

    def _let_go(self, now: float, fed: Fed) -> None:
        """What was held long enough is payload, or suspected."""
        passed = self._boot.tick(now)
        ready = self._holder.feed(passed, now) if passed else b""
        if self._boot.deadline is None:
            ready += self._holder.tick(now)
        if ready:
            fed.payload.append(ready)
        if suspected := self.suspected:
            fed.mark = suspected

    @property
    def _due_s(self) -> float | None:
        """When what is held decides; what may become a boot text may go on with a hint, so that goes first."""
        return self._holder.deadline if self._boot.deadline is None else self._boot.deadline

    def _own_lines(self) -> bytes:
        """What the module has said behind the end of its data mode; a datagram that was cut off is nobody's."""
        text = bytes(self._datagram)
        if _FALLEN_BACK.fullmatch(text):
            return text.removeprefix(FALL_BACK)
        error = _ERROR.search(text)
        if error is not None:
            return error[0]
        at = len(text)
        while sign := next((sign for sign in self._signs if text.endswith(sign, 0, at)), b""):
            at -= len(sign)
        return text[at:]

    @property
    def restarted(self) -> bool:
        """Whether what is suspected is a boot text."""
        return self._boot.suspected is not None

    @property
    def suspected(self) -> bytes:
        """A text at the end of the stream that may be the module's own; "" when there is none."""
        return (self._holder.suspected or b"") + (self._boot.suspected or b"")

    def finish(self) -> list[bytes]:
        """Payload that is still held when the phase is over; a suspected text is not among it."""
        rest = self._no_boot(0.0) if self._boot.suspected is None else b""
        rest += bytes(self._datagram) if self.divided else self._holder.end()
        self._datagram.clear()
        return [rest] if rest else []
