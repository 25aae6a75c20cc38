"""Mail of a program for WIPSoft 5.57 modules: sessions of SMTP and POP3, and their options (5.1, 5.3.7.4, 5.3.7.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from matrix.mail import LONG_BYTES, Incoming, Letter, MailProgram, Outgoing
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_moving import Moving

SMTP, POP3 = 6, 7
SENDER, SENDER_NAME, RECIPIENTS, COPIES, BLIND_COPIES, SUBJECT, HEADER = range(61, 68)


class WipsoftMail(MailProgram):
    """See the module's text."""

    codes: ClassVar = {
        "refused": "842",
        "silent": "842",
        "unknown name": "842",
        "not ready": "866",
        "no login": "865",
        "wrong password": "862",
        "unknown user": "861",
        "sender": "880",
        "recipient": "881",
        "copy": "882",
        "blind copy": "883",
        "body": "884",
        "list": "864",
        "retrieve": "867",
        "delete": "863",
        "closed": "841",
        "reset": "843",
    }
    dotted = True

    def __init__(self, host: WipsoftHost) -> None:
        self.host = host

    @contextmanager
    def _session(self, protocol: int, place: str, user: str, password: str) -> Iterator[None]:
        login = f',"{user}","{password}"' if user else ""
        self.host.command(f"AT+WIPCREATE={protocol},1,{place}{login}")
        self.host.event(f"+WIPREADY: {protocol},1", limit_s=40)
        try:
            yield
        finally:
            self.host.command(f"AT+WIPCLOSE={protocol},1", limit_s=30)

    @contextmanager
    def outgoing(self, server: str, port: int, user: str = "", password: str = "") -> Iterator[WipsoftOutgoing]:
        with self._session(SMTP, f'"{server}",{port}', user, password):
            yield WipsoftOutgoing(self.host)

    @contextmanager
    def incoming(self, server: str, port: int, user: str, password: str) -> Iterator[WipsoftIncoming]:
        with self._session(POP3, f'"{server}",{port}', user, password):
            yield WipsoftIncoming(self.host)


class WipsoftOutgoing(Outgoing):
    """A session whose options the next mail is made of."""

    def __init__(self, host: WipsoftHost) -> None:
        self._host = host
        self.moving = Moving(host)

    def option(self, number: int, value: str | int) -> None:
        """Set an option."""
        text = f'"{value}"' if isinstance(value, str) else value
        self._host.command(f"AT+WIPOPT={SMTP},1,2,{number},{text}")

    def status(self) -> tuple[int, str]:
        """Option 60: what the server said last."""
        match = re.fullmatch(r'\+WIPOPT: 6,60,(\d+),"([^"]*)"', self._host.command(f"AT+WIPOPT={SMTP},1,1,60"))
        assert match
        return int(match[1]), match[2]

    def write_header(self, letter: Letter) -> None:
        """The options of a mail."""
        for number, value in (
            (SENDER, letter.sender), (SENDER_NAME, letter.sender_name), (RECIPIENTS, ", ".join(letter.recipients)),
            (COPIES, ", ".join(letter.copies)), (BLIND_COPIES, ", ".join(letter.blind_copies)), (SUBJECT, letter.subject),
        ):  # fmt: skip
            self.option(number, value)

    def begin(self, letter: Letter) -> None:
        self.write_header(letter)
        self.moving.opened("6,1,2")

    def answered(self) -> None:
        self.moving.answered()

    def send(self, letter: Letter) -> None:
        self.write_header(letter)
        give = self.moving.give_carelessly if len(letter.body) < LONG_BYTES else self.moving.give
        give("6,1,2", letter.body)


class WipsoftIncoming(Incoming):
    """A session with a box."""

    def __init__(self, host: WipsoftHost) -> None:
        self._host = host
        self.moving = Moving(host)
        self._left: list[int] | None = None

    def option(self, number: int) -> list[str]:
        """The values of an option that is read."""
        said = self._host.command(f"AT+WIPOPT={POP3},1,1,{number}", limit_s=30)
        return [line.removeprefix(f"+WIPOPT: 7,{number},").strip('"') for line in said.split(" | ") if line]

    def sizes(self) -> dict[int, int]:
        """Option 73: number and size of each mail."""
        return {int(mail): int(size) for mail, size in (line.split(",") for line in self.option(73))}

    def delete(self, mail: int) -> None:
        """Option 74."""
        self._host.command(f"AT+WIPOPT={POP3},1,2,74,{mail}")

    def take(self, *, header: bool = True) -> bytes | None:
        """The first mail that is left of those that are listed at first; the module shows every header."""
        if self._left is None:
            self._left = list(self.sizes())
        if not self._left:
            return None
        mail = self.moving.fetch(f'7,1,3,"{self._left.pop(0)}"')
        return mail if header else mail.partition(b"\r\n\r\n")[2]
