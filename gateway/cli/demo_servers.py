"""Real servers on loopback for ``at-gateway demo``: TCP, UDP, files, mail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from pathlib import Path
from typing import Any, cast

import aioftp
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "m4711", "s3cret-pass"
HERE = "127.0.0.1"


logging.getLogger("mail.log").setLevel(logging.ERROR)  # the mail server tells there what of itself is deprecated


class Servers:
    """All of them, and what they were given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Whose files the FTP server has."""
        self.received = bytearray()
        """By TCP and UDP."""
        self.letters: list[Envelope] = []
        self.ports: dict[str, int] = {}
        """By service; at ``closed`` nobody listens, and nobody else can while the demonstration runs."""
        self._servers: list[asyncio.Server] = []
        self._ends = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Listen on free ports."""
        loop = asyncio.get_running_loop()
        self._listen("tcp", await asyncio.start_server(self._answer, HERE, 0))
        beacon, _ = await loop.create_datagram_endpoint(lambda: _Beacon(self.received), local_addr=(HERE, 0))
        self._ends.callback(beacon.close)
        self.ports["udp"] = beacon.get_extra_info("sockname")[1]
        closed = self._ends.enter_context(socket.socket())
        closed.bind((HERE, 0))
        self.ports["closed"] = closed.getsockname()[1]
        self.folder.mkdir()
        may = [aioftp.Permission("/", readable=True, writable=True)]
        files = aioftp.Server([aioftp.User(USER, PASSWORD, base_path=self.folder, permissions=may)])
        await files.start(HERE, 0)
        self._ends.push_async_callback(files.close)
        self.ports["ftp"] = files.server_port
        self._listen("mail", await loop.create_server(self._post_office, HERE, 0))

    async def stop(self) -> None:
        """Stop listening."""
        await self._ends.aclose()
        for server in self._servers:
            server.close()

    def _listen(self, service: str, server: asyncio.Server) -> None:
        self._servers.append(server)
        self.ports[service] = server.sockets[0].getsockname()[1]

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                self.received += data
                writer.write(b"ACK " + data if data.startswith(b"METER") else data)
                await writer.drain()
        writer.close()

    def _post_office(self) -> SMTP:
        return SMTP(
            self, hostname="mail.example", authenticator=_known, auth_require_tls=False, loop=asyncio.get_running_loop()
        )

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """A letter has come."""
        self.letters.append(envelope)
        return "250 taken"


class _Beacon(asyncio.DatagramProtocol):
    def __init__(self, received: bytearray) -> None:
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self._received += data
        assert self._transport is not None
        self._transport.sendto(b"seen " + data, addr)


def _known(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object) -> AuthResult:
    return AuthResult(success=login == LoginPassword(USER.encode(), PASSWORD.encode()))


def text_of(letter: Envelope) -> str:
    """All that came behind DATA."""
    content = letter.content or b""
    return content if isinstance(content, str) else content.decode("latin-1")
