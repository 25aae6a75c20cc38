"""A data phase as the host sees it: what it sends becomes payload and an end, what arrives becomes bytes for it.

One class with four habits, because the dialects' phases differ in them alone: whether DLE escapes, what an ETX means,
whether ``+++`` ends it, how writes become packets.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from gateway.model.deadlines import earliest
from gateway.wire import dle
from gateway.wire.gather import Gatherer
from gateway.wire.plus import PLUS, EscapeDetector


class Etx(Enum):
    """What an ETX of the host means."""

    PAYLOAD = "payload"
    ENDS = "ends"
    """It ends the session."""
    SHUTS = "shuts"
    """It ends the sending; reading goes on."""
    DIVIDES = "divides"
    """It ends a datagram."""


@dataclass(slots=True)
class Taken:
    """What became of the host's bytes: payload in packets or datagrams, a half-close, an end, and what stands behind."""

    payload: list[bytes] = field(default_factory=list)
    shutdown: bool = False
    ended: bool = False
    escaped: bool = False
    """It was ``+++`` that ended it, not the dialect's own sign."""
    rest: bytes = b""
    dropped: int = 0
    """Bytes that could not be sent, because the sending had been ended before."""
    expired: bool = False
    """The host has been silent for longer than the phase allows."""


class HostPhase:
    """See the module's text. Time is given: ``now`` is in monotonic seconds."""

    def __init__(
        self,
        *,
        escaped: bool,
        etx: Etx = Etx.PAYLOAD,
        plus: EscapeDetector | None = None,
        gather: Gatherer | None = None,
        shutdown_text: bytes = b"",
        carried: bytes = b"",
    ) -> None:
        self.etx = etx
        self._decoder = dle.DleDecoder() if escaped else None
        self._plus = plus
        self._gather = gather
        self._divided = bytearray(carried)
        self.carry = b""
        """Payload that goes out with the next data phase's: a lone ``+++`` behind the end of a datagram."""
        self._shut = False
        self._shutdown_text = shutdown_text
        self._peer_has_closed = False

    @property
    def escaped(self) -> bool:
        """Whether ETX and DLE are escaped."""
        return self._decoder is not None

    @property
    def deadline(self) -> float | None:
        """The next time at which :meth:`tick` decides something."""
        plus, gather = self._plus, self._gather
        return earliest(plus.deadline if plus is not None else None, gather.deadline if gather is not None else None)

    def from_host(self, data: bytes, now: float) -> Taken:
        """Take what the host sent."""
        taken = Taken()
        rest: bytes | None = None
        if self._plus is not None:
            data, rest = self._plus.feed(data, now)
        self._take(data, now, taken)
        if rest is not None and not taken.ended:
            taken.ended = taken.escaped = True
            taken.rest = rest
        if taken.ended:
            self._flush(taken)
        return taken

    def tick(self, now: float) -> Taken:
        """What time alone decides: held signs, a packet whose delay is over."""
        taken = Taken()
        if self._plus is not None:
            data, escaped = self._plus.tick(now)
            self._take(data, now, taken)
            if escaped:
                taken.ended = taken.escaped = True
                if self._divided == PLUS:
                    self.carry = bytes(self._divided)
                    self._divided.clear()
        if self._gather is not None:
            taken.payload += self._gather.tick(now)
        if taken.ended:
            self._flush(taken)
        return taken

    def to_host(self, data: bytes) -> bytes:
        """What the host reads for a piece of a stream, or for a whole datagram."""
        if self._decoder is None:
            return data
        written = dle.encode(data)
        return written + dle.ETX if self.etx is Etx.DIVIDES else written

    def peer_closed(self) -> bytes | None:
        """What the host reads when the peer has ended its sending, which it reads once; None: the phase ends by it."""
        if self.etx is Etx.ENDS or not self._shutdown_text:
            return None
        if self._peer_has_closed:
            return b""
        self._peer_has_closed = True
        if self._plus is not None:
            self._plus.free = True
        return self._shutdown_text

    def finish(self) -> list[bytes]:
        """Payload that is still held, when the phase ends from the other side."""
        taken = Taken()
        self._flush(taken)
        return taken.payload

    def _take(self, data: bytes, now: float, taken: Taken) -> None:
        if not data:
            return
        if self._decoder is None:
            self._add(data, now, taken)
            return
        rest: bytes | None = data
        while rest is not None:
            payload, rest = self._decoder.decode(rest)
            self._add(payload, now, taken)
            if rest is None:
                return
            if self.etx is Etx.ENDS:
                taken.ended = True
                taken.rest = rest
                return
            if self.etx is Etx.SHUTS:
                taken.payload += self._gather.flush() if self._gather else []
                taken.shutdown = not self._shut
                self._shut = True
            else:
                taken.payload.append(bytes(self._divided))
                self._divided.clear()

    def _add(self, payload: bytes, now: float, taken: Taken) -> None:
        if not payload:
            return
        if self._shut:
            taken.dropped += len(payload)
        elif self.etx is Etx.DIVIDES:
            self._divided += payload
            if self._gather is not None and len(self._divided) >= self._gather.limit_bytes:
                taken.payload += self._gather.split(self._divided)
        elif self._gather is not None:
            taken.payload += self._gather.feed(payload, now)
        else:
            taken.payload.append(payload)

    def _flush(self, taken: Taken) -> None:
        if self._divided:
            taken.payload.append(bytes(self._divided))
            self._divided.clear()
        elif self._gather is not None:
            taken.payload += self._gather.flush()
