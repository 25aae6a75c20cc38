"""A mail server as far as the measurements need one: it takes one mail by SMTP, or gives one by POP3. No I/O."""

from __future__ import annotations

SMTP, POP3 = 25, 110
LETTER_END = b"\r\n.\r\n"


class Post:
    """One connection at a time; ``mail`` is what is given, and ``taken`` what was."""

    def __init__(self, mail: bytes = b"") -> None:
        self.mail = mail
        self.taken = b""
        self.gives = False
        """The mail is in what it said last."""
        self._smtp = True
        self._line = b""
        self._body: bytearray | None = None

    @property
    def taking(self) -> bool:
        """Whether a mail's text is coming."""
        return self._body is not None

    def begin(self, port: int) -> bytes:
        """Somebody connects: the greeting."""
        self._smtp, self._line, self._body = port == SMTP, b"", None
        return b"220 post.example ready\r\n" if self._smtp else b"+OK ready\r\n"

    def receive(self, data: bytes) -> bytes:
        """What it says to that."""
        if self._body is not None:
            return self._more(data)
        *lines, self._line = (self._line + data).split(b"\r\n")
        said = b""
        for number, line in enumerate(lines):
            said += self._smtp_says(line.upper()) if self._smtp else self._pop3_says(line.upper())
            if self._body is not None:
                rest = b"\r\n".join([*lines[number + 1 :], self._line])
                self._line = b""
                return said + self._more(rest)
        return said

    def _more(self, data: bytes) -> bytes:
        assert self._body is not None
        begin = max(0, len(self._body) - len(LETTER_END))
        self._body += data
        if self._body.find(LETTER_END, begin) < 0:
            return b""
        self.taken, self._body = bytes(self._body), None
        return b"250 taken\r\n"

    def _smtp_says(self, line: bytes) -> bytes:
        if line == b"DATA":
            self._body = bytearray()
            return b"354 go on\r\n"
        return b"221 bye\r\n" if line == b"QUIT" else b"250 fine\r\n"

    def _pop3_says(self, line: bytes) -> bytes:
        self.gives = line.startswith(b"RETR")
        if self.gives:
            return b"+OK\r\n" + self.mail + b".\r\n"
        if line == b"STAT":
            return b"+OK 1 %d\r\n" % len(self.mail)
        if line.startswith((b"LIST", b"UIDL")) and len(line) > 4:
            return b"+OK 1 %d\r\n" % len(self.mail)
        if line in (b"LIST", b"UIDL"):
            return b"+OK\r\n1 %d\r\n.\r\n" % len(self.mail)
        return b"-ERR no\r\n" if line in (b"CAPA", b"AUTH") else b"+OK\r\n"
