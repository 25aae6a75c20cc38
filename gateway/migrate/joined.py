"""One dialect's command in another's words: a bridge whose module agrees to everything, its commands collected."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.dialect.dialect import Dialect
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.migrate.agreeing import AgreeingModule
from gateway.migrate.serving import AgreeingEngine
from gateway.model.deadlines import earliest
from gateway.session.bridge import Bridge
from gateway.session.effects import Drain, Note, Serve, ServePayload, ToHost, ToModule, TunnelNews
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide
from gateway.session.tasks import Mode

_STEPS = 5000
_SETTLED_S = 130.0
"""Simulated time in which a command must come to its end."""


@dataclass(slots=True)
class Became:
    """What came of a line."""

    commands: list[str] = field(default_factory=list)
    """What the module was sent, as text; payload and escape sequences as the module's data mode has them."""
    answer: str = ""
    """What the host reads."""
    ways: list[str] = field(default_factory=list)
    """How each request was met."""
    spoken: list[str] = field(default_factory=list)
    """The protocols that the gateway speaks itself over the module's sockets."""


class Joined:
    """A host's side of one dialect, a module's side of another, and behind it a module that says yes."""

    def __init__(self, host: Dialect, module: Dialect) -> None:
        self._bridge = Bridge(
            HostSide(host, firmware_of(host), tracing=True),
            ModuleSide(module, driver_of(module), tracing=True),
            polyfills=True,
        )
        self._engine = AgreeingEngine(self._bridge)
        self._module = AgreeingModule(module)
        self._now = 1000.0
        self._became = Became()
        self._bridge.host.settings.echo = False
        self._bridge.host.settings.error_detail = 1
        self._bridge.tick(self._now)
        self._run()

    def say(self, text: str) -> Became:
        """A command line of the host's."""
        return self._take(text.encode("latin-1", "replace") + b"\r")

    def send(self, data: bytes) -> Became:
        """Payload of the host's; where it listens a peer calls first."""
        if self._bridge.host.mode is Mode.COMMAND:
            said = self._module.call_in()
            if said:
                self._bridge.module_receive(said, self._now)
            self._run()
        return self._take(data)

    def leave(self) -> Became:
        """End the data phase that is open."""
        became = Became()
        for sign in (b"\x03", b"\x1a", b"+++"):
            if self._bridge.host.mode is not Mode.COMMAND:
                self._pass(2.0)
                became = self._take(sign)
                self._pass(2.0)
        return became

    def _take(self, data: bytes) -> Became:
        self._became = Became()
        self._bridge.host_receive(data, self._now)
        self._run()
        return self._became

    def _pass(self, seconds: float) -> None:
        end = self._now + seconds
        for _ in range(_STEPS):
            due = self._due()
            if due is None or due > end:
                break
            self._tick(due)
        self._now = end

    def _run(self) -> None:
        """Go on until the host has its answer, or its data mode, and the module's side is at rest."""
        end = self._now + _SETTLED_S
        self._carry_out()
        for _ in range(_STEPS):
            due = self._due()
            if due is None or due > end or not (self._waits or self._bridge.module.busy):
                return
            self._tick(due)

    @property
    def _waits(self) -> bool:
        """Whether the host waits for something."""
        return self._bridge.host.busy and self._bridge.host.mode is Mode.COMMAND

    def _due(self) -> float | None:
        return earliest(self._bridge.deadline, self._module.deadline)

    def _tick(self, now: float) -> None:
        self._now = max(self._now, now)
        said = self._module.tick(self._now)
        if said:
            self._bridge.module_receive(said, self._now)
        self._bridge.tick(self._now)
        self._carry_out()

    def _carry_out(self) -> None:
        bridge = self._bridge
        while bridge.effects:
            effects, bridge.effects = bridge.effects, []
            for effect in effects:
                match effect:
                    case ToModule(data):
                        self._hear(data)
                    case ToHost(data):
                        self._became.answer += data.decode("latin-1")
                    case Drain():
                        bridge.module_drained(self._now, just_now=False)
                    case Note("plan", fields):
                        self._became.ways.append(str(fields["way"]))
                    case Serve(ticket, request):
                        self._became.spoken += self._engine.serve(ticket, request, self._now)
                    case ServePayload(session, _):
                        self._engine.ended(session, self._now)
                    case TunnelNews(ticket, result):
                        self._engine.news(ticket, result, self._now)
                    case _:
                        pass

    def _hear(self, data: bytes) -> None:
        self._became.commands.append(data.decode("latin-1").removesuffix("\r"))
        said = self._module.receive(data, self._now)
        if said:
            self._bridge.module_receive(said, self._now)
