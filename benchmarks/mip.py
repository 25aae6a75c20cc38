"""A Fibocom L610 module as far as the measurements need one: it always says yes, at once. No I/O, no clock.

Payload goes to it as digits in commands (1.1.6) or as it is behind a prompt (1.2.3), and comes from it as digits.
"""

from __future__ import annotations

import re

from benchmarks.post import Post

ROOM_BYTES = 2048
TOLD_BYTES = 1024
_OK = b"\r\nOK\r\n"
_DIGITS = re.compile(rb'AT\+MIPSEND=1,"([0-9A-F]*)"')
_PROMPTED = re.compile(rb"AT\+MIPSEND=1,(\d+)")
_OPEN = re.compile(rb"AT\+MIPOPEN=1,.*,(\d+),0")
_SAYS = {
    b"AT+MIPOPEN?": b"\r\n+MIPOPEN: 1,2,3,4,5,6\r\n" + _OK,
    b"AT+CSQ": b"\r\n+CSQ: 20,99\r\n" + _OK,
    b"AT+MIPPUSH=1": b"\r\n+MIPPUSH: 1,0\r\n" + _OK,
}


def told(data: bytes) -> bytes:
    """How it says what came: +MIPRTCP with digits (1.1.10)."""
    pieces = (data[at : at + TOLD_BYTES] for at in range(0, len(data), TOLD_BYTES))
    return b"".join(b"\r\n+MIPRTCP: 1,0,%s\r\n" % piece.hex().upper().encode() for piece in pieces)


class Module:
    """Feed it with what the gateway sends; it gives what the module says."""

    deadline: float | None = None
    in_data = False

    def __init__(self) -> None:
        self.taken = bytearray()
        """Payload that it was given."""
        self.post: Post | None = None
        """Who is at the other end of its connections; None: somebody who takes everything."""
        self._line = b""
        self._text = 0
        """Bytes that are still to come behind a prompt."""
        self._free = ROOM_BYTES
        self._state = b"0"

    def tick(self, now: float) -> bytes:
        """Nothing waits."""
        del now
        return b""

    def receive(self, data: bytes, now: float) -> bytes:
        """Bytes of the gateway."""
        del now
        said = b""
        while data:
            if self._text:
                text, data = data[: self._text], data[self._text :]
                self._text -= len(text)
                said += self._take(text)
                if not self._text:
                    said += _OK + b"\r\n+MIPPUSH: 1,0\r\n" + b"\r\n+MIPSEND: 1,0,%d\r\n" % ROOM_BYTES + _OK
                continue
            line, end, data = data.partition(b"\r")
            self._line += line
            if end:
                line, self._line = self._line, b""
                said += self._answer(line.lstrip(b"\n"))
        return said

    def _answer(self, line: bytes) -> bytes:
        digits = _DIGITS.fullmatch(line)
        if digits is not None:
            block = bytes.fromhex(digits[1].decode())
            self._free = self._free - len(block)
            heard = self._take(block)
            return b"\r\n+MIPSEND: 1,0,%d\r\n" % self._free + _OK + heard
        prompted = _PROMPTED.fullmatch(line)
        if prompted is not None:
            self._text = int(prompted[1])
            return b"\r\n>\r\n"
        if line == b"AT+MIPPUSH=1":
            self._free = ROOM_BYTES
        if line == b"AT+MIPCALL?":
            return b"\r\n+MIPCALL: %s\r\n" % self._state + _OK
        if line.startswith(b"AT+MIPCALL=1"):
            self._state = b"1,10.0.0.1"
            return _OK + b"\r\n+MIPCALL: 10.0.0.1\r\n"
        opens = _OPEN.fullmatch(line)
        if opens is not None:
            greeting = self.post.begin(int(opens[1])) if self.post is not None else b""
            return _OK + b"\r\n+MIPOPEN: 1,1\r\n" + told(greeting)
        if line.startswith(b"AT+MIPCLOSE=1"):
            return _OK + b"\r\n+MIPCLOSE: 1,0\r\n"
        return _SAYS.get(line, _OK)

    def _take(self, data: bytes) -> bytes:
        if self.post is None:
            self.taken += data
            return b""
        return told(self.post.receive(data))
