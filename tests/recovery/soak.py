"""A day of mixed traffic in two minutes: many sockets, lines that come unasked, restarts, files, every byte compared.

Everything that is random comes of one seed, the sizes of the pieces in which a line carries bytes too. A step in whose
time a fault falls may fail in any way; the host then goes on as one that knows nothing does (:mod:`recovery.steps`).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from matrix.fibocom import FibocomHost
from matrix.host import Connection, Failure
from matrix.pair import Pair
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_sockets import WipsoftConnection, WipsoftListening

from gateway.model.events import ModuleText
from gateway.session.tasks import Mode
from recovery.faults import bearer_lost, restart, restart_without_text, unplugged
from recovery.lab import Lab
from recovery.program import HERE, Program
from recovery.programs import program, states
from recovery.servers import DATAGRAMS, ECHO, HOLD
from recovery.steps import come_back

SECONDS = 120.0
UNASKED_EVERY_S = 1.7
FAULT_EVERY_S = 40.0
LARGEST_BYTES = 6000
BACK_S = 300.0
"""From one fault to when it works again, with others in between."""
WRONG = (Failure, AssertionError, EOFError, OSError)
"""What a step can end in when a fault falls into its time."""


@dataclass
class Tally:
    """What was done."""

    steps: dict[str, int] = field(default_factory=dict)
    sent_bytes: int = 0
    faults: int = 0
    unasked: int = 0


class Soak:
    """One host's, on one module."""

    def __init__(self, lab: Lab, pair: Pair, seed: int, *, faults: bool = True) -> None:
        self.random = random.Random(seed)
        self.lab, self.pair, self.tally = lab, pair, Tally()
        self.host: Program = program(lab)
        if isinstance(self.host.host, WipsoftHost | FibocomHost):
            self.host.host.events = (*self.host.host.events, "+CREG:")
            self.host.host.harmless = (*self.host.host.harmless, "+CREG:")
        self.disturbed = False
        """There was a fault, and the host has not come back from it."""
        self._faults = faults
        self._end_s = 0.0
        self._told: list[bytes] = []
        self._astray: list[bytes] = []
        """Said where the gateway could not know yet that the module has left its data mode: payload, for all it knew."""
        self.steps: dict[str, Callable[[], None]] = {
            "exchange": self._exchange,
            "pushes": self._pushes,
            "datagrams": self._datagrams,
            "several": self._several,
            "beside": self._beside,
        }
        for state in states(pair):
            name = getattr(state.again, "__name__", "")
            if name not in ("starts", "talks", "datagrams"):
                self.steps.setdefault(name, lambda play=state.again: play(self.host))

    def run(self, seconds: float = SECONDS) -> Tally:
        """Raises what is wrong."""
        self.host.host.start()
        self.host.up()
        self._end_s = self.lab.now + seconds
        self._arrange()
        while self.lab.now < self._end_s:
            name = self.random.choice(sorted(self.steps))
            try:
                self.steps[name]()
            except WRONG as failure:
                if not self.disturbed:
                    failure.add_note(f"step {name!r}, {self.tally}")
                    failure.add_note(f"the host heard {bytes(self.lab.line.seen[-600:])!r}")
                    failure.add_note(f"the module heard {bytes(self.lab.wire.to_left.seen[-600:])!r}")
                    raise
                self.disturbed = False
                come_back(self.lab, self.host, self.host.talks, limit_s=BACK_S)
            self.tally.steps[name] = self.tally.steps.get(name, 0) + 1
        self._quiet()
        return self.tally

    def _quiet(self) -> None:
        """At the end nothing is left over, and what the module said unasked was heard, in its order."""
        self.lab.wait(40.0)
        come_back(self.lab, self.host, self.host.talks, limit_s=BACK_S)
        lines = bytes(self.lab.line.seen).split(b"\r\n")
        heard = [line for line in lines if line.startswith(b"+CREG: 2,") and line not in self._astray]
        missing = [line for line in self._told if line not in heard]
        assert not missing or self.tally.faults, f"never heard: {missing}"
        assert heard == [line for line in self._told if line in heard], "in another order, or twice"

    # -- what happens by itself ----------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        loop = self.lab.loop
        loop.call_later(self.random.uniform(0, 2 * UNASKED_EVERY_S), self._unasked)
        if self._faults:
            loop.call_later(self.random.uniform(0.2, 2) * FAULT_EVERY_S, self._fault)

    def _unasked(self) -> None:
        """The module says that it has moved to another cell."""
        if self.lab.now < self._end_s:
            line = f'+CREG: 2,"{self.tally.unasked:04X}"'
            self.tally.unasked += 1
            unknown = self.tally.faults and self.lab.gateway.in_data_mode and self.lab.module_side.mode is not Mode.DATA
            (self._astray if unknown else self._told).append(line.encode())
            self.lab.module_side.event(ModuleText((line,)), self.lab.now)
            self.lab.module._apply()
            self.lab.loop.call_later(self.random.uniform(0, 2 * UNASKED_EVERY_S), self._unasked)

    def _fault(self) -> None:
        if self.lab.now < self._end_s:
            self.tally.faults += 1
            self.disturbed = True
            self.random.choice((restart, restart_without_text, unplugged, bearer_lost))(self.lab)
            self.lab.loop.call_later(self.random.uniform(0.2, 2) * FAULT_EVERY_S, self._fault)

    # -- steps ---------------------------------------------------------------------------------------------------------

    def _noise(self, largest: int = LARGEST_BYTES) -> bytes:
        data = self.random.randbytes(self.random.choice((1, 10, 200, 1024, largest)))
        self.tally.sent_bytes += len(data)
        return data

    def _form(self) -> str:
        return self.random.choice(type(self.host.host).forms_of(self.pair.host))

    def _exchange(self) -> None:
        connection = self.host.host.connect(HERE, ECHO, self._form())
        for _ in range(self.random.randrange(1, 5)):
            connection.exchange(self._noise())
            self.lab.wait(self.random.choice((0, 0, 0.3, 3.0)))
        connection.close()

    def _pushes(self) -> None:
        """The peer speaks first, and closes behind its last bytes, or does not."""
        servers = self.lab.servers
        servers.held.clear()
        connection = self.host.host.connect(HERE, HOLD, self._form())
        assert self.lab.until(lambda: bool(servers.held))
        reader, writer = servers.held[-1]
        for _ in range(self.random.randrange(1, 4)):
            data = self._noise()
            writer.write(data)
            connection.expect(data)
            data = self._noise()
            connection.send(data)
            assert self.lab.loop.do(reader.readexactly(len(data))) == data
        if self.random.random() < 0.5:
            writer.close()
            connection.closed_by_peer()
        else:
            connection.close()
            assert self.lab.loop.do(reader.read()) == b""

    def _datagrams(self) -> None:
        connection = self.host.host.udp(HERE, DATAGRAMS)
        for _ in range(self.random.randrange(1, 6)):
            data = self._noise(500)[:500]
            connection.send(data)
            connection.expect(data)
        connection.close()

    def _several(self) -> None:
        """As many connections as there can be, by turns."""
        host = self.host.host
        room = min(self.pair.clients or 1, host.sockets, 4)
        if not isinstance(host, WipsoftHost | FibocomHost) or room < 2:
            return
        opened = [_connect(host, number) for number in range(1, room + 1)]
        for _ in range(self.random.randrange(1, 6)):
            _exchange(self.random.choice(opened), self._noise(2000))
        for connection in opened:
            connection.close()

    def _beside(self) -> None:
        """A connection of the host's own beside a port that it listens at, and beside the peer that calls there."""
        host = self.host.host
        if not isinstance(host, WipsoftHost | FibocomHost) or min(self.pair.clients or 1, host.sockets) < 3:
            return
        port = self.lab.loop.network.port()
        listening = host.listen(port)
        own = _connect(host, 2)
        _exchange(own, self._noise(2000))
        _, writer = self.lab.call(port)
        called = listening.accepted(aside=True) if isinstance(listening, WipsoftListening) else listening.accepted()
        _exchange(own, self._noise(2000))
        early = self.random.random() < 0.5
        if listening.stays and early:
            listening.stop()
        another = _connect(host, 3)
        _exchange(another, self._noise(2000))
        another.close()
        for connection in self.random.sample((own, called), 2):
            connection.close()
        writer.close()
        if listening.stays and not early:
            listening.stop()


def _connect(host: WipsoftHost | FibocomHost, number: int) -> Connection:
    """To a server that sends back what comes; the host's line stays in command mode."""
    if isinstance(host, WipsoftHost):
        return host.connect(HERE, ECHO, number=number, aside=True)
    return host.connect(HERE, ECHO, number=number)


def _exchange(connection: Connection, data: bytes) -> None:
    if isinstance(connection, WipsoftConnection):
        connection.select()
    connection.exchange(data)
    if isinstance(connection, WipsoftConnection):
        connection.release()


def soak(pair: Pair, seed: int, seconds: float = SECONDS, *, faults: bool = True) -> Tally:
    """Raises what is wrong; what was done."""
    with Lab(pair.host, pair.module, seed=seed) as lab:
        return Soak(lab, pair, seed, faults=faults).run(seconds)
