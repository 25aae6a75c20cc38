"""Mail in (RFC 1939), over any connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from gateway.model.causes import Cause
from gateway.model.results import Done, Result
from gateway.model.services import Begun, DeleteMail, FetchMail, ListMail, MailList, OpenPop3, ServiceRequest
from gateway.native import tls
from gateway.native.mailtext import BodyDecoder
from gateway.native.network import NetworkFailure, write
from gateway.native.service import Exchange, Kit, Refused, Service

READ_BYTES = 65536
CLEAR_PORT = 110
"""Where a secure session begins in the clear (RFC 2595); at other ports TLS comes first (RFC 8314)."""
LIST_LIMIT_BYTES = 1 << 20


class Pop3(Service):
    """One session. Deleted is what was marked when goodbye was said; a session that breaks deletes nothing."""

    def __init__(self, kit: Kit, request: OpenPop3) -> None:
        super().__init__(kit)
        self._request = request
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> None:
        """Log in."""
        request = self._request
        starts_tls = request.secure and request.server.port == CLEAR_PORT
        self._streams = await self.kit.dialer.open(request.server, secure=request.secure and not starts_tls)
        await self._answer(Cause.SERVER_NOT_READY)
        if starts_tls:
            await self._ask("STLS", Cause.OPEN_FAILED)
            self._streams = await tls.upgrade(*self._streams, self.kit.trust(), request.server.host)
        await self._ask(f"USER {request.user}", Cause.SERVER_USER)
        await self._ask(f"PASS {request.password}", Cause.SERVER_PASSWORD)

    async def work(self, request: ServiceRequest, exchange: Exchange) -> Result:
        """One request."""
        match request:
            case ListMail():
                return Done(MailList(await self._list()))
            case FetchMail():
                await self._fetch(request, exchange)
            case DeleteMail(number=number):
                await self._ask(f"DELE {number}", Cause.SERVER_DELETE)
            case _:
                raise Refused(Cause.NOT_SUPPORTED)
        return Done()

    async def quit(self) -> None:
        """Say goodbye; the server then deletes what was marked, or says that it could not."""
        await self._ask("QUIT", Cause.SERVER_DELETE)

    def cut(self) -> None:
        """End the connection."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._streams is not None

    async def idle(self) -> Cause:
        """The server says nothing unasked, but when it closes."""
        await self._open[0].readline()
        return Cause.CLOSED_BY_PEER

    # -- inside --------------------------------------------------------------------------------------------------------

    async def _list(self) -> tuple[tuple[int, int], ...]:
        await self._ask("LIST", Cause.SERVER_LIST)
        text = b"".join([part async for part in self._lines(LIST_LIMIT_BYTES)])
        mails = []
        for line in text.splitlines():
            words = line.split()
            if len(words) < 2 or not (words[0].isdigit() and words[1].isdigit()):
                raise NetworkFailure(Cause.SERVER_LIST, line.decode("latin-1"))
            mails.append((int(words[0]), int(words[1])))
        return tuple(mails)

    async def _fetch(self, request: FetchMail, exchange: Exchange) -> None:
        size = await self._size(request.number) if request.header else None
        await self._ask(f"RETR {request.number}", Cause.SERVER_RETRIEVE)
        exchange.begun(Begun(size))
        async for part in self._lines(header=request.header):
            await exchange.deliver(part)

    async def _size(self, number: int) -> int | None:
        """Of a mail; what it is on the way may differ (RFC 1939, 11)."""
        words = (await self._ask(f"LIST {number}", Cause.SERVER_RETRIEVE)).split()
        return int(words[1]) if len(words) > 1 and words[1].isascii() and words[1].isdigit() else None

    async def _lines(self, limit_bytes: int | None = None, *, header: bool = True) -> AsyncIterator[bytes]:
        """What stands behind an answer, in pieces."""
        reader, decoder, size = self._open[0], BodyDecoder(header=header), 0
        while not decoder.finished:
            data = await self.kit.within(reader.read(READ_BYTES))
            if not data:
                raise NetworkFailure(Cause.CLOSED_BY_PEER)
            part = decoder.decode(data)
            size += len(part)
            if limit_bytes is not None and size > limit_bytes:
                raise NetworkFailure(Cause.OUT_OF_MEMORY, f"more than {limit_bytes} bytes")
            if part:
                yield part

    @property
    def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is None:
            raise NetworkFailure(Cause.CLOSED_BY_PEER)
        return self._streams

    async def _ask(self, command: str, cause: Cause) -> str:
        """The text of the server's yes. Raises :class:`Refused` with ``cause`` for its no."""
        line = command.encode("latin-1", "replace")
        if any(byte < 32 for byte in line):
            raise Refused(Cause.BAD_VALUE, "a control character")
        await self.kit.within(write(self._open[1], line + b"\r\n"))
        return await self._answer(cause)

    async def _answer(self, cause: Cause) -> str:
        line = await self.kit.within(self._open[0].readline())
        if not line.endswith(b"\n"):
            raise NetworkFailure(Cause.CLOSED_BY_PEER)
        text = line.decode("latin-1").strip()
        if text[:3] == "+OK":
            return text[4:]
        if text[:4] == "-ERR":
            raise Refused(cause, text)
        raise NetworkFailure(Cause.SERVER_NOT_READY, text[:100])
