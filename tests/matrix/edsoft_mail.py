"""Mail of a program for eDSoft modules: one command opens a server, does one thing and closes it (ch. 3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from matrix.edsoft import EdsoftHost
from matrix.host import OK, Failure, pieces
from matrix.mail import LONG_BYTES, Incoming, Letter, MailProgram, Outgoing

WAITING = b"\r\nOk_Info_WaitingForData\r\n"
MAIL = b"\r\nOk_Info_Mail\r\n"
NO_MAIL = b"\r\nOk_Info_NoMail\r\n"
ERROR = b"ERROR: "
END = b"\r\n.\r\n"
CTRL_Z = b"\x1a"


class EdsoftMail(MailProgram):
    """See the module's text."""

    codes: ClassVar = {
        "refused": "38016",
        "silent": "37964",
        "unknown name": "38027",
        "not ready": "38016",
        "no login": "38080",
        "wrong password": "38081",
        "unknown user": "38080",
        "sender": "38028",
        "recipient": "38029",
        "copy": "38030",
        "body": "38031",
        "list": "38026",
        "retrieve": "38025",
        "delete": "38023",
        "closed": "37966",
        "reset": "37952",
    }
    dotted = False

    def __init__(self, host: EdsoftHost) -> None:
        self.host = host

    def set(self, **values: str | int) -> None:
        """Parameters, in one line."""
        texts = (f'#{name}="{value}"' if isinstance(value, str) else f"#{name}={value}" for name, value in values.items())
        self.host.command("AT" + ";".join(texts))

    @contextmanager
    def outgoing(self, server: str, port: int, user: str = "", password: str = "") -> Iterator[Outgoing]:
        self.set(SMTPSERV=server, SMTPPORT=port, SMTPUN=user, SMTPPW=password, DOMAIN="meter.here.example")
        yield EdsoftOutgoing(self)

    @contextmanager
    def incoming(self, server: str, port: int, user: str, password: str) -> Iterator[Incoming]:
        self.set(POP3SERV=server, POP3PORT=port, POP3UN=user, POP3PW=password)
        yield EdsoftIncoming(self)


class EdsoftOutgoing(Outgoing):
    """Parameters that the next mail is made of."""

    def __init__(self, mail: EdsoftMail) -> None:
        self._mail, self._host, self._line = mail, mail.host, mail.host.line

    def write_header(self, letter: Letter, number: int = 1) -> None:
        """The parameters of a mail; several recipients by text."""
        self._mail.set(SENDERADDR=letter.sender, SENDERNAME=letter.sender_name)
        copies = ";".join(letter.copies)
        self._mail.set(**{f"SUBJ{number}": letter.subject, f"CCREC{number}": copies})
        if len(letter.recipients) == 1:
            self._mail.set(**{f"REC{number}": letter.recipients[0]})
        else:
            self._line.say(f"AT#REC{number}ADD\r".encode() + "\r\n".join(letter.recipients).encode() + CTRL_Z)
            self._host.hear(OK)

    def send(self, letter: Letter) -> None:
        """AT#PUTMAIL; the last line's own end is the begin of the sequence."""
        self.begin(letter)
        self.end(letter.body)

    def begin(self, letter: Letter) -> None:
        assert not letter.blind_copies
        self.write_header(letter)
        self.enter()

    def enter(self) -> None:
        """AT#PUTMAIL with the parameters that there are."""
        self._line.say(b"AT#PUTMAIL\r")
        said = self._line.until(WAITING, ERROR, limit_s=40)
        if said.endswith(ERROR):
            raise Failure(self._line.until(b"\r\n").decode().strip())
        assert said == WAITING, said

    def end(self, body: bytes) -> None:
        """The body, carelessly unless it is long, and the sequence; the server's word."""
        data = body.removesuffix(b"\r\n") + END
        for piece in pieces(data) if len(data) < LONG_BYTES else (data,):
            self._line.say(piece)
        self.answered()

    def answered(self) -> None:
        said = self._line.until(OK, ERROR, limit_s=40)
        if said.endswith(ERROR):
            assert said == b"\r\n#CME ERROR: ", said
            raise Failure(self._line.until(b"\r\n").decode().strip())
        assert said == OK, said

    def send_stored(self, letter: Letter, number: int) -> None:
        """AT#BODYn by text, AT#SENDMAILn."""
        self.write_header(letter, number)
        self._line.say(b"AT#BODY%d\r" % number + letter.body + CTRL_Z)
        self._host.hear(OK)
        self._host.command(f"AT#SENDMAIL{number}", limit_s=40)


class EdsoftIncoming(Incoming):
    """AT#GETMAIL gives the first mail and deletes it."""

    def __init__(self, mail: EdsoftMail) -> None:
        self._mail, self._host, self._line = mail, mail.host, mail.host.line

    def take(self, *, header: bool = True) -> bytes | None:
        self._mail.set(POP3HEADERMODE=int(header))
        self._line.say(b"AT#GETMAIL\r")
        said = self._line.until(MAIL, NO_MAIL, ERROR, limit_s=40)
        if said.endswith(ERROR):
            raise Failure(self._line.until(b"\r\n").decode().strip())
        if said == NO_MAIL:
            return None
        assert said == MAIL, said
        text = self._line.take(3)
        if text != END[2:]:
            text += self._line.until(END, limit_s=60)
        answer = self._line.until(OK, b"\r\n", limit_s=40)
        if answer == b"\r\n":
            answer += self._line.until(b"\r\n")
        if answer != OK:
            raise Failure(self._host.code(answer.decode().strip()))
        return re.sub(rb"(^|\r\n)\.", rb"\1", text.removesuffix(END[2:]))
