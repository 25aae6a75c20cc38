"""What every engine of a service is given, and gives: one session with a server, worked by one request at a time."""

from __future__ import annotations

import asyncio
import logging
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from gateway.model.causes import Cause
from gateway.model.findings import Finding
from gateway.model.results import Result
from gateway.model.services import Begun, ServiceRequest
from gateway.native.dialer import Dialer
from gateway.native.network import NetworkFailure, cause_of, write

log = logging.getLogger("gateway.native")

UPLOAD_LIMIT_BYTES = 65536
"""Bytes from the host that the server has not taken; beyond this the host is asked to wait."""
DELIVERY_LIMIT_BYTES = 8192
"""Of one piece for the host, who can say behind each that it is enough."""
PROGRESS_LIMIT_S = 60.0
"""Longer a server may not be silent when it is its turn, nor take nothing of what is sent."""
GOODBYE_LIMIT_S = 10.0
WRITE_BYTES = 4096
"""Sent at once: a slow module must be able to take so much within the limit."""
AT_ONCE_S = 0.01
WRITE_MOST_BYTES = 16384
"""To one that never lets wait."""

Value = TypeVar("Value")


class Refused(NetworkFailure):
    """The server said no; the session goes on."""


class Upload:
    """What the host sends for one request, and the end of it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._parts: deque[bytes] = deque()
        self._size_bytes = 0
        self._news = asyncio.Event()
        self._failure: Exception | None = None
        self.ended = False

    @property
    def congested(self) -> bool:
        """Whether the host should wait."""
        return self._size_bytes > UPLOAD_LIMIT_BYTES

    def put(self, data: bytes) -> None:
        """More of it; nothing once it has ended, or is of no use any more."""
        if self.ended or self._failure is not None or not data:
            return
        self._parts.append(data)
        self._size_bytes += len(data)
        self._news.set()
        self._changed()

    def end(self) -> None:
        """That was all."""
        self.ended = True
        self._news.set()

    def fail(self, failure: Exception) -> None:
        """No more is of use: whoever reads is told so."""
        self._failure = self._failure or failure
        self._parts.clear()
        self._size_bytes = 0
        self._news.set()
        self._changed()

    async def read(self) -> bytes:
        """What there is, or the next that comes; empty at the end."""
        while not self._parts and not self.ended and self._failure is None:
            self._news.clear()
            await self._news.wait()
        if self._failure is not None:
            raise self._failure
        data = b"".join(self._parts)
        self._parts.clear()
        self._size_bytes = 0
        self._changed()
        return data

    async def read_all(self, limit_bytes: int) -> bytes:
        """Everything. Raises :class:`NetworkFailure` when that is more than ``limit_bytes``."""
        whole = bytearray()
        while data := await self.read():
            whole += data
            if len(whole) > limit_bytes:
                raise NetworkFailure(
                    Cause.OUT_OF_MEMORY, f"more than {limit_bytes} bytes, and they must be counted first"
                )
        return bytes(whole)


@dataclass(slots=True)
class Exchange:
    """One request's way to the host and back."""

    begun: Callable[[Begun], None]
    deliver: Callable[[bytes], Awaitable[None]]
    """Bytes for the host; waits while it takes none."""
    upload: Upload


@dataclass(slots=True)
class Kit:
    """What a service needs of the world."""

    dialer: Dialer
    found: Callable[[Finding], None]
    trust: Callable[[], ssl.SSLContext]
    """How to speak TLS where a connection becomes secure on the way."""
    progress_limit_s: float = PROGRESS_LIMIT_S
    _write_bytes: int = WRITE_BYTES

    async def within(self, work: Awaitable[Value]) -> Value:
        """The result of what the server must do in time. Raises :class:`TimeoutError`."""
        async with asyncio.timeout(self.progress_limit_s):
            return await work

    async def send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        """Write what the server must take in time, piece by piece."""
        clock = asyncio.get_running_loop().time
        at = 0
        while at < len(data):
            begun = clock()
            await self.within(write(writer, data[at : at + self._write_bytes]))
            at += self._write_bytes
            waited = clock() - begun > AT_ONCE_S
            self._write_bytes = WRITE_BYTES if waited else min(2 * self._write_bytes, WRITE_MOST_BYTES)


class Service(ABC):
    """A session with a server.

    A failure is raised: :class:`Refused` where the session goes on; after another one, or when it was cancelled, it is
    cut.
    """

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    @abstractmethod
    async def open(self) -> None:
        """Connect and log in. Also used after :meth:`cut`, when another request comes."""

    @abstractmethod
    async def work(self, request: ServiceRequest, exchange: Exchange) -> Result:
        """One request."""

    @abstractmethod
    async def quit(self) -> None:
        """Say goodbye."""

    @abstractmethod
    def cut(self) -> None:
        """End the connection at once."""

    @property
    @abstractmethod
    def connected(self) -> bool:
        """Whether there is a connection; without one the next request opens it again."""

    async def idle(self) -> Cause:
        """Wait until the server ends the session while nothing is asked of it; may be cancelled at any time."""
        await asyncio.Event().wait()
        raise AssertionError("this is never set")


def failure_of(error: Exception) -> NetworkFailure | None:
    """An exception of a connection or a library as the failure that it stands for; None for our own faults."""
    match error:
        case NetworkFailure():
            return error
        case TimeoutError():
            return NetworkFailure(Cause.TIMED_OUT)
        case ssl.SSLError():
            return NetworkFailure(Cause.OPEN_FAILED, f"TLS: {error}")
        case ConnectionError() if error.errno is None:
            return NetworkFailure(Cause.CLOSED_BY_PEER, str(error))
        case OSError():
            return NetworkFailure(cause_of(error), str(error))
        case EOFError():
            return NetworkFailure(Cause.CLOSED_BY_PEER)
        case asyncio.LimitOverrunError() | ValueError():
            return NetworkFailure(Cause.SERVER_NOT_READY, f"the server makes no sense: {error}")
        case _:
            return None


async def hang_up(writer: asyncio.StreamWriter, limit_s: float) -> None:
    """Close after what was written has been sent; at the limit at once. Raises what broke the connection."""
    writer.close()
    try:
        async with asyncio.timeout(limit_s):
            await writer.wait_closed()
    except TimeoutError:
        writer.transport.abort()
        raise
