"""A web server of aiohttp's, and a proxy that forwards and opens ways through."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from aiohttp import web

from gateway.model.values import Endpoint


class Web:
    """What was asked of it."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.peers: set[object] = set()
        self.place = Endpoint("127.0.0.1", 0)
        self.scheme = "http"

    def url(self, path: str) -> str:
        return f"{self.scheme}://{self.place.host}:{self.place.port}{path}"

    async def note(self, request: web.Request) -> None:
        self.requests.append(request)
        self.bodies.append(await request.read())
        self.peers.add(request.transport.get_extra_info("peername") if request.transport else None)


Handler = Callable[[Web, web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def web_server(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """A server whose every path is answered by ``handler``."""
    made = Web()

    async def handle(request: web.Request) -> web.StreamResponse:
        await made.note(request)
        return await handler(made, request)

    application = web.Application(client_max_size=1 << 30)
    application.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    made.place = Endpoint("127.0.0.1", runner.addresses[0][1])
    made.scheme = "https" if tls else "http"
    try:
        yield made
    finally:
        await runner.cleanup()


class Proxy:
    """What was asked of it, line by line."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.place = Endpoint("127.0.0.1", 0)
        self.user = b""
        """Who must be told, ``name:password``."""


@asynccontextmanager
async def proxy() -> AsyncIterator[Proxy]:
    """A proxy."""
    made = Proxy()
    writers: list[asyncio.StreamWriter] = []
    tasks: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(4096):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (OSError, EOFError):  # whoever called is gone
            return
        line = head.partition(b"\r\n")[0]
        made.lines.append(line)
        method, target, _ = line.decode().split()
        if made.user and b"Proxy-Authorization: Basic " + base64.b64encode(made.user) not in head:
            writer.write(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
            return
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        there, out = await asyncio.open_connection(parts.hostname, parts.port)
        writers.append(out)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Go\r\n\r\n")
        else:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            out.write(head.replace(target.encode(), path.encode(), 1))
        for way in ((reader, out), (there, writer)):
            task = asyncio.create_task(carry(*way))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    made.place = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield made
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        for task in list(tasks):
            task.cancel()
        await asyncio.sleep(0)
