"""DLE escaping of ETX and DLE: ``10 03`` is a payload ETX, ``10 10`` a payload DLE, a bare ``03`` ends the data.

One scheme, used by eDSoft (``#DLEMODE`` 1, UDP, FTP) and by WIPSoft's continuous modes alike.
"""

from __future__ import annotations

import re

from gateway.wire.settings import DLE

ETX = b"\x03"
_ESCAPE = re.compile(rb"\x10(.)", re.DOTALL)
"""Splits data into texts and, between them, the bytes that are escaped."""


def encode(data: bytes) -> bytes:
    """Escape payload: each ETX and DLE gets a DLE before it."""
    if b"\x03" not in data and b"\x10" not in data:
        return data
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


class DleDecoder:
    """Takes the escapes out again, whatever the split: a trailing lone DLE waits for its partner.

    A DLE before any other byte is dropped and the byte is kept (5.57 guide, section 6.2.2.4).
    """

    def __init__(self) -> None:
        self._pending = False

    def decode(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Payload up to the first bare ETX, and what stands behind that ETX, or None when there was none."""
        if self._pending and data:
            data = b"\x10" + data
            self._pending = False
        first = data.find(ETX)
        if first == 0 or (first > 0 and data[first - 1] != DLE):  # bare, as behind nearly every datagram
            return b"".join(_ESCAPE.split(data[:first])), data[first + 1 :]
        parts = _ESCAPE.split(data)
        rest = None
        if first > 0 and data.count(ETX) != parts[1::2].count(ETX):
            rest = _cut(data, parts)
        elif parts[-1].endswith(b"\x10"):  # it has nothing behind it yet
            parts[-1] = parts[-1][:-1]
            self._pending = True
        return b"".join(parts), rest


def _cut(data: bytes, parts: list[bytes]) -> bytes:
    """Cut the parts of ``data`` off at its first bare ETX; what stands behind that."""
    number = next(number for number in range(0, len(parts), 2) if ETX in parts[number])
    at = parts[number].find(ETX)
    begin = sum(map(len, parts[:number])) + number // 2
    parts[number:] = [parts[number][:at]]
    return data[begin + at + 1 :]
