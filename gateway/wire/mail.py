"""Data phases of mail, a host's and a module's: bytes as they are until CR LF . CR LF."""

from __future__ import annotations

from gateway.wire.dle import DleDecoder
from gateway.wire.module_phase import Fed, ModulePhase
from gateway.wire.phase import Taken
from gateway.wire.service_phase import ServicePhase

END = b"\r\n.\r\n"


class MailFromHost:
    """A host types or sends a mail's body; the sequence ends it, and so does its own silence."""

    escaped = False

    def __init__(self, silence_s: float, now: float) -> None:
        self._silence_s = silence_s
        self._last_s = now
        self._held = b""
        self.carry = b""

    @property
    def deadline(self) -> float | None:
        """When the host has been silent for too long."""
        return self._last_s + self._silence_s

    def from_host(self, data: bytes, now: float) -> Taken:
        """Take what the host sent; what may be the beginning of the end is kept."""
        self._last_s = now
        data = self._held + data
        at = data.find(END)
        if at >= 0:
            self._held = b""
            body = data[: at + 2]  # the last line keeps its own end
            return Taken([body], ended=True, rest=data[at + len(END) :])
        keep = next((count for count in range(min(len(END) - 1, len(data)), 0, -1) if data.endswith(END[:count])), 0)
        ready, self._held = data[: len(data) - keep], data[len(data) - keep :]
        return Taken([ready] if ready else [])

    def tick(self, now: float) -> Taken:
        """Too much silence ends it."""
        return Taken(expired=now >= self._last_s + self._silence_s)

    def to_host(self, data: bytes) -> bytes:
        """Nothing comes back in this phase; what does is the host's all the same."""
        return data

    def peer_closed(self) -> bytes | None:
        """It ends with the session."""
        return None

    def finish(self) -> list[bytes]:
        """What was kept, when it ends from the other side: of use to nobody."""
        self._held = b""
        return []


class MailToHost:
    """A mail is given to a host as its server gives it (RFC 1939, 3): a dot that begins a line is doubled, so that
    a line of a single dot is the end."""

    escaped = False
    deadline: float | None = None

    def __init__(self) -> None:
        self._tail = b"\r\n"
        """The last two bytes that were given: a mail begins with a line."""
        self.carry = b""

    def from_host(self, data: bytes, _now: float) -> Taken:
        """The host has nothing to say here."""
        return Taken(dropped=len(data))

    def tick(self, _now: float) -> Taken:
        """Time changes nothing."""
        return Taken()

    def to_host(self, data: bytes) -> bytes:
        """A piece of the mail."""
        joined = self._tail + data
        written = joined.replace(b"\r\n.", b"\r\n..")[2:]
        self._tail = joined[-2:]
        return written

    def end(self) -> bytes:
        """What stands behind the last piece."""
        return END[2:] if self._tail == b"\r\n" else END

    def peer_closed(self) -> bytes | None:
        """It ends with the session."""
        return None

    def finish(self) -> list[bytes]:
        """Nothing is kept."""
        return []


class BehindHeader(ModulePhase):
    """A module gives a mail: its header, up to the first empty line, is nobody's."""

    _head: bytes | None = b"\n"
    """The last bytes of the header; None behind it."""

    def _pass(self, payload: bytes, now: float, fed: Fed) -> None:
        if self._head is not None:
            data = self._head + payload
            ends = [data.find(end) + len(end) for end in (b"\n\r\n", b"\n\n") if end in data]
            if not ends:
                self._head = data[-2:]
                return
            payload, self._head = data[min(ends) :], None
        super()._pass(payload, now, fed)


class MailToModule(ServicePhase):
    """A module takes the body of a mail as it is, up to a line of a single dot; what it says meanwhile is its own."""

    def __init__(self) -> None:
        super().__init__(closing=(), uploads=True)
        self._tail = b""

    def encode(self, payload: bytes, now: float) -> bytes:
        """What is sent to the module for a piece of the body."""
        del now  # no byte waits
        self._tail = (self._tail + payload)[-2:]
        return payload

    def end_sending(self, now: float) -> bytes:
        """The line of a single dot, on a line of its own."""
        del now
        return END[2:] if self._tail == END[:2] else END


class MailFromModule(ServicePhase):
    """A module gives a mail as its server does (RFC 1939, 3), up to a line of a single dot."""

    def __init__(self, *, boot: tuple[bytes, ...]) -> None:
        super().__init__(closing=(), boot=boot)
        self._decoder = _MailDecoder()


class _MailDecoder(DleDecoder):
    """Lines with their first dot no longer doubled, and what stands behind the last of them."""

    def __init__(self) -> None:
        super().__init__()
        self._held = END[:2]
        """What may be the beginning of the end; a mail begins with a line."""
        self._unsaid = len(END[:2])
        """So many of the next bytes were never sent."""

    def decode(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Payload, and the bytes behind the end; None as long as it has not come."""
        data, rest = self._held + data, None
        at = data.find(END)
        if at >= 0:
            ready, rest, self._held = data[: at + 2], data[at + len(END) :], b""
        else:
            keep = next(count for count in range(len(END) - 1, -1, -1) if data.endswith(END[:count]))
            ready, self._held = data[: len(data) - keep], data[len(data) - keep :]
        payload = ready.replace(b"\r\n..", b"\r\n.")[self._unsaid :]
        self._unsaid = max(0, self._unsaid - len(ready))
        return payload, rest
