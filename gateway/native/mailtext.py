"""Mail as bytes in motion: made fit for SMTP, unpacked from POP3, and its header. No input or output here."""

from __future__ import annotations

import contextlib
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr, make_msgid, parseaddr

from gateway.model.services import SendMail

LINE_LIMIT_BYTES = 998
"""Of a line without its end (RFC 5322, 2.1.1): a longer one is broken, at a blank where there is one."""
_LONE_END = re.compile(rb"\r\n|\r|\n")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class BodyEncoder:
    """A mail's bytes, however they are split, as RFC 5321, 4.5.2 wants them behind DATA.

    Each line ends with CR LF, a dot at its start is doubled, none is too long. All other bytes stay as they are.
    """

    def __init__(self) -> None:
        self._line = b""
        """A line's begin that was not given yet, because its rest decides where it is broken; or a last CR."""

    def encode(self, data: bytes) -> bytes:
        """The next bytes."""
        data = self._line + data
        held = b"\r" if data.endswith(b"\r") else b""  # an LF may follow
        data = data[: len(data) - len(held)]
        if not data.count(b"\r") == data.count(b"\n") == data.count(b"\r\n"):
            data = _LONE_END.sub(b"\r\n", data)
        end = data.rfind(b"\r\n") + 2
        if end >= 2 and _fits(data):
            self._line = data[end:] + held
            ready = data[:end].replace(b"\r\n.", b"\r\n..")
            return b"." + ready if ready.startswith(b".") else ready
        *lines, last = data.split(b"\r\n")
        out = [part for line in lines for part in _broken(line)]
        whole = _broken(last)
        self._line = whole.pop() + held
        return b"".join(_stuffed(line) for line in out + whole)

    def finish(self) -> bytes:
        """What is left, as a line of its own."""
        rest = self._line
        self._line = b""
        return _stuffed(rest.removesuffix(b"\r")) if rest else b""


def _fits(data: bytes) -> bool:
    """Whether no line is too long: in each so many bytes behind the end of one there is the end of another."""
    at, size = 0, len(data)
    while size - at > LINE_LIMIT_BYTES:
        end = data.rfind(b"\r\n", at, at + LINE_LIMIT_BYTES + 2)
        if end < 0:
            return False
        at = end + 2
    return True


def _broken(line: bytes) -> list[bytes]:
    """A line in parts that are not too long."""
    parts = []
    while len(line) > LINE_LIMIT_BYTES:
        at = line.rfind(b" ", LINE_LIMIT_BYTES // 2, LINE_LIMIT_BYTES)
        cut = at + 1 if at > 0 else LINE_LIMIT_BYTES
        parts.append(line[:cut])
        line = line[cut:]
    return [*parts, line]


def _stuffed(line: bytes) -> bytes:
    return (b"." if line.startswith(b".") else b"") + line + b"\r\n"


def _has_end(data: bytes, end: int) -> bool:
    """Whether one of the whole lines up to ``end`` is a single dot."""
    return data.startswith((b".\r\n", b".\n")) or data.find(b"\n.\r\n", 0, end) >= 0 or data.find(b"\n.\n", 0, end) >= 0


class BodyDecoder:
    """The lines of a POP3 answer (RFC 1939, 3), however they are split, without the dots that were added."""

    def __init__(self, *, header: bool = True) -> None:
        self._rest = b""
        self._within = False
        """The rest is not the begin of a line."""
        self._skipping = not header
        self.finished = False
        """The line with a single dot has come; nothing is taken behind it."""

    def decode(self, data: bytes) -> bytes:
        """What the next bytes bring of the mail."""
        if self.finished:
            return b""
        data = self._rest + data
        end = data.rfind(b"\n") + 1
        if end and not self._within and not self._skipping and not _has_end(data, end):
            out = [data[:end].removeprefix(b".").replace(b"\n.", b"\n")]
            self._keep(data[end:], out)
            return b"".join(out)
        *lines, rest = data.split(b"\n")
        out = []
        for line in lines:
            whole, begins = line + b"\n", not self._within
            self._within = False
            if begins and line in (b".", b".\r"):
                self.finished = True
                return b"".join(out)
            self._take(whole, begins, out)
        self._keep(rest, out)
        return b"".join(out)

    def _keep(self, rest: bytes, out: list[bytes]) -> None:
        """A long line is given as it comes; only a short one can be the last, and a CR may end it."""
        held = b"\r" if rest.endswith(b"\r") else b""
        if len(rest) > LINE_LIMIT_BYTES:
            self._take(rest[: len(rest) - len(held)], not self._within, out)
            rest, self._within = held, True
        self._rest = rest

    def _take(self, line: bytes, begins: bool, out: list[bytes]) -> None:
        if self._skipping:
            self._skipping = not (begins and line in (b"\r\n", b"\n"))
        else:
            out.append(line[1:] if begins and line.startswith(b".") else line)


def header(mail: SendMail, domain: str, now: datetime | None = None) -> bytes:
    """The header of a mail from its fields, with the empty line behind it; blind copies are not in it.

    Text of a host is bytes: UTF-8 where they can be that, else Latin-1; encoded as RFC 2047 says.
    """
    message = EmailMessage(SMTP)
    message["Date"] = format_datetime(now or datetime.now(UTC))
    name, address = parseaddr(mail.sender)
    message["From"] = formataddr((_readable(mail.sender_name or name), address or mail.sender))
    if mail.recipients:
        message["To"] = ", ".join(mail.recipients)
    if mail.copies:
        message["Cc"] = ", ".join(mail.copies)
    message["Subject"] = _readable(mail.subject)
    message["Message-ID"] = make_msgid(domain=domain or "localhost")
    return message.as_bytes()


def _readable(text: str) -> str:
    """A host's text as what it means, without control characters."""
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return _CONTROL.sub(" ", text)
