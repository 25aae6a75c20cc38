"""The command line as a modem reads it (V.250 section 5.2): echo, editing, ``AT``, ``A/``, every line end in the field.

The reader is fed bytes in any split and gives one item at a time, because what follows a command may be payload.
"""

from __future__ import annotations

import re
from functools import lru_cache

from gateway.model.record import record
from gateway.wire.settings import ETX, LF, LineSettings

ABANDON_S = 10.0
"""After so much silence half a command is given up with an error. No modem manual states a time; hosts at 9600 baud
need several seconds."""

RESTART_S = 2.0
"""A new ``AT`` after so much silence, outside a quoted string, begins a new line: the host was restarted."""


@lru_cache(maxsize=8)
def _plain(end: int, line_feed: int, erase: int) -> re.Pattern[bytes]:
    """A line in which nothing but its end has a meaning of its own, by the characters of S3, S4 and S5."""
    none = rb"(?![\x%02x\x%02x\x%02x])" % (end, line_feed, erase)
    return re.compile(rb"(%s[Aa]%s[Tt](?:%s[^\x00-\x1f\x7f])*+)\x%02x" % (none, none, none, end))


@record
class Line:
    """A complete command line, from its ``AT`` on, without the terminator."""

    data: bytes


@record
class Repeat:
    """``A/``: the last line again."""


@record
class TooLong:
    """A line beyond the limit; ``data`` is its beginning."""

    data: bytes


@record
class Abandoned:
    """Half a command, and then silence."""

    data: bytes


@record
class Control:
    """A control character that a dialect may care for outside a line: ETX."""

    byte: int


Item = Line | Repeat | TooLong | Abandoned | Control


class CommandLineReader:
    """Finds command lines in what a host sends; see the module's text.

    ``echo`` collects what a modem would send back for the bytes consumed so far; the owner sends or drops it.
    """

    def __init__(self, settings: LineSettings, limit_bytes: int) -> None:
        self._settings = settings
        self._limit_bytes = limit_bytes
        self._line = bytearray()
        self._overflow = False
        self._last_s = 0.0
        self.after_cr = False
        """The last byte was a CR that ended a line: a LF may follow, however late."""
        self.ends_with_lf: bool | None = None
        """Whether this host ends its lines with CR LF; None until it was seen."""
        self.echo = bytearray()

    @property
    def partial(self) -> bool:
        """Whether a command has begun and has not ended."""
        return len(self._line) >= 2

    @property
    def deadline(self) -> float | None:
        """When half a command is to be given up."""
        return self._last_s + ABANDON_S if len(self._line) >= 2 else None

    def tick(self, now: float) -> Abandoned | None:
        """Give up half a command whose time is over."""
        if self.partial and now >= self._last_s + ABANDON_S:
            return Abandoned(self._take())
        return None

    def late_lf(self, first: int) -> bool:
        """Whether ``first``, the first byte after a command that opened a data phase, still belongs to that command.

        A host that ends its lines with CR LF may send the LF late; one that is known to end them with CR alone may
        begin its payload with a LF.
        """
        swallow = self.after_cr and first == LF and self.ends_with_lf is not False
        self.after_cr = False
        return swallow

    def feed(self, data: bytes, start: int, now: float) -> tuple[Item | None, int]:
        """Read ``data`` from ``start`` on until one item is complete: that item, or None, and where to go on."""
        registers = self._settings.registers
        end, line_feed, erase = registers[3], registers[4], registers[5]
        position = start
        if self._line and self.partial and now - self._last_s >= RESTART_S and self._restarts(data, start):
            self._take()
        self._last_s = now
        if not self._line and not self._overflow:
            if self.after_cr:
                position = self._skip_late_feed(data, position, line_feed)
            plain = _plain(end, line_feed, erase).match(data, position)
            if plain is not None and len(plain[1]) <= self._limit_bytes:
                self.echo += plain[0]
                return Line(plain[1]), self._after_end(data, plain.end(), line_feed)
        while position < len(data):
            byte = data[position]
            position += 1
            if byte == end:
                self.echo.append(byte)
                was_overflow, line = self._overflow, self._take()
                position = self._after_end(data, position, line_feed)
                if len(line) >= 2:
                    return (TooLong(line) if was_overflow else Line(line)), position
                continue
            if self.after_cr:
                self.after_cr = False
                self.ends_with_lf = byte == line_feed
                if byte == line_feed:
                    continue
            self.echo.append(byte)
            if byte == line_feed:
                if self.partial:
                    was_overflow, line = self._overflow, self._take()
                    if position < len(data) and data[position] == end:
                        self.echo.append(end)
                        position += 1
                    return (TooLong(line) if was_overflow else Line(line)), position
                continue
            if byte == erase:
                del self._line[-1:]
                continue
            if byte < 0x20 or byte == 0x7F:
                if byte == ETX:
                    return Control(byte), position
                continue
            if self._add(byte):
                return Repeat(), position
        return None, position

    def _restarts(self, data: bytes, start: int) -> bool:
        quoted = self._line.count(b'"') % 2 == 1
        return not quoted and data[start : start + 2].upper() == b"AT"

    def _skip_late_feed(self, data: bytes, position: int, line_feed: int) -> int:
        if position < len(data):
            self.after_cr = False
            self.ends_with_lf = data[position] == line_feed
            if self.ends_with_lf:
                return position + 1
        return position

    def _after_end(self, data: bytes, position: int, line_feed: int) -> int:
        """Behind a CR: take a LF that is already there, with its echo; else remember that one may come."""
        if position < len(data):
            self.after_cr = False
            self.ends_with_lf = data[position] == line_feed
            if self.ends_with_lf:
                self.echo.append(line_feed)
                return position + 1
            return position
        self.after_cr = True
        return position

    def _add(self, byte: int) -> bool:
        """Add a printable byte, looking for ``AT`` first; True for ``A/``."""
        line = self._line
        if not line:
            if byte in b"Aa":
                line.append(byte)
        elif len(line) == 1:
            if byte in b"Tt":
                line.append(byte)
            elif byte == 0x2F:
                line.clear()
                return True
            elif byte not in b"Aa":
                line.clear()
        elif len(line) < self._limit_bytes:
            line.append(byte)
        else:
            self._overflow = True
        return False

    def _take(self) -> bytes:
        line = bytes(self._line)
        self._line.clear()
        self._overflow = False
        return line
