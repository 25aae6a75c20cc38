"""How the packets of a WIPSoft module's sockets are made: +WIPOPT (5.3.7.1)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Dialect
from gateway.dialect.driver import Answer, Chores, Command, DriverSteps, Part
from gateway.dialect.quirks.wipsoft.connections import Connection
from gateway.dialect.quirks.wipsoft.driver_link import LinkDriver
from gateway.dialect.quirks.wipsoft.numbers import SERVER, UDP
from gateway.model.events import Event
from gateway.model.results import Done
from gateway.model.tuning import Tune, Tuned, Tuning, Tunings, ignored
from gateway.model.values import HostSocket

OPTIONS = {Tuning.SEND_LOW_WATER: 4, Tuning.NO_DELAY: 7, Tuning.TTL: 8, Tuning.TOS: 9}


class TuningDriver(LinkDriver):
    """See the module's text."""

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._wanted: dict[HostSocket, Tunings] = {}
        """By sockets that are not there yet."""

    def do_tune(self, request: Tune) -> DriverSteps:
        """At once where the socket is there; else as soon as it is."""
        able = frozenset(OPTIONS)
        without = ignored(request.values, able | {Tuning.NAME_SERVERS})  # those go with the start of the bearer
        wanted = tuple((tuning, value) for tuning, value in request.values if tuning in able)
        entry = self.connections.held.get(request.socket)
        if entry is not None:
            without += yield from self._set(entry, wanted)
        elif request.socket:
            self._wanted[request.socket] = wanted
        return Done(Tuned(without))

    def tune(self, socket: HostSocket) -> Chores:
        """A socket is there: what was set for it before."""
        wanted = self._wanted.pop(socket, ())
        if wanted:
            yield from self._set(self.connections.held[socket], wanted)

    def _set(self, entry: Connection, wanted: Tunings) -> Part:
        """Gives what the module does not take."""
        refused: list[Tuning] = []
        kind = {UDP: "udp", SERVER: "server"}.get(entry.protocol, "tcp")
        table = self.dialect.tables.options["sockets"]
        for tuning, value in wanted:
            option = table.get(str(OPTIONS[tuning]))
            if option is None or "w" not in dict(part.split(":") for part in option.access.split())[kind]:
                refused.append(tuning)
                continue
            place = {"protocol": entry.mode, "index": entry.index, "option": OPTIONS[tuning]}
            answer: Answer = yield Command(self.dialect.write("option_set", **place, value=value))
            if not answer.ok:
                refused.append(tuning)
        return tuple(refused)

    def lost(self) -> Iterable[Event]:
        """Nobody opens what was to be opened."""
        self._wanted.clear()
        return super().lost()
