"""Servers for files and mail that programs under test can reach: real ones, in threads of this process."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from support.rig import unused_port

USER, PASSWORD = "meter", "s3cret"


class FileServer:
    """FTP, one user, one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
        self.commands: list[str] = []
        commands = self.commands

        class Handler(FTPHandler):  # type: ignore[misc]
            def process_command(self, cmd: str, *args: object, **options: object) -> None:
                commands.append(cmd)
                super().process_command(cmd, *args, **options)

        Handler.authorizer = authorizer
        self._server = ThreadedFTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError, ValueError):  # it is closed while it waits
            self._server.serve_forever(timeout=0.05)

    def close(self) -> None:
        self._server.close_all()
        self._thread.join()


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
