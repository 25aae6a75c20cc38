"""A host's side and a module's side joined: what one asks the other does. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateway.model.causes import Cause
from gateway.model.events import BearerLost, Event, SocketLost
from gateway.model.requests import CloseSocket, PassThrough, Request, ResolveName
from gateway.model.results import Done, Progress, Result
from gateway.model.values import TUNNELS, Family, HostSocket, Ticket, is_dotted, is_six, plain
from gateway.session.effects import (
    Effect,
    Happened,
    News,
    Note,
    Payload,
    RelayedBytes,
    Serve,
    ServeNoMore,
    ServePayload,
    Submit,
    TextFor,
    TunnelEvent,
    TunnelNews,
    Withdraw,
)
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide
from gateway.session.module_lines import GIVE_UP
from gateway.translate.plan import Way, plan


def _socket_of(message: Request | Event) -> HostSocket:
    """The socket or session that a request or an event is about; 0 when it is about none."""
    for name in ("session", "socket", "listener"):
        socket = getattr(message, name, None)
        if socket is not None:
            return HostSocket(socket)
    return HostSocket(0)


def _is_address(request: ResolveName) -> bool:
    """Whether it is the address itself that is asked for."""
    return is_dotted(request.name) if request.family is Family.FOUR else is_six(request.name)


class Bridge:
    """See the module's text. Feed it with bytes and time; take ``effects`` (for links, state store and trace)."""

    def __init__(self, host: HostSide, module: ModuleSide, *, polyfills: bool = False) -> None:
        self.host = host
        self.module = module
        self.effects: list[Effect] = []
        module.weighs = host.firmware.tells_congestion
        abilities = module.driver.dialect.tables.module.abilities
        host.around.six, host.around.calls = "ConnectTcp.six" in abilities, "StartBearer.call" in abilities
        self._polyfills = polyfills
        """Whoever runs the bridge has an engine for services that the module has not."""
        self._sessions: set[HostSocket] = set()
        """Sessions of that engine."""
        self._served: set[Ticket] = set()
        self._hosts_effects: dict[type[Effect], Callable[[Any, float], None]] = {
            Payload: self._payload,
            Submit: self._submit,
            Withdraw: self._withdraw,
            TextFor: self._text,
        }
        """What the two sides say to each other; all else is for whoever runs the bridge."""
        self._modules_effects: dict[type[Effect], Callable[[Any, float], None]] = {
            News: self._news,
            Happened: self._happened,
            RelayedBytes: self._relayed,
        }

    def host_receive(self, data: bytes, now: float) -> None:
        """Bytes came from the host."""
        self.host.receive(data, now)
        self._settle(now)

    def module_receive(self, data: bytes, now: float) -> None:
        """Bytes came from the module."""
        self.module.receive(data, now)
        self._settle(now)

    def module_drained(self, now: float, *, just_now: bool) -> None:
        """Everything for the module has gone out: ``just_now``, or it had before it was asked."""
        self.module.drained(now, just_now=just_now)
        self._settle(now)

    def module_stopped(self, stopped: bool, now: float) -> None:
        """Whether the module takes no bytes just now."""
        self.module.stopped(stopped, now)
        self._settle(now)

    def module_unread(self, unread: bool, now: float) -> bool:
        """Whether the module's port is not read just now, so that no answer can come; True when that is new."""
        return self.module.unread(unread, now)

    def tick(self, now: float) -> None:
        """Time has come; see ``deadline``."""
        self.host.tick(now)
        self.module.tick(now)
        self._settle(now)

    def terminal_ready(self, ready: bool, now: float) -> None:
        """The host's DTR changed."""
        self.host.terminal_ready(ready, now)
        self._settle(now)

    def module_link(self, there: bool, now: float) -> None:
        """The module's link went away or came back."""
        if there:
            self.module.link_back(now)
        else:
            self.module.link_lost(now)
        self._settle(now)

    # -- the engine's side ---------------------------------------------------------------------------------------------

    def served(self, ticket: Ticket, result: Result | Progress, now: float) -> None:
        """The engine has a result, or news before it."""
        if not isinstance(result, Progress):
            self._served.discard(ticket)
        self.host.deliver(ticket, result, now)
        self._settle(now)

    def service_event(self, event: Event, now: float) -> None:
        """Something happened in a session of the engine's."""
        self.host.event(event, now)
        self._settle(now)

    def tunnel(self, ticket: Ticket, request: Request, now: float) -> None:
        """The engine wants something of the module: ``ticket`` is below 0, its sockets count from TUNNELS."""
        self.module.submit(ticket, request, now)
        self._settle(now)

    def tunnel_payload(self, socket: HostSocket, data: bytes, now: float) -> None:
        """Payload of the engine's for a socket of its own."""
        self.module.payload(socket, data, now)
        self._settle(now)

    def finish(self, now: float) -> None:
        """End in good order; see ``finished``."""
        self.module.finish(now)
        self._settle(now)

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` is done."""
        return self.module.finished

    @property
    def deadline(self) -> float | None:
        """When :meth:`tick` must be called next."""
        host, module = self.host.deadline, self.module.deadline
        if host is None or module is None:
            return module if host is None else host
        return min(host, module)

    @property
    def holds_host(self) -> bool:
        """Whether the host's port should not be read just now; one that is told when to wait is heard all the same."""
        return self.host.holds_host or (self.module.holds_host and self.host.waits_for_peers)

    @property
    def holds_module(self) -> bool:
        """Whether the module's port should not be read just now."""
        return self.host.holds_module or self.module.holds_module

    def _settle(self, now: float) -> None:
        """Hand effects over between the two sides until there are none."""
        host, module, out = self.host, self.module, self.effects
        while True:
            if host.effects:
                effects, host.effects = host.effects, []
                handlers = self._hosts_effects
            elif module.effects:
                effects, module.effects = module.effects, []
                handlers = self._modules_effects
            else:
                return
            for effect in effects:
                handle = handlers.get(type(effect))
                if handle is None:
                    out.append(effect)
                else:
                    handle(effect, now)

    def _payload(self, effect: Payload, now: float) -> None:
        if effect.socket in self._sessions:
            self.effects.append(ServePayload(effect.socket, effect.data))
        else:
            self.module.payload(effect.socket, effect.data, now)

    def _submit(self, effect: Submit, now: float) -> None:
        request = effect.request
        if isinstance(request, ResolveName) and _is_address(request):
            self.host.deliver(effect.ticket, Done(plain(request.name)), now)  # it would cost some modules a socket
        elif self._polyfills and not isinstance(request, PassThrough) and self._is_served(request):
            self._serve(effect.ticket, request)
        else:
            self.module.submit(effect.ticket, request, now)

    def _withdraw(self, effect: Withdraw, now: float) -> None:
        ticket = effect.ticket
        if ticket in self._served:
            self._served.discard(ticket)
            self.effects.append(ServeNoMore(ticket))
        else:
            self.module.withdraw(ticket, now)

    def _text(self, effect: TextFor, now: float) -> None:
        self.module.text(effect.data, now)
        if effect.complete:
            self.module.text_complete(now, given_up=effect.data[-1:] == GIVE_UP)

    def _is_served(self, request: Request) -> bool:
        return _socket_of(request) in self._sessions or plan(request, self.module.driver) is Way.POLYFILLED

    def _serve(self, ticket: Ticket, request: Request) -> None:
        """Hand a request to the engine; what it opens belongs to the engine until it is closed."""
        socket = _socket_of(request)
        if isinstance(request, CloseSocket):
            self._sessions.discard(request.socket)
        elif socket:
            self._sessions.add(socket)
        if ticket:
            self._served.add(ticket)
        if self.module.tracing:
            plan_note = {"what": type(request).__name__, "way": Way.POLYFILLED.value}
            self.effects.append(Note("plan", plan_note))
        self.effects.append(Serve(ticket, request))

    def _happened(self, effect: Happened, now: float) -> None:
        if _socket_of(effect.event) >= TUNNELS:
            self.effects.append(TunnelEvent(effect.event))
        else:
            self.host.event(effect.event, now)
            if type(effect.event) is BearerLost:
                self._lose_sessions(now)

    def _lose_sessions(self, now: float) -> None:
        """They end with the bearer; the engine would learn it when the host sends or the server should answer."""
        for session in list(self._sessions):
            self.host.event(SocketLost(session, Cause.BEARER_LOST), now)
            self._serve(Ticket(0), CloseSocket(session))

    def _news(self, effect: News, now: float) -> None:
        if effect.ticket < 0:
            self.effects.append(TunnelNews(effect.ticket, effect.result))
        else:
            self.host.deliver(effect.ticket, effect.result, now)

    def _relayed(self, effect: RelayedBytes, _now: float) -> None:
        self.host.relayed(effect.data)
