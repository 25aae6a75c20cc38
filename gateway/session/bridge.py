"""A host's side and a module's side joined: what one asks the other does. No I/O, no clock."""

from __future__ import annotations

from gateway.session.effects import (
    Carrier,
    Drain,
    Effect,
    Happened,
    Keep,
    News,
    Note,
    Payload,
    RelayedBytes,
    SetPort,
    Submit,
    TextFor,
    ToHost,
    ToModule,
    Withdraw,
)
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide


class Bridge:
    """See the module's text. Feed it with bytes and time; take ``effects`` (for links, state store and trace)."""

    def __init__(self, host: HostSide, module: ModuleSide) -> None:
        self.host = host
        self.module = module
        self.effects: list[Effect] = []

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
        times = (self.host.deadline, self.module.deadline)
        return min((time for time in times if time is not None), default=None)

    @property
    def holds_host(self) -> bool:
        """Whether the host's port should not be read just now."""
        return self.host.holds_host or self.module.holds_host

    @property
    def holds_module(self) -> bool:
        """Whether the module's port should not be read just now."""
        return self.host.holds_module

    def _settle(self, now: float) -> None:
        """Hand effects over between the two sides until there are none."""
        host, module = self.host, self.module
        while host.effects or module.effects:
            effects, host.effects = host.effects, []
            for effect in effects:
                self._from_host(effect, now)
            effects, module.effects = module.effects, []
            for effect in effects:
                self._from_module(effect, now)

    def _from_host(self, effect: Effect, now: float) -> None:
        match effect:
            case Payload(socket, data):
                self.module.payload(socket, data, now)
            case Submit(ticket, request):
                self.module.submit(ticket, request, now)
            case Withdraw(ticket):
                self.module.withdraw(ticket, now)
            case TextFor(_, data, complete):
                self.module.text(data, now)
                if complete:
                    self.module.text_complete(now)
            case ToHost() | Keep() | SetPort() | Carrier() | Note():
                self.effects.append(effect)

    def _from_module(self, effect: Effect, now: float) -> None:
        match effect:
            case Happened(event):
                self.host.event(event, now)
            case News(ticket, result):
                self.host.deliver(ticket, result, now)
            case RelayedBytes(data):
                self.host.relayed(data)
            case ToModule() | Drain() | Note():
                self.effects.append(effect)
