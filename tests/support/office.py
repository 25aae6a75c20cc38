"""A server for mail that programs under test can reach: a real one, in a thread of this process."""

from __future__ import annotations

from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.rig import unused_port

USER, PASSWORD = "meter", "s3cret"


class PostOffice:
    """SMTP; keeps what it was given."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.greetings: list[str] = []
        """By what names its clients have greeted it."""
        self.users: list[bytes] = []
        """Who has logged in."""
        self.unknown: set[str] = set()
        self.body_answer = "250 OK"
        self.port = unused_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=self._check, auth_require_tls=False
        )
        self._controller.start()

    def forget(self) -> None:
        """As if nobody had ever come, and with everybody known."""
        self.letters.clear()
        self.greetings.clear()
        self.users.clear()
        self.unknown.clear()
        self.body_answer = "250 OK"

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        del server, envelope
        session.host_name = name
        self.greetings.append(name)
        return answers

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session
        if address in self.unknown:
            return "550 Who is this"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        del server, session, options
        if address in self.unknown:
            return f"550 No {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        del server, session
        if self.body_answer.startswith("250"):
            self.letters.append(envelope)
        return self.body_answer

    def close(self) -> None:
        if self._controller.loop.is_running():
            self._controller.stop()

    def _check(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        del server, session, envelope, mechanism
        known = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
        if known:
            self.users.append(data.login)
        return AuthResult(success=known, handled=known)
