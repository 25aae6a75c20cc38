"""DLE escaping of ETX and DLE: ``10 03`` is a payload ETX, ``10 10`` a payload DLE, a bare ``03`` ends the data.

One scheme, used by eDSoft (``#DLEMODE`` 1, UDP, FTP) and by WIPSoft's continuous modes alike.
"""

from __future__ import annotations

import re

ETX = b"\x03"
_SPECIAL = re.compile(rb"[\x03\x10]")
_MARK = re.compile(rb"\x10(.)|\x03", re.DOTALL)


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
        if _SPECIAL.search(data) is None:
            return data, None
        parts: list[bytes] = []
        position = 0
        for match in _MARK.finditer(data):
            parts.append(data[position : match.start()])
            position = match.end()
            escaped = match.group(1)
            if escaped is None:
                return b"".join(parts), data[position:]
            parts.append(escaped)
        tail = data[position:]
        if tail.endswith(b"\x10"):
            self._pending = True
            tail = tail[:-1]
        parts.append(tail)
        return b"".join(parts), None
