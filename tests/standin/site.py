"""A stand-in, a bridge to it as a process of its own, and the host's end of the line: what one play needs."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any, Self

from support.rig import LIMIT_S, Program, Rig, Server, Terminal, hold

from standin.habits import Habits
from standin.run import Running, StandIn
from standin.sockets import Network

OK = b"\r\nOK\r\n"
ETX = b"\x03"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n" + OK
STARTED = b"\r\n10.1.2.3\r\n\r\nOk_Info_GprsActivation\r\n"


def failure(code: int) -> bytes:
    """An eDSoft error as it is printed."""
    return b"\r\n#CME ERROR: %d\r\n" % code


class Site:
    """See the module's text. Ended with the play, which then must have pleased the stand-in."""

    def __init__(
        self,
        folder: Path,
        habits: Habits | None = None,
        *bridge: str,
        network: Network | None = None,
        host_dialect: str = "edsoft-3.02",
        lenient: tuple[str, ...] = (),
        module: Running | None = None,
        module_dialect: str = "wipsoft-5.57",
        direct: bool = False,
    ) -> None:
        self.module: Any = module or StandIn(habits, network)
        self.sockets_have_ids = host_dialect != "edsoft-2.10"
        self.folder = folder
        self.host_dialect = host_dialect
        self._lenient = lenient
        self._rig = Rig(folder)
        self._peers: list[socket.socket] = []
        self.idle_talk = (b"\r\nRING\r\n", b"\r\n+CREG: 1\r\n") if getattr(self.module.habits, "chatter", False) else ()
        """Whole lines that may come anywhere between others."""
        # By a name of its own: a number of /dev/pts is soon somebody else's.
        link = Path(self._rig.path("module"))
        link.symlink_to(self.module.path)
        self.bridge: Program | None = None
        try:
            if direct:  # the host's line is the module's: what the plays expect of a gateway, the module itself says
                self.host: Terminal = self._rig.terminal("module")
                assert self.host.ask("ATE0") == b"ATE0\r" + OK
                return
            self.bridge = self._rig.bridge(
                *bridge, host_dialect=host_dialect, module_dialect=module_dialect, module=str(link)
            )
            self.host = self._rig.terminal("host")
            self.module.wait(lambda: self.module.general.error_codes and not self.module.is_busy)
            assert self.host.ask("ATE0") == b"ATE0\r" + OK
        except BaseException:
            self.__exit__(None)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, wrong: object, *_: object) -> None:
        try:
            bridge = self.bridge
            if wrong is None and hasattr(self, "host"):
                assert bridge is None or bridge.stop(signal.SIGTERM) == 0, bridge.complaint()
                assert bridge is None or "Traceback" not in bridge.complaint(), bridge.complaint()
                complaints = [it for it in self.module.record.complaints if not it.startswith(self._lenient)]
                assert not complaints, f"{complaints}\n{self.module.record}"
            elif wrong is not None:
                print(self.module.record, bridge.complaint()[-2000:] if bridge else "", sep="\n")
        finally:
            for peer in self._peers:
                peer.close()
            self._rig.__exit__()
            self.module.__exit__()

    # -- what a host does ----------------------------------------------------------------------------------------------

    def says(self, command: str, *ends: bytes, limit_s: float = LIMIT_S) -> bytes:
        """A command and everything up to its end."""
        return self.host.ask(command, *ends, limit_s=limit_s)

    def expect(self, command: str, answer: bytes, limit_s: float = LIMIT_S) -> None:
        """A command and exactly this answer."""
        self.host.say(command.encode("latin-1") + b"\r")
        self.hears(answer, limit_s)

    def hears(self, wanted: bytes, limit_s: float = LIMIT_S) -> None:
        """Exactly these bytes come next, but for what is meant for nobody (:attr:`idle_talk`)."""
        got = b""
        try:
            while got != wanted if self.idle_talk else len(got) < len(wanted):
                got += self.host.take(1 if self.idle_talk else len(wanted), limit_s)
                for line in self.idle_talk:
                    got = got.replace(line, b"")
        except AssertionError:
            got += self.host.rest()
        assert got == wanted, f"heard {got!r}, not {wanted!r}"

    def start(self) -> None:
        """The bearer comes up."""
        self.expect("AT#CONNECTIONSTART", STARTED)

    def alive(self) -> None:
        """Line, module and pass-through work."""
        self.expect("AT", OK)
        self.expect("AT+CSQ", b"\r\n+CSQ: 20,0\r\n" + OK)

    def all_closed(self) -> None:
        """The module has no socket any more."""
        self.module.wait(lambda: not self.module.sockets.all)

    # -- peers ---------------------------------------------------------------------------------------------------------

    def server(self) -> Server:
        """A TCP server that leaves its connections to the play."""
        return self._rig.server(hold)

    def call(self, port: int, address: str = "127.0.0.1") -> socket.socket:
        """A peer that calls a listener, as soon as that listens."""
        peer = socket.socket()
        peer.settimeout(LIMIT_S)
        peer.bind((address, 0))
        peer.connect(("127.0.0.1", port))
        self._peers.append(peer)
        return peer

    def datagrams(self, address: str = "127.0.0.1") -> socket.socket:
        """A UDP peer."""
        peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        peer.settimeout(LIMIT_S)
        peer.bind((address, 0))
        self._peers.append(peer)
        return peer
