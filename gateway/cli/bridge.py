"""``at-gateway bridge``."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path

import click

from gateway import __version__
from gateway.cli import options
from gateway.dialect.dialect import Dialect
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.errors import InputError
from gateway.links.bridge_runner import BridgeRunner
from gateway.links.make import make_link
from gateway.links.native_runner import NativeRunner
from gateway.links.spec import parse_link
from gateway.native.names import NameMap
from gateway.service.state import StateStore
from gateway.session.bridge import Bridge
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide
from gateway.trace.mask import Masker
from gateway.trace.record import Recorder, TraceFile

log = logging.getLogger("gateway")
_OF_NATIVE = dict.fromkeys(("maps", "address", "address6"), "needs --native: a module has a network of its own")
_OF_A_MODULE = dict.fromkeys(("module_dialect", "module_switch", "limit"), "needs --module: --native has none")


@click.command(short_help="join a host's link to a module's, or serve it without a module")
@click.option("--host", "host", required=True, metavar="LINK", help="Where the legacy host is.")
@click.option("--host-dialect", required=True, metavar="DIALECT", help="What it was programmed for: " + options.DIALECTS)
@click.option("--module", "module", metavar="LINK", help="Where the module is.")
@click.option("--module-dialect", metavar="DIALECT", help="What the module speaks: " + options.DIALECTS)
@click.option("--native", is_flag=True, help="No module: do the host's work with this computer's own network.")
@click.option(
    "--policy",
    type=click.Choice(("lenient", "strict")),
    default="lenient",
    show_default=True,
    help="strict refuses settings that would have no effect on the module.",
)
@options.switch_option("switch", "A reading of the host's manual (see dialects/README.md). Repeatable.")
@options.switch_option("module-switch", "A reading of the module's manual. Repeatable.")
@click.option(
    "--limit",
    "limit",
    multiple=True,
    metavar="COMMAND=SECONDS",
    help="Another time limit for a module's command. Repeatable.",
)
@click.option(
    "--answer",
    "answers",
    multiple=True,
    metavar="PATTERN::LINE",
    help="Answer a command of the host's here, always: '+XYZ?::+XYZ: 1'. Repeatable.",
)
@options.network_options
@options.tls_options
@options.run_options
def command(
    host: str,
    host_dialect: str,
    module: str | None,
    module_dialect: str | None,
    native: bool,
    policy: str,
    switch: tuple[str, ...],
    module_switch: tuple[str, ...],
    limit: tuple[str, ...],
    answers: tuple[str, ...],
    maps: tuple[str, ...],
    address: str,
    address6: str,
    authorities: tuple[Path, ...],
    no_verify: bool,
    trace: Path | None,
    state: Path | None,
    log_level: str,
    log_format: str,
) -> None:
    """Be the module that the host on --host was programmed for, with the module on --module behind.

    Runs until SIGINT, SIGTERM or SIGHUP, and then leaves the module in command mode with no socket open. Prints a line
    that begins with "ready" when every link is open; everything else goes to standard error.

    \b
    at-gateway bridge --host pty:/tmp/host --host-dialect edsoft-3.02 \\
                      --module /dev/ttyUSB0?baudrate=115200 --module-dialect wipsoft-5.57
    """
    if native == bool(module) or (module and not module_dialect):
        raise click.UsageError("give either --module LINK with --module-dialect DIALECT, or --native")
    options.refuse_useless(_OF_NATIVE if module else _OF_A_MODULE)
    options.start_log(log_level, log_format)
    trust = options.trust(authorities, no_verify)
    host_spec = parse_link(host)
    host_side_dialect = options.with_answers(options.dialect(host_dialect, "host", switch, "--switch"), answers)
    store = StateStore(state, f"bridge-{host_side_dialect.id}")
    if state is None:
        log.info("no --state folder: what the host stores is forgotten when the gateway ends")
    if native:
        _native(host_side_dialect, host_spec.text, policy, maps, (address, address6), trust, store, trace)
        return
    assert module is not None and module_dialect is not None
    module_spec = parse_link(module)
    if module_spec.is_same(host_spec):
        raise InputError("host and module cannot be on the same link")
    module_side_dialect = options.dialect(module_dialect, "module", module_switch, "--module-switch")
    limits = options.limits(limit)
    tape = _tape(trace, host_side_dialect, module_side_dialect)

    async def make() -> BridgeRunner:
        host_side = HostSide(
            host_side_dialect,
            firmware_of(host_side_dialect),
            stored=store.load(),
            policy=policy,
            tracing=tape is not None,
            rate=host_spec.settings.baudrate,
        )
        if tape is not None:
            tape.follow(host_side.settings)
        module_side = ModuleSide(
            module_side_dialect, driver_of(module_side_dialect), limits_s=limits, tracing=tape is not None
        )
        return BridgeRunner(
            Bridge(host_side, module_side, polyfills=True),
            make_link(host_spec),
            make_link(module_spec),
            keep=store.save,
            tape=tape,
            trust=trust,
        )

    ready = f"ready bridge {{}} ({host_side_dialect.id}) {{}} ({module_side_dialect.id})"
    try:
        options.run(make, ready)
    finally:
        _close(tape, store)


def _native(
    dialect: Dialect,
    host: str,
    policy: str,
    maps: tuple[str, ...],
    addresses: tuple[str, str],
    trust: ssl.SSLContext | None,
    store: StateStore,
    trace: Path | None,
) -> None:
    names = NameMap.parse(list(maps))
    spec = parse_link(host)
    tape = _tape(trace, dialect)

    async def make() -> NativeRunner:
        side = HostSide(
            dialect,
            firmware_of(dialect),
            stored=store.load(),
            policy=policy,
            tracing=tape is not None,
            rate=spec.settings.baudrate,
        )
        side.around.calls = False  # there is no telephone line
        if tape is not None:
            tape.follow(side.settings)
        return NativeRunner(
            side,
            make_link(spec),
            keep=store.save,
            tape=tape,
            names=names,
            address=addresses[0],
            address6=addresses[1],
            trust=trust,
        )

    try:
        options.run(make, f"ready bridge {{}} ({dialect.id}) native")
    finally:
        _close(tape, store)


def _tape(path: Path | None, host: Dialect, module: Dialect | None = None) -> Recorder | None:
    if path is None:
        return None
    tables = [host.tables] + ([module.tables] if module is not None else [])
    head = {"version": __version__, "host": host.id, "module": module.id if module is not None else "native"}
    return Recorder([TraceFile(path)], Masker(*tables), head)


def _close(tape: Recorder | None, store: StateStore) -> None:
    if tape is not None:
        tape.close()
    store.close()
