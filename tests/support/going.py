"""What stands between a client and a real server, and ends every connection after so many bytes, by whatever end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal

from gateway.model.values import Endpoint
from support.rig import resets

How = Literal["end", "reset", "silence"]
Side = Literal["said", "heard"]
PIECE_BYTES = 4096
_PASSIVE = re.compile(rb"\(\|\|\|(\d+)\|\)")
_ACTIVE = re.compile(rb"PORT (\d+,\d+,\d+,\d+),(\d+),(\d+)")


class Between:
    """Carries bytes both ways. With :meth:`cut_after` all connections go once; those that are made later live.

    FTP's control connections are read along, so that data connections come through here too, whoever calls.
    """

    def __init__(self, *, files: bool = False) -> None:
        self.place = Endpoint("127.0.0.1", 0)
        self.said_bytes = self.heard_bytes = 0
        """What the server and the client have said since the last :meth:`cut_after`."""
        self.cuts = 0
        self.returned = 0
        """Connections that were made since."""
        self.happened: Callable[[], None] = lambda: None
        """Called when everything has gone."""
        self._files = files
        self._limit: tuple[Side, int, How] | None = None
        self._servers: list[asyncio.Server] = []
        self._pairs: list[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = []
        self._all: list[asyncio.StreamWriter] = []
        self.alive: set[asyncio.StreamWriter] = set()
        """Ends of clients that have neither closed nor reset."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    def cut_after(self, side: Side, count: int, how: How) -> None:
        """Let so many bytes of a side through, then end or reset everything."""
        self._end_all()
        self.said_bytes = self.heard_bytes = self.cuts = self.returned = 0
        self._limit = side, count, how

    async def until_left(self) -> None:
        """Wait until no client's connection is left open."""
        while self.alive:
            self._news.clear()
            await self._news.wait()

    async def serve(self, to: Endpoint, *, clients: bool = True, port: int = 0) -> int:
        """Listen, for what goes to a place; the port. ``clients``: clients call here, and not servers."""
        server = await asyncio.start_server(lambda r, w: self._took(r, w, to, clients), "127.0.0.1", port)
        self._servers.append(server)
        found: int = server.sockets[0].getsockname()[1]
        return found

    async def close(self) -> None:
        for server in self._servers:
            server.close()
        self._end_all()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await asyncio.sleep(0)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        for writer in self._all:
            writer.transport.abort()
        for task in self._tasks:
            task.cancel()
        self._all.clear()
        self._pairs.clear()
        self.alive.clear()

    async def _took(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: Endpoint, clients: bool
    ) -> None:
        try:
            there, out = await asyncio.open_connection(to.host, to.port)
        except OSError:
            writer.transport.abort()
            return
        (heard, client), (said, server) = (
            ((reader, writer), (there, out)) if clients else ((there, out), (reader, writer))
        )
        self._pairs.append((client, server))
        self.returned += self.cuts
        self._all += client, server
        self.alive.add(client)
        for side, source, sink in (("said", said, client), ("heard", heard, server)):
            self._keep(self._carry(side, source, sink, client, self.cuts))  # type: ignore[arg-type]
        self._look()  # nothing may be let through at all

    def _keep(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(
        self,
        side: Side,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        client: asyncio.StreamWriter,
        cuts: int,
    ) -> None:
        with suppress(OSError, RuntimeError):  # RuntimeError: of a writer that has been ended meanwhile
            while data := await reader.read(PIECE_BYTES):
                if cuts != self.cuts:
                    continue  # the other side is gone and says nothing; what comes for it is nobody's
                data = data[: self._left(side)]
                if side == "said":
                    self.said_bytes += len(data)
                else:
                    self.heard_bytes += len(data)
                if self._files:
                    data = await self._renamed(side, data)
                writer.write(data)
                self._look()
                if cuts == self.cuts:
                    await writer.drain()
            if cuts == self.cuts:
                writer.write_eof()
        if side == "heard":
            self.alive.discard(client)
            self._news.set()
            if cuts != self.cuts:
                client.transport.abort()

    def _left(self, side: Side) -> int | None:
        if self._limit is None or self._limit[0] != side:
            return None
        return self._limit[1] - (self.said_bytes if side == "said" else self.heard_bytes)

    def _look(self) -> None:
        """Cut, when it is time."""
        if self._limit is None or self._left(self._limit[0]) != 0:
            return
        how, self._limit = self._limit[2], None
        self.cuts += 1
        for client, server in self._pairs:
            server.transport.abort()
            if client.transport.is_closing():
                continue
            if how == "reset":
                resets(client.get_extra_info("socket"))
                client.transport.abort()
            elif how == "end":
                client.write_eof()
        self._pairs.clear()
        self.happened()

    async def _renamed(self, side: Side, data: bytes) -> bytes:
        """What FTP says about where data connections go, with a port of ours."""
        if side == "said" and (found := _PASSIVE.search(data)):
            port = await self.serve(Endpoint("127.0.0.1", int(found[1])))
            return data[: found.start(1)] + b"%d" % port + data[found.end(1) :]
        if side == "heard" and (found := _ACTIVE.search(data)):
            place = Endpoint(found[1].decode().replace(",", "."), int(found[2]) * 256 + int(found[3]))
            port = await self.serve(place, clients=False)
            return data[: found.start()] + b"PORT 127,0,0,1,%d,%d" % divmod(port, 256) + data[found.end() :]
        return data


@asynccontextmanager
async def between(to: Endpoint, *, files: bool = False, port: int = 0) -> AsyncIterator[Between]:
    """Somebody between, in front of a server."""
    made = Between(files=files)
    made.place = Endpoint("127.0.0.1", await made.serve(to, port=port))
    try:
        yield made
    finally:
        await made.close()
