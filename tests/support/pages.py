"""A web server for programs under test: aiohttp's, in a thread of this process; and a centre for multimedia messages."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import ssl
import threading

from aiohttp import web

from support.web import Web, web_server

EVERY = bytes(range(256))
PAGE = random.Random(5).randbytes(3000) + EVERY + b"\x03\x10\x10\x03"
LARGE = random.Random(6).randbytes(300 << 10)
USER, PASSWORD = "anna", "pa9e-s3cret"
LOGIN = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
WORDS = b'\r\n\x03\r\nOK\r\n\r\n+WIPFILE: 5,1,1,200,"OK"\r\n'
"""A page that reads like what a module says."""


def confirmation(status: int = 0x80) -> bytes:
    """What a centre says to a message: it has taken it (OMA-TS-MMS-ENC 1.2, 6.1.2), or why not."""
    return b"\x8c\x81\x98T1\0\x8d\x92\x92" + bytes([status]) + b"\x8bid-7\0"


class Pages:
    """What it answers is decided by the path; what it was asked is kept in ``web``."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.web = Web()
        self.confirmation = confirmation()
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(15)

    @property
    def port(self) -> int:
        """Where it is."""
        return self.web.place.port

    def forget(self) -> None:
        """As if nobody had ever asked."""
        self.web.requests.clear()
        self.web.bodies.clear()
        self.web.peers.clear()
        self.confirmation = confirmation()

    async def _serve(self) -> None:
        async with web_server(self._answer, self._tls) as made:
            self.web = made
            self._ready.set()
            await self._end.wait()

    async def _answer(self, made: Web, request: web.Request) -> web.StreamResponse:
        match request.path.strip("/").split("/"):
            case ["status", code]:
                return web.Response(status=int(code), text=f"this is {code}")
            case ["moved", code, *where]:
                return web.Response(status=int(code), headers={"Location": "/" + "/".join(where)}, text="it is elsewhere")
            case ["login"] if request.headers.get("Authorization") != LOGIN:
                return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
            case ["chunked"]:
                return await _in_pieces(request, PAGE)
            case ["large", size]:
                return web.Response(body=LARGE[: int(size)])
            case ["words"]:
                return web.Response(body=WORDS)
            case ["empty"]:
                return web.Response(status=204)
            case ["mms"]:
                return web.Response(body=self.confirmation, content_type="application/vnd.wap.mms-message")
        return web.Response(body=b"" if request.path == "/nothing" else PAGE)

    def close(self) -> None:
        if not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._loop.close()


async def _in_pieces(request: web.Request, data: bytes) -> web.StreamResponse:
    """Chunks of odd sizes, whose length is not told before."""
    answer = web.StreamResponse()
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    sizes, at = random.Random(1), 0
    while at < len(data):
        size = sizes.choice((1, 7, 100, 1000))
        await answer.write(data[at : at + size])
        at += size
    await answer.write_eof()
    return answer
