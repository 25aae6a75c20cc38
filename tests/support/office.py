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
        self.unknown: set[str] = set()
        self.port = unused_port()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, authenticator=_check, auth_require_tls=False
        )
        self._controller.start()

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
        self.letters.append(envelope)
        return "250 OK"

    def close(self) -> None:
        if self._controller.loop.is_running():
            self._controller.stop()


def _check(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and data == LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=known, handled=known)
