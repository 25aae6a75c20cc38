"""A mail box that speaks TLS, first or on the way: the POP3 servers that others wrote do not where the tests run."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.model.values import Endpoint


@asynccontextmanager
async def secure_box(context: ssl.SSLContext, *, first: bool, mail: bytes) -> AsyncIterator[Endpoint]:
    """A server with one mail, whoever asks; the mail is as it stands on the line."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(b"+OK\r\n")
        while line := await reader.readline():
            answers = {
                b"LIST\r\n": b"+OK\r\n1 %d\r\n.\r\n" % len(mail),
                b"LIST 1\r\n": b"+OK 1 %d\r\n" % len(mail),
                b"RETR 1\r\n": b"+OK\r\n" + mail + b"\r\n.\r\n",
            }
            writer.write(answers.get(line, b"+OK\r\n"))
            if line.startswith(b"STLS"):
                await writer.start_tls(context)
            if line.startswith(b"QUIT"):
                break
        writer.close()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, EOFError):  # whoever asked is gone
            writer.transport.abort()

    server = await asyncio.start_server(served, "127.0.0.1", 0, ssl=context if first else None)
    try:
        yield Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)
