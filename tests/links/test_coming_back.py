"""A link that disappears and comes back under a running session, and what a session sets on its port.

CONTRACT, Ready; SEMANTICS 1.1 and 1.6.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import socket
import termios
import threading
import tty
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from links.ears import EVERY, MIB
from support.rig import LIMIT_S, Rig, Server, Terminal, hold, unused_port

from gateway.dialect import registry
from gateway.dialect.quirks import firmware_of
from gateway.links.make import make_link
from gateway.links.native_runner import NativeRunner
from gateway.links.spec import parse_link
from gateway.session.host import HostSide

OK = b"\r\nOK\r\n"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost link is tried again soon, not once a second."""
    monkeypatch.setattr("gateway.links.runner.REOPEN_S", 0.02)


@asynccontextmanager
async def module(link: str, dialect: str = "wipsoft-5.57") -> AsyncIterator[NativeRunner]:
    """A virtual module on a link."""
    chosen, spec = registry.load(dialect), parse_link(link)
    side = HostSide(chosen, firmware_of(chosen), rate=spec.settings.baudrate)
    runner = NativeRunner(side, make_link(spec), keep=lambda _: None, address="127.0.0.1")
    await runner.open()
    try:
        yield runner
    finally:
        await runner.close()
        await asyncio.sleep(0)


async def ask(terminal: Terminal, command: str, *ends: bytes) -> bytes:
    """Say a command; everything up to its end."""
    return await asyncio.to_thread(terminal.ask, command, *ends)


def speed(terminal: Terminal) -> int:
    """The rate that the gateway has set on its end, as a termios constant."""
    rate: int = termios.tcgetattr(terminal.fd)[5]
    return rate


class Adapter:
    """A serial adapter, found at ``path`` as udev names one, with a host at its other end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.host: Terminal | None = None
        self._slave = -1
        self.plug()

    def plug(self) -> Terminal:
        """It is there, with the host that is connected to it."""
        master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))
        self.host = Terminal(fd=master)
        return self.host

    async def plug_and_wait(self) -> Terminal:
        """The same, until the gateway has opened it, which sets its rate."""
        host = self.plug()
        new = speed(host)
        while speed(host) == new:
            await asyncio.sleep(0.005)
        return host

    def pull(self) -> None:
        """It is gone, and its name with it: the number of its terminal may soon be another's."""
        self.path.unlink(missing_ok=True)
        if self.host is not None:
            os.close(self._slave)
            self.host.close()
            self.host = None


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    """Pulled in the end."""
    adapter = Adapter(tmp_path / "tty")
    yield adapter
    adapter.pull()


@pytest.fixture
def server() -> Iterator[Server]:
    """Its connections belong to the test."""
    server = Server(hold)
    yield server
    server.close()


async def connected(host: Terminal, server: Server) -> socket.socket:
    """In the module's data mode on a connection; the server's end of it."""
    for command in ("ATE0", "AT+WIPCFG=1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"):
        assert (await ask(host, command)).endswith(OK), command
    assert await ask(host, f'AT+WIPCREATE=2,1,"127.0.0.1",{server.port}', b"+WIPREADY: 2,1\r\n")
    assert await ask(host, "AT+WIPDATA=2,1,1", b"\r\nCONNECT\r\n")
    return await asyncio.to_thread(server.arrived)


def flood(peer: socket.socket) -> int:
    """Send until nothing more goes for a while: everything on the way is full."""
    peer.setblocking(False)
    sent = 0
    while select.select([], [peer], [], 0.3)[1]:
        with suppress(BlockingIOError):
            sent += peer.send(EVERY * 256)
        assert sent < 64 * MIB, "nothing holds the peer back"
    return sent


class TestComingBack:
    async def test_a_device(self, adapter: Adapter) -> None:
        """An adapter that is unplugged and plugged in again: the session is the same, with all that the host set."""
        async with module(f"{adapter.path}?baudrate=9600"):
            assert adapter.host is not None
            assert (await ask(adapter.host, "ATE0")).endswith(OK)
            for _ in range(2):
                adapter.pull()
                host = await adapter.plug_and_wait()
                assert speed(host) == termios.B9600
                assert await ask(host, "AT") == OK

    async def test_a_device_that_stays_away_for_a_while(self, adapter: Adapter, caplog: pytest.LogCaptureFixture) -> None:
        """It is tried again until it is there; closing while it is away ends the session in good order."""
        caplog.set_level("DEBUG", "gateway.runner")
        async with module(f"{adapter.path}?baudrate=9600"):
            adapter.pull()
            while caplog.text.count("cannot open") < 3:
                await asyncio.sleep(0.005)
            host = await adapter.plug_and_wait()
            assert (await ask(host, "AT")).endswith(OK)
            assert caplog.text.count("is lost") == 1
            adapter.pull()
            while caplog.text.count("is lost") < 2:
                await asyncio.sleep(0.005)

    async def test_a_connection(self, server: Server) -> None:
        """``socket://``: the server closes; the link goes there again."""
        async with module(f"socket://127.0.0.1:{server.port}"):
            for _ in range(3):
                peer = await asyncio.to_thread(server.arrived)
                host = Terminal(fd=os.dup(peer.fileno()))
                assert (await ask(host, "AT")).endswith(OK)
                host.close()
                peer.shutdown(socket.SHUT_RDWR)
                peer.close()
            await asyncio.to_thread(server.arrived)

    async def test_a_listening_link(self) -> None:
        """``tcp-listen://``: hosts come and go; the module behind it is the same."""
        port = unused_port()
        async with module(f"tcp-listen://127.0.0.1:{port}"):
            for number in range(3):
                with socket.create_connection(("127.0.0.1", port), LIMIT_S) as peer:
                    host = Terminal(fd=os.dup(peer.fileno()))
                    assert (await ask(host, "ATE0" if number == 0 else "AT")).endswith(OK)
                    assert await ask(host, "AT") == OK
                    host.close()

    async def test_lost_while_the_host_was_slow(self, adapter: Adapter, server: Server) -> None:
        async with module(f"{adapter.path}?baudrate=9600"):
            assert adapter.host is not None
            peer = await connected(adapter.host, server)
            await asyncio.to_thread(flood, peer)
            adapter.pull()
            host = await adapter.plug_and_wait()
            await asyncio.to_thread(host.take, MIB, 1.0)

    async def test_payload_while_the_link_is_away(
        self, adapter: Adapter, server: Server, caplog: pytest.LogCaptureFixture
    ) -> None:
        """SEMANTICS 1.6: nothing is lost; what cannot be delivered is counted and reported."""
        async with module(f"{adapter.path}?baudrate=9600"):
            assert adapter.host is not None
            peer = await connected(adapter.host, server)
            adapter.pull()
            while "is lost" not in caplog.text:
                await asyncio.sleep(0.005)
            before = caplog.text
            peer.sendall(EVERY)  # on loopback that is where the gateway can read it
            for _ in range(20):
                await asyncio.sleep(0)  # and now it has
            host = await adapter.plug_and_wait()
            peer.sendall(b"end")
            heard = await asyncio.to_thread(host.until, b"end")
            escaped = EVERY.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")
            assert heard == escaped + b"end" or "256 bytes" in caplog.text.removeprefix(before)

    async def test_what_nobody_heard_is_reported(self, adapter: Adapter, caplog: pytest.LogCaptureFixture) -> None:
        """An unsolicited line of the module waits for nobody: it is counted (SEMANTICS 1.6)."""
        async with module(f"{adapter.path}?baudrate=9600") as runner:
            assert adapter.host is not None
            assert (await ask(adapter.host, "ATE0")).endswith(OK)
            adapter.pull()
            while "is lost" not in caplog.text:
                await asyncio.sleep(0.005)
            runner.restart()
            host = await adapter.plug_and_wait()
            assert (await ask(host, "AT")).endswith(OK)
            assert re.search(r"\d+ bytes could not be delivered to the link", caplog.text)

    async def test_ended_while_the_host_was_slow(self, tmp_path: Path) -> None:
        """A host that does not read must not keep the module from being brought back to command mode."""
        full = threading.Event()

        def fill(connection: socket.socket) -> None:
            flood(connection)
            full.set()

        flooding = Server(fill)
        with Rig(tmp_path) as rig:
            rig.module("--address", "127.0.0.1")
            bridge = rig.bridge()
            host = rig.terminal("host")
            for command in ("ATE0", '#APNSERV="internet"', '#TCPSERV=1,"127.0.0.1"', f"#TCPPORT=1,{flooding.port}"):
                assert await ask(host, command if command == "ATE0" else f"AT{command}")
            assert await ask(host, "AT#CONNECTIONSTART", b"GprsActivation\r\n")
            assert await ask(host, "AT#OTCP=1", b"WaitingForData\r\n")
            assert await asyncio.to_thread(full.wait, LIMIT_S)
            assert await asyncio.to_thread(bridge.stop, 15, 8.0) == 0
            assert "could not be brought back" not in bridge.complaint()
        flooding.close()


class TestSlow:
    async def test_a_host_that_sends_and_does_not_read(self, tmp_path: Path) -> None:
        """Its answers wait for it, up to a limit (DESIGN 4); then its commands do."""
        async with module(f"pty:{tmp_path}/host"):
            host = Terminal(tmp_path / "host")
            assert (await ask(host, "ATE0")).endswith(OK)
            sent = 0
            while await asyncio.to_thread(select.select, [], [host.fd], [], 0.3) != ([], [], []):
                with suppress(BlockingIOError):
                    sent += os.write(host.fd, b"AT\r" * 100)
                assert sent < MIB, "nothing holds the host back"
            sent -= sent % 3
            heard = await asyncio.to_thread(host.take, sent // 3 * len(OK))
            assert heard == OK * (sent // 3)
            host.close()


class TestPort:
    """AT+IPR and AT+IFC act on the host's port (SEMANTICS 1.1)."""

    async def test_rate(self, adapter: Adapter) -> None:
        async with module(str(adapter.path)):
            assert (host := adapter.host) is not None
            assert (await ask(host, "ATE0")).endswith(OK)
            for rate, constant in ((9600, termios.B9600), (300, termios.B300), (115200, termios.B115200)):
                assert await ask(host, f"AT+IPR={rate}") == OK
                assert await ask(host, "AT+IPR?") == b"\r\n+IPR: %d\r\n" % rate + OK
                assert speed(host) == constant
            assert b"ERROR" in await ask(host, "AT+IPR=12345")
            assert speed(host) == termios.B115200

    async def test_flow_control(self, adapter: Adapter) -> None:
        async with module(str(adapter.path)):
            assert (host := adapter.host) is not None
            assert (await ask(host, "ATE0;+IFC=2,2")).endswith(OK)
            assert await ask(host, "AT+IFC?") == b"\r\n+IFC: 2,2\r\n" + OK
            assert termios.tcgetattr(host.fd)[2] & termios.CRTSCTS
            assert await ask(host, "AT+IFC=0,0") == OK
            assert await ask(host, "AT") == OK
            assert not termios.tcgetattr(host.fd)[2] & termios.CRTSCTS

    async def test_the_rate_survives_a_loss_of_the_link(self, adapter: Adapter) -> None:
        """The host does not know that an adapter was unplugged: it goes on at the rate that it has set."""
        async with module(f"{adapter.path}?baudrate=9600"):
            assert adapter.host is not None
            assert (await ask(adapter.host, "ATE0;+IPR=19200")).endswith(OK)
            adapter.pull()
            host = await adapter.plug_and_wait()
            assert await ask(host, "AT+IPR?") == b"\r\n+IPR: 19200\r\n" + OK
            assert speed(host) == termios.B19200

    def test_the_rate_of_the_link_is_what_the_host_reads(self, adapter: Adapter, tmp_path: Path) -> None:
        """AT+IPR? before any AT+IPR: what the port is set to."""
        with Rig(tmp_path) as rig:
            rig.module(link=f"{adapter.path}?baudrate=9600")
            assert adapter.host is not None
            assert adapter.host.answer("AT+IPR?") == "+IPR: 9600 | OK"
            assert speed(adapter.host) == termios.B9600
