"""A module's process that is killed, a module's line that is pulled out, a bridge that is killed: real processes, in the
states of an eDSoft host in which it matters. What it hears then is of its dialect, and the next attempt works."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.cable import Cable
from support.files import USER, Files
from support.office import PostOffice
from support.rig import LIMIT_S, Program, Rig, Server, Terminal, hold, read_exactly, unused_port

from gateway.dialect import registry

HOST = "edsoft-3.02"
MODULES = ["wipsoft-5.57", *(["fibocom-l610", "edsoft-3.02"] if os.environ.get("AT_GATEWAY_LONG") == "1" else [])]
OK = b"\r\nOK\r\n"
WAITING = b"\r\nOk_Info_WaitingForData\r\n"
BEGINS = b"\r\nOk_Info_DataBegin\r\n"
CLOSED = b"\r\nOk_Info_SocketClosed\r\n\r\nOK\r\n"
BACK_S = 110.0
"""From a fault to when a service works again, on a busy computer; an eDSoft module is out of a mail behind 50 s of
silence alone, and the gateway asks it some times before it keeps one."""
FILE = bytes(set(range(256)) - {0x03, 0x10}) + random.Random(3).randbytes(2_000_000).translate(None, b"\x03\x10")
"""More than all lines and programs between the server and the host keep: a host that does not read has not got it."""


@dataclass
class Site:
    """What a host has: a bridge, a module, the servers behind it."""

    rig: Rig
    files: Files
    office: PostOffice
    module_dialect: str
    module: Program = field(init=False)
    bridge: Program = field(init=False)
    host: Terminal = field(init=False)
    echo: Server = field(init=False)
    held: Server = field(init=False)
    port: int = field(default_factory=unused_port)
    """Where the host listens."""

    def begin(self, *module: str, link: str = "module") -> None:
        """Servers and the module."""
        self.echo, self.held = self.rig.server(), self.rig.server(hold)
        self.start_module(*module, link=link)

    def start_module(self, *module: str, link: str = "module") -> None:
        """The first time, or again."""
        self.module = self.rig.module(*module, dialect=self.module_dialect, link=f"pty:{self.rig.path(link)}")

    def kill_module(self) -> None:
        """Its link goes first: the kernel soon gives another terminal, of anybody's, the name that it leads to."""
        Path(self.rig.path("module")).unlink()
        self.module.process.kill()
        self.module.wait()

    def start_bridge(self) -> None:
        """And the host opens its line."""
        self.bridge = self.rig.bridge("--state", self.rig.path("state"), module_dialect=self.module_dialect)
        self.host = self.rig.terminal("host")

    def on_the_network(self) -> None:
        """The host's program from its beginning: up, if it is not."""
        due = time.monotonic() + BACK_S
        self.host.ask("ATE0")
        while True:
            said = self.host.ask("AT#CONNECTIONSTART", b"Activation\r\n", b"ERROR: ", limit_s=BACK_S)
            if said.endswith(b"Activation\r\n") or self.host.until(b"\r\n") == b"35840\r\n":
                return
            assert time.monotonic() < due, said
            self.host.silent_for(0.1)

    def fails(self) -> bytes:
        """What comes up to an error line, which must be one of the dialect's."""
        before = self.host.until(b"\r\n#CME ERROR: ", limit_s=BACK_S)
        code = self.host.until(b"\r\n")[:-2].decode()
        assert code in registry.load(HOST).tables.errors
        return before.removesuffix(b"\r\n#CME ERROR: ")


class State:
    """Something that a host does: ``enter`` begins it, ``ends`` hears how it goes wrong, ``again`` does all of it."""

    faults: tuple[str, ...] = ()
    """Of the module's, which keep it in the state."""

    def enter(self, site: Site) -> None:
        raise NotImplementedError

    def ends(self, site: Site) -> None:
        raise NotImplementedError

    def again(self, site: Site) -> None:
        raise NotImplementedError


class Commanding(State):
    """A command is under way."""

    faults = ("--fault", "silent=+CSQ:1", "--heard")

    def enter(self, site: Site) -> None:
        site.host.say(b"AT+CSQ\r")
        due = time.monotonic() + LIMIT_S
        while "+CSQ" not in site.module.complaint():
            assert time.monotonic() < due, "the module never heard it"
            site.host.silent_for(0.02)

    def ends(self, site: Site) -> None:
        assert site.host.until(b"ERROR\r\n", b"ERROR: ", limit_s=BACK_S) == b"\r\nERROR\r\n"

    def again(self, site: Site) -> None:
        assert re.fullmatch(r"\+CSQ: \d+,\d+ \| OK", site.host.answer("AT+CSQ"))


class InData(State):
    """A connection is open, and both sides speak."""

    def enter(self, site: Site) -> None:
        self._open(site, site.held)
        peer = site.held.arrived()
        site.host.say(b"there")
        assert read_exactly(peer, 5) == b"there"
        peer.sendall(b"and back")
        assert site.host.take(8) == b"and back"

    def _open(self, site: Site, server: Server) -> None:
        assert site.host.answer(f'AT#TCPSERV=1,"127.0.0.1";#TCPPORT=1,{server.port};#DLEMODE=1,1') == "OK"
        assert site.host.ask("AT#OTCP=1", WAITING, b"ERROR: ", limit_s=BACK_S) == WAITING

    def ends(self, site: Site) -> None:
        assert site.fails() == b"\x03"

    def again(self, site: Site) -> None:
        self._open(site, site.echo)
        assert site.host.stream(b"works again", b"works again") == b"works again"
        site.host.say(b"\x03")
        assert site.host.until(OK) == CLOSED


class Fetching(State):
    """A file is on its way."""

    def enter(self, site: Site) -> None:
        site.host.answer(f'AT#FTPSERV="127.0.0.1";#FTPPORT={site.files.place.port};#FTPUN="{USER}";#FTPPW="secret"')
        assert site.host.answer('AT#FTPMODE=1;#FTPTYPE=I;#FTPGETPATH=".";#FTPGETFILENAME="much"') == "OK"
        assert site.host.ask("AT#FTPGET", BEGINS, b"ERROR: ", limit_s=BACK_S) == BEGINS
        assert FILE.startswith(site.host.take(1000))

    def ends(self, site: Site) -> None:
        assert FILE.startswith(site.fails().removesuffix(b"\x03"), 1000)

    def again(self, site: Site) -> None:
        assert site.host.answer('AT#FTPGETFILENAME="little"') == "OK"
        assert site.host.ask("AT#FTPGET", BEGINS, b"ERROR: ", limit_s=BACK_S) == BEGINS
        assert site.host.until(OK, limit_s=BACK_S) == FILE[:5000] + b"\x03" + OK


class Writing(State):
    """The host is in the middle of the text of a mail."""

    def enter(self, site: Site) -> None:
        site.host.answer(f'AT#SMTPSERV="127.0.0.1";#SMTPPORT={site.office.port};#DOMAIN="a.example"')
        assert site.host.answer('AT#SENDERADDR="a@a.example";#REC1="b@b.example"') == "OK"
        self._begin(site)
        site.host.say(b"half of a text\r\n")

    def _begin(self, site: Site) -> None:
        assert site.host.ask("AT#PUTMAIL", WAITING, b"ERROR: ", limit_s=BACK_S) == WAITING

    def ends(self, site: Site) -> None:
        assert site.fails() == b""
        assert not site.office.letters

    def again(self, site: Site) -> None:
        self._begin(site)
        site.host.say(b"a whole text\r\n.\r\n")
        assert site.host.until(OK, b"ERROR: ", limit_s=BACK_S) == OK
        content = site.office.letters[-1].content
        assert isinstance(content, bytes)
        assert content.endswith(b"\r\n\r\na whole text\r\n")


class Listening(State):
    """A port is open, and nobody has called."""

    def enter(self, site: Site) -> None:
        assert site.host.answer(f'AT#TCPSERV=1,"255.255.255.255";#TCPPORT=1,{site.port};#DLEMODE=1,1') == "OK"
        assert site.host.answer("AT#LTCPSTART=1", limit_s=BACK_S) == "OK"

    def ends(self, site: Site) -> None:
        assert site.fails() == b""

    def again(self, site: Site) -> None:
        self.enter(site)
        due = time.monotonic() + LIMIT_S
        while True:
            with suppress(ConnectionRefusedError):
                peer = socket.create_connection(("127.0.0.1", site.port), LIMIT_S)
                break
            assert time.monotonic() < due, "nobody listens"
        with peer:
            assert site.host.until(WAITING) == WAITING
            peer.sendall(b"works again")
            assert site.host.take(11) == b"works again"
            site.host.say(b"\x03")
            assert site.host.until(OK) == CLOSED


STATES: dict[str, type[State]] = {
    "command": Commanding,
    "data mode": InData,
    "file": Fetching,
    "mail": Writing,
    "listening": Listening,
}
states = pytest.mark.parametrize("state", STATES.values(), ids=[*STATES])


@pytest.fixture(params=MODULES)
def site(rig: Rig, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    files, office = Files(tmp_path / "files"), PostOffice()
    (files.folder / "much").write_bytes(FILE)
    (files.folder / "little").write_bytes(FILE[:5000])
    try:
        yield Site(rig, files, office, request.param)
    finally:
        files.close()
        office.close()


@states
def test_the_module_is_killed_and_started_again(state: type[State], site: Site) -> None:
    doing = state()
    site.begin(*doing.faults)
    site.start_bridge()
    site.on_the_network()
    doing.enter(site)
    site.kill_module()
    doing.ends(site)
    site.start_module()
    site.on_the_network()
    doing.again(site)


@states
def test_the_modules_line_is_pulled_out_and_put_back(state: type[State], site: Site) -> None:
    """The module goes on meanwhile: what it has open of the time before is in nobody's way."""
    doing = state()
    site.begin(*doing.faults, link="far")
    with closing(Cable(Path(site.rig.path("far")), Path(site.rig.path("module")))) as cable:
        site.start_bridge()
        site.on_the_network()
        doing.enter(site)
        cable.pull()
        doing.ends(site)
        cable.plug()
        site.on_the_network()
        doing.again(site)
        site.bridge.stop()


@states
def test_the_bridge_is_killed_and_started_again(state: type[State], site: Site) -> None:
    """The host finds its settings as they were."""
    doing = state()
    site.begin(*doing.faults)
    site.start_bridge()
    assert site.host.answer('ATE0;#APNSERV="kept"').endswith("OK")
    site.on_the_network()
    doing.enter(site)
    site.bridge.process.send_signal(signal.SIGKILL)
    site.bridge.wait()
    site.start_bridge()
    site.host.ask("ATE0")
    assert '#APNSERV: "kept"' in site.host.answer("AT#VGPRS")
    site.on_the_network()
    doing.again(site)
