"""A WIPSoft 5.57 module as far as the measurements need one: it always says yes, at once. No I/O, no clock."""

from __future__ import annotations

import re

from benchmarks.post import Post
from gateway.wire.dle import DleDecoder
from gateway.wire.dle import encode as escaped

GUARD_S = 1.0
_OK = b"\r\nOK\r\n"
_SAYS = {
    b"AT+CSQ": b"\r\n+CSQ: 20,99\r\n" + _OK,
    b"AT+WIPBR=3,6,15": b'\r\n+WIPBR: 6,15,"10.0.0.1"\r\n' + _OK,
}
_CREATE = re.compile(rb"AT\+WIPCREATE=2,(\d+),.*,(\d+)")


class Module:
    """Feed it with what the gateway sends; it gives what the module says."""

    def __init__(self) -> None:
        self.in_data = False
        self.taken = bytearray()
        """Payload that it was given."""
        self.post: Post | None = None
        """Who is at the other end of its connections; None: somebody who takes everything."""
        self._decoder = DleDecoder()
        self._greeting = b""
        self._echo = True
        self._bearer = b""
        self._line = b""
        self._left_s: float | None = None

    @property
    def deadline(self) -> float | None:
        """When the guard time behind ``+++`` is over."""
        return self._left_s

    def tick(self, now: float) -> bytes:
        """The OK to ``+++``."""
        if self._left_s is None or now < self._left_s:
            return b""
        self._left_s, self.in_data = None, False
        return _OK

    def receive(self, data: bytes, now: float) -> bytes:
        """Bytes of the gateway: command lines, or payload."""
        if self.in_data:
            if data == b"+++":
                self._left_s = now + GUARD_S
                return b""
            self._left_s = None
            return self._payload(data)
        *lines, self._line = (self._line + data).split(b"\r")
        return b"".join(self._answer(line) for line in lines)

    def _payload(self, data: bytes) -> bytes:
        payload, _ = self._decoder.decode(data)
        if self.post is not None:
            return escaped(self.post.receive(payload))
        self.taken += payload
        return b""

    def _answer(self, line: bytes) -> bytes:
        echo = line + b"\r" if self._echo else b""
        if line.startswith(b"ATE"):
            self._echo = line[3:4] != b"0"
        elif line.startswith(b"AT+WIPBR="):
            self._set_bearer(line[9:])
        elif line == b"AT+WIPBR?":
            return echo + self._bearer + _OK
        elif line.startswith(b"AT+WIPDATA="):
            self.in_data, self._decoder = True, DleDecoder()
            greeting, self._greeting = escaped(self._greeting), b""
            return echo + b"\r\nCONNECT\r\n" + greeting
        elif created := _CREATE.fullmatch(line):
            ready = echo + _OK + b"\r\n+WIPREADY: 2," + created[1] + b"\r\n"
            if self.post is not None:
                self._greeting = self.post.begin(int(created[2]))
                ready += b"\r\n+WIPDATA: 2,%s,%d\r\n" % (created[1], len(self._greeting))
            return ready
        return echo + _SAYS.get(line, _OK)

    def _set_bearer(self, values: bytes) -> None:
        state = {b"1,6": b"0", b"4,6,0": b"1", b"5,6": b"0"}.get(values)
        if state is not None:
            self._bearer = b"\r\n6," + state + b"\r\n"
