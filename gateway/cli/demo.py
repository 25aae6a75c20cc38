"""``at-gateway demo``: the main job on this computer, printed as it happens, and checked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
import tty
from pathlib import Path
from typing import Any

import click

from gateway.cli import options
from gateway.cli.demo_servers import HERE, Servers, text_of
from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.dialect.source import read_yaml
from gateway.errors import InputError
from gateway.links.bridge_runner import BridgeRunner
from gateway.links.make import make_link
from gateway.links.native_runner import NativeRunner
from gateway.links.spec import parse_link
from gateway.native.names import NameMap
from gateway.resources import folder
from gateway.session.bridge import Bridge
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide
from gateway.trace.mask import Masker
from gateway.trace.show import Lanes
from gateway.wire import dle

GUARD_S = 1.1
"""Silence before +++: the modules' second, and a little."""
WIDE = 100
"""A line with more characters is shortened."""
ANSWER_S = 15.0
"""How long a step of the demonstration may take."""


class DemoFailed(Exception):
    """Something that was to be shown did not happen."""


class Screen:
    """Prints both lanes as things happen. It is the tape of the demonstration's bridge."""

    def __init__(self, masker: Masker, quiet: bool) -> None:
        self._lanes = Lanes()
        self._masker = masker
        self._begun_s = time.monotonic()
        self._quiet = quiet
        self._partial: dict[tuple[str, str], bytes] = {}
        self.ready = asyncio.Event()
        """The module was found and put into a known state."""

    def title(self, text: str) -> None:
        """A sentence about what comes."""
        if not self._quiet:
            click.echo(f"\n--- {text}")

    def data(self, side: str, direction: str, data: bytes, *, lines: bool) -> None:
        """Bytes of a link; an answer that came in pieces is shown as one."""
        key = (side, direction)
        if lines and direction == "in":
            data = self._partial.pop(key, b"") + data
            if not data.endswith((b"\r", b"\n", b"> ")):
                self._partial[key] = data
                return
        text = self._masker.text(data.decode("latin-1"))
        if lines and len(text) > WIDE:
            text = f"{text[: WIDE - 20]}... ({len(text.strip())} characters)"
        self._print({"t": time.monotonic() - self._begun_s, "side": side, "dir": direction, "data": text})

    def note(self, kind: str, values: dict[str, Any]) -> None:
        """What bytes became."""
        if kind == "module" and values.get("what") == "ready":
            self.ready.set()
        self._print({"kind": kind, **self._masker.plain(values)})

    def _print(self, record: dict[str, Any]) -> None:
        if not self._quiet:
            for line in self._lanes.lines(record):
                click.echo(line)


class Host:
    """The legacy host: a program on a terminal, that knows nothing of the gateway."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self.read = bytearray()
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._fd, self._readable)

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self.read += os.read(self._fd, 65536)
        self._news.set()

    def write(self, data: bytes) -> None:
        """Send."""
        self.read.clear()
        os.write(self._fd, data)

    async def expect(self, wanted: bytes) -> None:
        """Wait until ``wanted`` was read. Raises :class:`DemoFailed` with what came instead."""
        try:
            async with asyncio.timeout(ANSWER_S):
                while wanted not in self.read:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise DemoFailed(f"the host waited for {wanted!r} and read {bytes(self.read[-200:])!r}") from None

    def close(self) -> None:
        """Let go of the terminal."""
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)


class Demo:
    """One demonstration."""

    def __init__(self, host: Dialect, module: Dialect, screen: Screen, script: dict[str, Any], where: Path) -> None:
        self._host_dialect = host
        self._module_dialect = module
        self._screen = screen
        self._script = script
        self._where = where
        self._servers = Servers(where / "files")
        self.steps = 0

    async def run(self) -> None:
        """Everything from the servers to the last check."""
        await self._servers.start()
        maps = [f"{name}:*={HERE}" for name in self._script["names"].values()]
        module_path, host_path = self._where / "module", self._where / "host"
        virtual = NativeRunner(
            HostSide(self._module_dialect, firmware_of(self._module_dialect)),
            make_link(parse_link(f"pty:{module_path}")),
            keep=lambda _: None,
            names=NameMap.parse(maps),
            address=HERE,
        )
        bridge = BridgeRunner(
            Bridge(
                HostSide(self._host_dialect, firmware_of(self._host_dialect), tracing=True),
                ModuleSide(self._module_dialect, driver_of(self._module_dialect), tracing=True),
                polyfills=True,
            ),
            make_link(parse_link(f"pty:{host_path}")),
            make_link(parse_link(str(module_path))),
            keep=lambda _: None,
            tape=self._screen,
        )
        await virtual.open()
        self._screen.title("The gateway finds the new module and puts it into a known state.")
        await bridge.open()
        host = Host(host_path)
        try:
            await self._found()
            await self._play(host)
        finally:
            host.close()
            await bridge.close()
            await virtual.close()
            await self._servers.stop()
        if host_path.is_symlink() or module_path.is_symlink():
            raise DemoFailed("a symbolic link was left behind")

    async def _found(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._screen.ready.wait()
        except TimeoutError:
            raise DemoFailed("the gateway did not find the module") from None

    async def _play(self, host: Host) -> None:
        servers = self._servers
        names = self._script["names"] | {f"{service}_port": port for service, port in servers.ports.items()}
        for step in self._script["steps"]:
            if self._host_dialect.id in step.get("not_for", ()) or self._module_dialect.id in step.get("not_on", ()):
                continue
            if "about" in step:
                self._screen.title(step["about"])
            if "has" in step:
                (servers.folder / step["has"]["file"]).write_bytes(step["has"]["holds"].encode())
            if "say" in step:
                host.write(step["say"].format(**names).encode() + b"\r")
            elif "type" in step:
                host.write(step["type"].encode())
            elif "send" in step:
                await self._exchange(host, step["send"].encode(), step["hear"].encode(), step["server"].encode())
            elif step.get("all_bytes"):
                every = bytes(range(256))
                await self._exchange(host, every, every, every)
            elif step.get("escape"):
                await asyncio.sleep(GUARD_S)
                host.write(b"+++")
            elif "end" in step:
                host.write(bytes([step["end"]]))
            if "expect" in step:
                await host.expect(step["expect"].format(**names).encode())
            self._check(step)
            self.steps += 1

    async def _exchange(self, host: Host, sent: bytes, heard: bytes, taken: bytes) -> None:
        """Payload in a data phase, escaped; what the host hears and what the server takes."""
        received = self._servers.received
        received.clear()
        host.write(dle.encode(sent))
        await host.expect(dle.encode(heard))
        if taken not in received:
            raise DemoFailed(f"the server received {bytes(received)!r}, not {taken!r}")

    def _check(self, step: dict[str, Any]) -> None:
        """What a server must have now."""
        servers = self._servers
        if "server" in step and "send" not in step and step["server"].encode() not in servers.received:
            raise DemoFailed(f"the server received {bytes(servers.received)!r}, not {step['server']!r}")
        if "file" in step:
            file = servers.folder / step["file"]["name"]
            found = file.read_bytes() if file.exists() else b""
            if found != step["file"]["holds"].encode():
                raise DemoFailed(f"the file {file.name} holds {found!r}, not {step['file']['holds']!r}")
        if "mail" in step:
            wanted = step["mail"]
            if not any(
                wanted["to"] in letter.rcpt_tos and wanted["holds"] in text_of(letter) for letter in servers.letters
            ):
                raise DemoFailed(f"the mail server has no letter to {step['mail']['to']} with {step['mail']['holds']!r}")


def _of_demo(name: str | None, role: str) -> Dialect:
    """The dialect asked for, or the one that its file names for the demonstration."""
    if name is None:
        name = next(each for each in registry.ids() if role in registry.load(each).tables.demo)
    return registry.load(name)


@click.command(short_help="show the main job on this computer, with no hardware")
@click.option("--from", "host_name", metavar="DIALECT", help="The host's dialect, if not the usual one.")
@click.option("--to", "module_name", metavar="DIALECT", help="The module's dialect, if not the usual one.")
@click.option("--quiet", is_flag=True, help="Only the verdict.")
def command(host_name: str | None, module_name: str | None, quiet: bool) -> None:
    """A legacy host on one pseudo-terminal, the gateway, a virtual module on another, real servers on loopback.

    Prints, as it happens, what the host said, what it became, what the module answered and what the host heard. Ends
    by itself; exit code 1 when anything that it shows did not happen.
    """
    options.start_log("warning", "text")
    host, module = _of_demo(host_name, "host"), _of_demo(module_name, "module")
    for dialect, role in ((host, "host"), (module, "module"), (module, "virtual")):
        if role not in dialect.tables.roles:
            raise InputError(f"{dialect.id} cannot be the {role} of the demonstration yet")
    path = folder("dialects") / "demo" / f"{host.tables.family}.yaml"
    if not path.exists():
        raise InputError(f"there is no demonstration for hosts of {host.id} yet")
    script = read_yaml(path)
    screen = Screen(Masker(host.tables, module.tables), quiet)
    if not quiet:
        click.echo(f"{script['title']}: host {host.id}, module {module.id}\n\n{Lanes().head()}")
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="at-gateway-") as where:
        demo = Demo(host, module, screen, script, Path(where))
        try:
            asyncio.run(_until_terminated(demo))
        except asyncio.CancelledError:
            sys.exit(128 + signal.SIGTERM)
        except DemoFailed as failed:
            click.echo(f"\ndemo FAILED after {demo.steps} steps: {failed}", err=True)
            sys.exit(1)
    took_s = time.monotonic() - begun_s
    click.echo(
        f"\ndemo passed: {demo.steps} steps in {took_s:.1f} s; the host could not tell the new module from its old one"
    )


async def _until_terminated(demo: Demo) -> None:
    """Run it; SIGTERM ends it as an interrupt does, with nothing left behind."""
    task = asyncio.ensure_future(demo.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await task
