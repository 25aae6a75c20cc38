"""The place of a session above the engines of services: asks, sends, and keeps what is told."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from gateway.model.events import Event, Received
from gateway.model.findings import Finding
from gateway.model.requests import Request, ShutdownTcp
from gateway.model.results import Done, Failed, Progress, Result
from gateway.model.services import Begun, ServiceRequest
from gateway.model.values import HostSocket, Ticket
from gateway.native.dialer import ComputerDialer
from gateway.native.engine import NativeEngine
from gateway.native.services import ServiceEngine
from support.pipe import PipeDialer

ONE, TWO = HostSocket(1), HostSocket(2)
EVERY = bytes(range(256))
WAYS = ("computer", "tunnel")
"""Every engine is tried over this computer's sockets, and over what is none."""
LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop]
"""Of asyncio's kind, and the one that the program has where there is one."""
try:
    import uvloop

    LOOPS.append(uvloop.new_event_loop)
except ImportError:
    pass


class Client:
    """Asks an engine of its own."""

    def __init__(self, way: str, trust: ssl.SSLContext | None = None, limit_s: float = 60.0) -> None:
        self.dialer = ComputerDialer(trust=trust) if way == "computer" else PipeDialer(trust=trust)
        self.results: dict[Ticket, Result] = {}
        self.begun: dict[Ticket, list[Progress]] = {}
        self.events: list[Event] = []
        self.findings: list[Finding] = []
        self.data = bytearray()
        """What came for the host."""
        self.congestions: list[bool] = []
        self.asked: list[Ticket] = []
        self._tickets = itertools.count(1)
        self._news = asyncio.Event()
        self.engine: ServiceEngine | NativeEngine = ServiceEngine(
            self._answered,
            self._happened,
            self._congested,
            self.dialer,
            found=self.findings.append,
            trust=trust,
            progress_limit_s=limit_s,
        )

    def _answered(self, ticket: Ticket, result: Result | Progress) -> None:
        assert ticket not in self.results, "a request has one result"
        if isinstance(result, Done | Failed):
            self.results[ticket] = result
        else:
            self.begun.setdefault(ticket, []).append(result)
        self._news.set()

    def _happened(self, event: Event) -> None:
        if isinstance(event, Received):
            self.data += event.data
        self.events.append(event)
        self._news.set()

    def _congested(self) -> None:
        self.congestions.append(self.engine.congested)
        self._news.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Wait for news that make ``wanted`` true; the test's limit ends a vain wait."""
        while not wanted():
            self._news.clear()
            await self._news.wait()

    def submit(self, request: Request) -> Ticket:
        """Ask without waiting."""
        ticket = Ticket(next(self._tickets))
        self.asked.append(ticket)
        self.engine.submit(ticket, request)  # type: ignore[arg-type]
        return ticket

    async def result(self, ticket: Ticket) -> Result:
        """How a request ended."""
        await self.until(lambda: ticket in self.results)
        return self.results[ticket]

    async def ask(self, request: Request) -> Result:
        """Ask; the result."""
        return await self.result(self.submit(request))

    async def done(self, request: Request) -> Any:
        """Ask for what must work; the value of its result."""
        result = await self.ask(request)
        assert isinstance(result, Done), result
        return result.value

    async def fails(self, request: Request) -> Failed:
        """Ask for what must not work."""
        result = await self.ask(request)
        assert isinstance(result, Failed), result
        return result

    async def fetch(self, request: ServiceRequest) -> bytes:
        """Ask for data that must come."""
        self.data.clear()
        await self.done(request)
        return bytes(self.data)

    async def begins(self, ticket: Ticket, count: int = 1) -> Begun:
        """Wait until a request has begun, so many times."""
        await self.until(lambda: ticket in self.results or len(self.begun.get(ticket, [])) >= count)
        assert len(self.begun.get(ticket, [])) >= count, self.results[ticket]
        begun = self.begun[ticket][count - 1]
        assert isinstance(begun, Begun)
        return begun

    async def send(self, request: ServiceRequest, data: bytes, piece: int = 4000) -> Result:
        """Ask for what takes data, and send them, as slowly as is asked for."""
        ticket = self.submit(request)
        await self.until(lambda: ticket in self.results or ticket in self.begun)
        session: HostSocket = request.session  # type: ignore[union-attr]
        for at in range(0, len(data), piece):
            await self.until(lambda: ticket in self.results or not self.engine.congested)
            self.engine.payload(session, data[at : at + piece])
        self.submit(ShutdownTcp(session))
        return await self.result(ticket)


@asynccontextmanager
async def client(way: str, **options: Any) -> AsyncIterator[Client]:
    """A client that ends with the test."""
    made = Client(way, **options)
    try:
        yield made
    finally:
        await made.engine.shut()
        if isinstance(made.dialer, PipeDialer):
            await made.dialer.close()
        await asyncio.sleep(0)
