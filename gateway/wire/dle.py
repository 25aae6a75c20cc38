"""DLE escaping of ETX and DLE: ``10 03`` is a payload ETX, ``10 10`` a payload DLE, a bare ``03`` ends the data.

One scheme, used by eDSoft (``#DLEMODE`` 1, UDP, FTP) and by WIPSoft's continuous modes alike.
"""

from __future__ import annotations

ETX = b"\x03"


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
        first, *others = data.split(b"\x10")
        end = first.find(ETX)
        if end >= 0:
            return first[:end], data[end + 1 :]
        parts = [first]
        position = len(first)
        escapes = False
        for part in others:
            position += 1 + len(part)
            if escapes:  # the DLE before this part is itself escaped
                escapes = False
                end = part.find(ETX)
            elif part:
                end = part.find(ETX, 1)  # its first byte is what the DLE escapes
            else:
                escapes = True
                parts.append(b"\x10")
                continue
            if end >= 0:
                parts.append(part[:end])
                return b"".join(parts), data[position - len(part) + end + 1 :]
            parts.append(part)
        if escapes:  # the last DLE has nothing behind it yet
            parts.pop()
            self._pending = True
        return b"".join(parts), None
