"""How the packets of a MIP module's sockets are made: +MIPCONF before a socket is opened, +MIPKEEPCONF for all.

Sections 1.1.12, 1.1.13.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Dialect
from gateway.dialect.driver import Answer, Chores, Command, DriverSteps
from gateway.dialect.quirks.mip.connections import Connection
from gateway.dialect.quirks.mip.driver_link import LinkDriver
from gateway.dialect.quirks.mip.tuning import KEEP_ALIVE, STACK
from gateway.model.events import Event
from gateway.model.results import Done
from gateway.model.tuning import Tune, Tuned, Tuning, ignored
from gateway.model.values import TUNNELS, HostSocket


class TuningDriver(LinkDriver):
    """See the module's text. A module that was set for one socket is set back for the next."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._wanted: dict[HostSocket, dict[Tuning, int]] = {}
        """By sockets that are not open yet."""
        self._initial = {name: int(dialect.argument("+MIPCONF", name).initial or 0) for name in STACK.values()}
        self._stacks: dict[int, dict[str, int]] = {}
        """What the module was told, by its sockets; initial values for the others."""
        self._keep_alive: dict[str, int] = {}

    def do_tune(self, request: Tune) -> DriverSteps:
        """Kept until the socket is opened; an open one cannot be changed any more."""
        yield from ()
        able = frozenset(STACK) | frozenset(KEEP_ALIVE)
        if request.socket and self.connections.of(request.socket) is not None:
            able = frozenset()
        elif request.socket:
            self._wanted[request.socket] = {tuning: value for tuning, value in request.values if tuning in able}
        return Done(Tuned(ignored(request.values, able)))

    def tune(self, connection: Connection) -> Chores:
        """Before a socket of the module is opened: tell what is not as it was told last."""
        holder = connection.holder
        if connection.udp or holder is None or holder >= TUNNELS:
            return
        wanted = self._wanted.pop(holder, {})
        stack = {name: wanted.get(tuning, self._initial[name]) for tuning, name in STACK.items()}
        if stack != self._stacks.get(connection.id, self._initial):
            answer: Answer = yield Command(self.dialect.write("stack_set", id=connection.id, **stack))
            if answer.ok:
                self._stacks[connection.id] = stack
        times = {name: wanted[tuning] for tuning, name in KEEP_ALIVE.items() if tuning in wanted}
        if times == self._keep_alive:
            return
        if len(times) == len(KEEP_ALIVE):
            answer = yield Command(self.dialect.write("keep_alive_on", mode=1, **times))
        else:
            answer = yield Command(self.dialect.write("keep_alive_off", mode=0))
        if answer.ok:
            self._keep_alive = times

    def lost(self) -> Iterable[Event]:
        """What is set for the sockets is forgotten; keep-alive is kept (F40)."""
        self._stacks.clear()
        self._wanted.clear()
        return super().lost()
