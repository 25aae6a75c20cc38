"""What a link tells, kept and waited for; and the other end of a line, asked without stopping the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from support.rig import Terminal

from gateway.links.link import Link
from gateway.links.make import make_link
from gateway.links.net import ListenLink
from gateway.links.spec import parse_link

EVERY = bytes(range(256))
MIB = 1 << 20


class Ear:
    """The owner of a link: remembers all that it was told."""

    def __init__(self, text: str) -> None:
        self.link: Link = make_link(parse_link(text))
        self.heard = bytearray()
        self.lost = 0
        self.congestion: list[bool] = []
        self.signals: list[bool] = []
        self._taken = 0
        self._news = asyncio.Event()
        self.link.on_data = self._data
        self.link.on_lost = self._lost
        self.link.on_congestion = self._congestion
        self.link.on_ready_signal = self._signal

    def _data(self, data: bytes) -> None:
        assert data, "no bytes are not worth a call"
        self.heard += data
        self._news.set()

    def _lost(self) -> None:
        self.lost += 1
        self._news.set()

    def _congestion(self, congested: bool) -> None:
        self.congestion.append(congested)
        self._news.set()

    def _signal(self, ready: bool) -> None:
        self.signals.append(ready)
        self._news.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait until something that the link told makes ``wanted`` true; the test's own limit ends a vain wait."""
        while not wanted():
            self._news.clear()
            await self._news.wait()

    async def take(self, size: int) -> bytes:
        """The next bytes that came."""
        await self.until(lambda: len(self.heard) - self._taken >= size)
        self._taken += size
        return bytes(self.heard[self._taken - size : self._taken])

    async def drained(self) -> None:
        """Wait until everything written has gone out."""
        gone = asyncio.Event()
        self.link.drained(gone.set)
        await gone.wait()


async def listening(text: str = "tcp-listen://127.0.0.1:0") -> tuple[Ear, int]:
    """A link that waits, and its port."""
    ear = Ear(text)
    await ear.link.open()
    assert isinstance(ear.link, ListenLink)
    return ear, ear.link.port


async def signalled(ear: Ear, *signals: bool) -> None:
    """Wait until the link has told these, since the beginning."""
    await ear.until(lambda: len(ear.signals) >= len(signals))
    assert ear.signals == list(signals)


async def take(terminal: Terminal, size: int) -> bytes:
    """So many bytes of the other end of a line."""
    return await asyncio.to_thread(terminal.take, size)


async def say(terminal: Terminal, data: bytes) -> None:
    """Write to the other end of a line; waits as long as the line is full."""
    await asyncio.to_thread(terminal.say, data)


def fill(fd: int, piece: bytes = b"x" * 4096, limit: int = 64 * MIB) -> int:
    """Write until the line takes no more just now; how much it took."""
    sent = 0
    while sent < limit:
        try:
            sent += os.write(fd, piece)
        except BlockingIOError:
            break
    return sent


def open_files() -> set[str]:
    """The descriptors of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}
