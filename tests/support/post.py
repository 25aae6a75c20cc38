"""A mail server that others wrote (aiosmtpd), on the event loop of the test that asks."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from gateway.model.services import OpenSmtp
from gateway.model.values import Endpoint
from support.client import ONE


class Post:
    """A server's letters, and whom it does not know."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.unknown: set[str] = set()
        self.sessions: list[Session] = []
        self.body_answer = "250 OK"
        self.place = Endpoint("127.0.0.1", 0)
        self.domains: list[str] = []

    async def handle_EHLO(self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]) -> Any:
        session.host_name = name
        self.domains.append(name)
        return answers

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 Who is this"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return f"550 No {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.letters.append(envelope)
        self.sessions.append(session)
        return self.body_answer

    def open(self, **options: Any) -> OpenSmtp:
        return OpenSmtp(ONE, self.place, **options)


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"meter", b"s\xe4cret")
    return AuthResult(success=good, handled=False)


@asynccontextmanager
async def post(tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[Post]:
    """A server."""
    made = Post()
    loop = asyncio.get_running_loop()
    options = {"data_size_limit": None, "auth_require_tls": False, "authenticator": _check} | options
    protocols: list[SMTP] = []

    def connected() -> SMTP:
        with warnings.catch_warnings(action="ignore"):  # of log-in without TLS, which is meant
            protocols.append(SMTP(made, **options))
        return protocols[-1]

    server = await loop.create_server(connected, "127.0.0.1", 0, ssl=tls)
    made.place = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield made
    finally:
        server.close()
        for protocol in protocols:
            if protocol.transport is not None:
                protocol.transport.abort()
