"""Services that a module has not, worked over its sockets: the engines joined to a bridge."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from gateway.model.causes import Cause
from gateway.model.events import Event
from gateway.model.findings import Finding
from gateway.model.requests import Request, ResolveName
from gateway.model.results import Failed, Progress, Result
from gateway.model.services import ServiceRequest
from gateway.model.values import HostSocket, Ticket
from gateway.native import tls
from gateway.native.over_module import ModuleDialer
from gateway.native.secure import SecureSockets
from gateway.native.services import ServiceEngine
from gateway.session.bridge import Bridge
from gateway.session.effects import Effect, Serve, ServeNoMore, ServePayload, TunnelEvent, TunnelNews


class Polyfills:
    """Made on the event loop. ``apply`` is called when the bridge has effects, ``flow`` when flow control may differ."""

    def __init__(
        self,
        bridge: Bridge,
        apply: Callable[[], None],
        flow: Callable[[], None],
        *,
        found: Callable[[Finding], None],
        trust: ssl.SSLContext | None = None,
    ) -> None:
        self._bridge = bridge
        self._apply = apply
        self._loop = asyncio.get_running_loop()
        self._trust = trust
        self._held = False, False
        self.used = False
        """Whether anything was asked of it yet: before that it holds nothing and nobody."""
        abilities = bridge.module.driver.dialect.tables.module.abilities
        self._dialer = ModuleDialer(self._submit, self._payload, flow, abilities=abilities, trust=self._context)
        self._services = ServiceEngine(
            self._news, self._happened, flow, self._dialer, found=found, trust=trust, set_clock=self._dialer.set_clock
        )
        self._secure = SecureSockets(self._news, self._happened, flow, self._dialer, trust=self._context)

    def take(self, effect: Effect) -> bool:
        """Carry an effect out, if it is one for the engines."""
        match effect:
            case Serve(ticket, request):
                self._serve(ticket, request)
            case ServePayload(session, data):
                if self._secure.has(session):
                    self._secure.payload(session, data)
                else:
                    self._services.payload(session, data)
            case ServeNoMore(ticket):
                self._services.withdraw(ticket)
                self._secure.withdraw(ticket)
            case TunnelNews(ticket, result):
                self._dialer.news(ticket, result)
            case TunnelEvent(event):
                self._dialer.event(event)
            case _:
                return False
        return True

    @property
    def congested(self) -> bool:
        """Whether the host must wait."""
        return self._services.congested or self._secure.congested

    @property
    def full(self) -> bool:
        """Whether the module must wait."""
        return self._dialer.full

    def hold(self, *, host: bool, module: bool) -> None:
        """``host``: it takes no more just now; ``module``: so does it."""
        if (host, module) != self._held:
            self._held = host, module
            self._services.hold(host)
            self._secure.hold(host)
            self._dialer.congestion(module)

    async def close(self) -> None:
        """End everything."""
        self._secure.close()
        await self._services.shut()

    def _serve(self, ticket: Ticket, request: Request) -> None:
        self.used = True
        if self._secure.knows(request):
            self._secure.submit(ticket, request)
        elif isinstance(request, ServiceRequest | ResolveName) or self._services.knows(
            getattr(request, "socket", HostSocket(0))
        ):
            self._services.submit(ticket, request)  # type: ignore[arg-type]  # or an end of one of its sessions
        else:
            self._news(ticket, Failed(Cause.NOT_SUPPORTED))

    def _context(self) -> ssl.SSLContext:
        return self._trust or tls.context()

    def _news(self, ticket: Ticket, result: Result | Progress) -> None:
        if ticket > 0:
            self._bridge.served(ticket, result, self._loop.time())
            self._apply()

    def _happened(self, event: Event) -> None:
        self._bridge.service_event(event, self._loop.time())
        self._apply()

    def _submit(self, ticket: Ticket, request: Request) -> None:
        self._bridge.tunnel(ticket, request, self._loop.time())
        self._apply()

    def _payload(self, socket: HostSocket, data: bytes) -> None:
        self._bridge.tunnel_payload(socket, data, self._loop.time())
        self._apply()
