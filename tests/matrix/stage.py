"""Where a pair's scenarios are played: a module and a bridge as processes, a host's line, and the servers behind."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Protocol, TypeVar, cast

from support.nameserver import NameServer
from support.rig import LIMIT_S, Program, Rig, Server, Terminal, echo, hold
from support.system import HAS_IPV6

from gateway.dialect import registry
from matrix import secrets
from matrix.edsoft import EdsoftHost
from matrix.fibocom import FibocomHost
from matrix.host import CALLER, HostProgram
from matrix.pair import NATIVE, Pair
from matrix.wipsoft import WipsoftHost

PROGRAMS: dict[str, type[HostProgram]] = {"edsoft": EdsoftHost, "wipsoft": WipsoftHost, "mip": FibocomHost}
"""Family to the program that its hosts run."""
TRACED = os.environ.get("AT_GATEWAY_MATRIX_TRACE") == "1"
ECHO, HOLD, REFUSED, UNREACHABLE, NOBODY, SERVER = (
    f"{name}.example" for name in ("echo", "hold", "refused", "unreachable", "nobody", "server")
)
"""Names of servers; ``SERVER`` is this computer, whatever the port."""
TRUSTED = "trusted.pem"
"""File in a pair's folder: the certificates that its programs trust by, when it is there as they first look."""
NAME_SERVER = "192.0.2.53"
"""Knows other names than the network's own servers."""
HOLD_PORT = 9
RINGS_AT = "+CSCS"
"""The command at which a module is called."""
LOST_PING = 1
"""The echo request that gets no reply."""


class OwnServer(Protocol):
    """A server of one service, on a free port of 127.0.0.1: made with a folder that it may fill."""

    def __init__(self, folder: Path) -> None: ...

    def close(self) -> None:
        """End it, however it is."""


One = TypeVar("One", bound=OwnServer)


class Servers:
    """What the host's names stand for. Each pair has its own, and its own address of loopback to listen at."""

    def __init__(self, number: int, folder: Path) -> None:
        self.folder = folder
        self._own: dict[type[OwnServer], OwnServer] = {}
        self.echo = Server(echo)
        self.hold = Server(hold)
        self.names = NameServer()
        self.closed = socket.socket()
        self.closed.bind(("127.0.0.1", 0))
        self.refused_port: int = self.closed.getsockname()[1]
        self.own_address = f"127.1.{number // 200}.{number % 200 + 1}"

    @property
    def maps(self) -> list[str]:
        """Options for the program whose network it is."""
        rules = (
            f"{ECHO}:*=127.0.0.1",
            f"{SERVER}:*=127.0.0.1",
            f"{HOLD}:{HOLD_PORT}=127.0.0.1:{self.hold.port}",
            f"{REFUSED}:*=127.0.0.1",
            f"{UNREACHABLE}:*=127.255.255.255",  # the broadcast address of loopback: no TCP, no echo reply
            f"{NOBODY}:*=",
            f"{NAME_SERVER}:53=127.0.0.1:{self.names.port}",
        )
        own = ["--address", self.own_address, *(("--address6", "::1") if HAS_IPV6 else ())]
        return [*(part for rule in rules for part in ("--map", rule)), *own]

    def of(self, kind: type[One]) -> One:
        """The pair's own server of a kind: begun when it is first asked for, and anew behind :meth:`gone`."""
        if kind not in self._own:
            self._own[kind] = kind(self.folder)
        return cast(One, self._own[kind])

    def gone(self, kind: type[OwnServer]) -> None:
        """End the server of a kind, in the middle of whatever it does."""
        self._own.pop(kind).close()

    def free_port(self, kind: int = socket.SOCK_STREAM) -> int:
        """A port of the own address that nobody else knows of."""
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((self.own_address, 0))
            port: int = probe.getsockname()[1]
            return port

    def call(self, port: int, source: str = "127.0.0.1", patient: bool = False) -> socket.socket:
        """A peer that calls the host; a patient one tries again where a module has to begin anew to listen."""
        due = time.monotonic() + (LIMIT_S if patient else 0)
        while True:
            try:
                peer = socket.create_connection((self.own_address, port), LIMIT_S, source_address=(source, 0))
                break
            except ConnectionRefusedError:
                if time.monotonic() > due:
                    raise
                time.sleep(0.02)
        peer.settimeout(LIMIT_S)
        return peer

    @contextmanager
    def datagrams(self, address: str = "127.0.0.1") -> Iterator[socket.socket]:
        """A peer's UDP socket."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind((address, 0))
            peer.settimeout(LIMIT_S)
            yield peer

    def close(self) -> None:
        self.echo.close()
        self.hold.close()
        self.names.close()
        self.closed.close()
        for server in self._own.values():
            server.close()


class Stage:
    """A pair that runs, with a fresh host program."""

    def __init__(self, pair: Pair, folder: Path, number: int, *, recorded: bool = True) -> None:
        self.pair = pair
        self._folder, self._number, self._is_recorded = folder, number, recorded
        self._others = count()
        self.stopped = False
        self._trace = folder / "bridge.jsonl"
        self._stack = ExitStack()
        self.servers = self._stack.enter_context(closing(Servers(number, folder)))
        self._rig = self._stack.enter_context(Rig(folder))
        self._rig.environment["SSL_CERT_FILE"] = str(folder / TRUSTED)
        self._module: Program | None = None
        self.bridge = self._start()
        self.line: Terminal = self._rig.terminal("host")
        self.host = PROGRAMS[registry.load(pair.host).tables.family](self.line, pair.host)
        self.host.start()

    def _start(self) -> Program:
        kept = ["--state", self._rig.path("state"), "--log-level", "debug"]
        if self._is_recorded:
            kept += ["--trace", str(self._trace)]
        if self.pair.module == NATIVE:
            return self._rig.native(*self.servers.maps, *kept, host_dialect=self.pair.host)
        self._module = self._rig.module(
            *self.servers.maps,
            "--fault",
            f"ping-loss={LOST_PING}",
            "--fault",
            f"call={RINGS_AT}:{CALLER}",
            "--log-level",
            "debug",
            dialect=self.pair.module,
        )
        return self._rig.bridge(*kept, host_dialect=self.pair.host, module_dialect=self.pair.module)

    @contextmanager
    def unrecorded(self) -> Iterator[Stage]:
        """Another one for the same pair, on the network already: a record of much payload takes longer than moving it."""
        folder = self._folder / f"unrecorded-{next(self._others)}"
        folder.mkdir()
        with closing(Stage(self.pair, folder, self._number, recorded=False)) as stage:
            stage.host.up()
            yield stage

    def close(self) -> None:
        """End everything, however it is."""
        self._stack.close()

    def stop(self) -> None:
        """End the bridge and the module as a user does, who wants to know first what the module has heard."""
        self.stopped = True
        if self._module is not None:
            self._module.process.send_signal(signal.SIGUSR1)
            self._module.says("heard in ")
        for program in (self.bridge, self._module):
            if program is not None:
                assert program.stop() == 0, program.complaint()
                assert "Traceback" not in program.complaint(), program.complaint()
        leaks = secrets.left_behind(self._rig.folder)
        assert not leaks, "\n".join(leaks)

    def recorded(self) -> str:
        """The bridge's record so far."""
        return self._trace.read_text()

    def last_words(self) -> str:
        """What can be told of a failure."""
        said = bytes(self.line.seen[-500:])
        told = f"the host heard last: {said!r}\nthe bridge said: {self.bridge.complaint()[-3000:]}"
        if TRACED:
            with suppress(OSError):
                told += "\nthe end of the trace:\n" + "\n".join(self.recorded().splitlines()[-60:])
        return told
