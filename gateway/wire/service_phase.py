"""A module's data mode that is one of its services: opened with it, and ended only together with it.

There is no way to leave such a mode and come back: the bare ETX that ends it also closes its socket. The module
confirms an ETX of the gateway's by words of its own, directly behind its last byte.
"""

from __future__ import annotations

from gateway.model.deadlines import earliest
from gateway.wire import dle
from gateway.wire.boot import BootHolder
from gateway.wire.hint import ClosingHolder
from gateway.wire.module_phase import DATAGRAM_LIMIT_BYTES, Fed, ModulePhase

CLOSED_QUIET_S = 0.06
"""How long the line must be quiet behind the module's words: payload that is still under way could read the same."""

LINGER_S = 10.0
"""A peer may still send when it was told that nothing more comes; after so long a silence it will not."""

QUIET = b""
"""The sign of a stream in which nothing more comes from either side."""


class ServicePhase(ModulePhase):
    """DLE escapes ETX and DLE, both ways. ``closing``: the module's words when it has ended the mode as it was told.

    ``boot``: texts that a module prints into the stream when it starts anew. ``gap_s``: payload is datagrams, which
    no sign divides: those that come are told apart by a silence of ``gap_s``, and those that are sent are kept apart by
    ``spacing_s``, which begins when the one before has really gone out. ``uploads``: payload only goes to the module;
    all that it says is its own, with or without an ETX before it (U14), and its own sign ends the sending.
    """

    ends_socket = True

    def __init__(
        self,
        *,
        closing: tuple[bytes, ...],
        boot: tuple[bytes, ...] = (),
        gap_s: float = 0.0,
        spacing_s: float = 0.0,
        uploads: bool = False,
    ) -> None:
        super().__init__(escaped=True, divided=False, guard_s=0.0, boot=() if gap_s else boot, uploads=uploads)
        self.datagrams = bool(gap_s)
        self._closing = closing
        self._texts = boot
        self._signs = boot if gap_s else ()
        self._gap_s = gap_s
        self._spacing_s = spacing_s
        self._gap_due_s: float | None = None
        self._lingers = False
        self._linger_due_s: float | None = None
        self.ending = False

    # -- to the module -------------------------------------------------------------------------------------------------

    def encode(self, payload: bytes, now: float) -> bytes:  # noqa: ARG002  (the silence begins later: drained)
        """What is sent to the module for payload: a piece of the stream, or one datagram."""
        self.drains = self.datagrams
        self._boot.sent(payload)
        return dle.encode(payload)

    def drained(self, now: float) -> None:
        """What was sent has really gone out: the silence that ends a datagram begins."""
        if self.drains:
            self.drains = False
            self._hold_s = now + self._spacing_s

    @property
    def holds(self) -> bool:
        """Whether a datagram is not yet told apart from the next."""
        return self.drains or self._hold_s is not None

    def end(self) -> bytes:
        """The sign that ends the mode; from now on the module's own words are looked for behind the payload."""
        self.ending = True
        self._holder = ClosingHolder((*self._closing, *self._texts), CLOSED_QUIET_S)
        self._boot = BootHolder(())
        return dle.ETX

    def end_sending(self, now: float) -> bytes:
        """Nothing says that alone: what comes is taken until nothing has come for LINGER_S, then the sign is QUIET."""
        if self._uploads:
            return dle.ETX
        self._lingers, self._linger_due_s = True, now + LINGER_S
        return b""

    # -- from the module -----------------------------------------------------------------------------------------------

    def feed(self, data: bytes, now: float) -> Fed:
        """What the module sent."""
        if self._uploads:
            return super().feed(data, now)
        fed = Fed()
        if self._lingers:
            self._linger_due_s = now + LINGER_S
        payload, rest = self._decoder.decode(data)
        if self.datagrams and not self.ending:
            fed.payload += self.absolve() if payload else []
            self._datagram += payload
            self._gap_due_s = now + self._gap_s
            if len(self._datagram) > DATAGRAM_LIMIT_BYTES:
                fed.payload += self.finish()
        else:
            self._pass(payload, now, fed)
        if rest is not None:
            if not self.ending:  # else what is held is the beginning of its own words
                fed.payload += self.absolve()
            fed.payload += self.finish()
            fed.mark, fed.rest = dle.ETX, rest
        return fed

    def finish(self) -> list[bytes]:
        """Payload that is still held when the phase is over; a suspected text is not among it."""
        rest = bytes(self._datagram) + self._holder.release()
        if self._boot.suspected is None:
            rest += self._boot.release()
        self._datagram.clear()
        self._gap_due_s = None
        return [rest] if rest else []

    def _divide(self, fed: Fed) -> None:
        """A datagram is complete; one that a module could say when it starts is only suspected."""
        for datagram in self.finish():
            if self._signs and datagram.endswith(self._signs):
                self._holder.suspected = datagram
            else:
                fed.payload.append(datagram)

    @property
    def restarted(self) -> bool:
        """Whether what is suspected is a boot text."""
        return super().restarted or (self.ending and (self._holder.suspected or b"").startswith(self._texts))

    # -- time ----------------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` has something to do."""
        return earliest(self._due_s, self._hold_s, self._gap_due_s, self._linger_due_s)

    def tick(self, now: float) -> tuple[bytes, Fed]:
        """Nothing to send; what time has made of the module's bytes."""
        fed = Fed()
        self._let_go(now, fed)
        if self._gap_due_s is not None and now >= self._gap_due_s:
            self._divide(fed)
        if self._hold_s is not None and now >= self._hold_s:
            self._hold_s = None
        if self._linger_due_s is not None and now >= self._linger_due_s:
            self._lingers, self._linger_due_s = False, None
            fed.mark = QUIET
        if suspected := self.suspected:
            fed.mark = suspected
        return b"", fed
