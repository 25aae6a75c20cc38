"""``at-gateway module``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from gateway import __version__
from gateway.cli import options
from gateway.dialect.quirks import firmware_of
from gateway.links.make import make_link
from gateway.links.native_runner import NativeRunner
from gateway.links.spec import parse_link
from gateway.native.faults import HELP, Faults
from gateway.native.names import NameMap
from gateway.service.state import StateStore
from gateway.session.host import HostSide
from gateway.trace.heard import Tally
from gateway.trace.mask import Masker
from gateway.trace.record import Recorder, Sink, TraceFile
from gateway.trace.show import Lanes, Printed


def _say(text: str) -> None:
    click.echo(text, err=True)


def _show_faults(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        for name, text in HELP.items():
            click.echo(f"  {name:15} {text}")
        ctx.exit()


@click.command(short_help="be a virtual module with this computer's network behind it")
@click.option("--dialect", "dialect_name", required=True, metavar="DIALECT", help="What it speaks: " + options.DIALECTS)
@click.option("--link", "link", required=True, metavar="LINK", help="Where it can be reached.")
@click.option("--fault", "fault", multiple=True, metavar="KIND[=VALUE]", help="Something that goes wrong. Repeatable.")
@click.option(
    "--faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_faults,
    help="Show the kinds of --fault and end.",
)
@click.option(
    "--heard",
    is_flag=True,
    help="Tell on standard error what is heard and answered, as it happens, and at the end how often what was heard.",
)
@options.switch_option("switch", "A reading of the module's manual (see dialects/README.md). Repeatable.")
@options.network_options
@options.tls_options
@options.run_options
def command(
    dialect_name: str,
    link: str,
    fault: tuple[str, ...],
    heard: bool,
    switch: tuple[str, ...],
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
    """Play a module: the dialect as its manual has it, with real sockets of this computer behind it.

    Hosts can be tested against it, also on a bad day (--fault). Runs until SIGINT, SIGTERM or SIGHUP; prints a
    line that begins with "ready" when the link is open. At SIGUSR1 it tells on standard error what it has heard so far:
    commands, errors, what it does not know, bytes of each socket.

    \b
    at-gateway module --dialect wipsoft-5.57 --link pty:/tmp/module --map server.example:80=127.0.0.1:8080
    """
    options.start_log(log_level, log_format)
    trust = options.trust(authorities, no_verify)
    spec = parse_link(link)
    dialect = options.dialect(dialect_name, "virtual", switch, "--switch")
    names = NameMap.parse(list(maps))
    faults = Faults.parse(list(fault))
    store = StateStore(state, f"module-{dialect.id}")
    masker = Masker(dialect.tables)
    tally = Tally(dialect, masker)
    sinks: list[Sink] = [TraceFile(trace)] if trace is not None else []
    if heard:
        sinks.append(Printed(_say, Lanes() if log_format == "text" else None))
    tape = Recorder(sinks, masker, {"version": __version__, "module": dialect.id}) if sinks else None

    def tell() -> None:
        _say(tally.text() if log_format == "text" else json.dumps(tally.summary(), ensure_ascii=False))

    async def make() -> NativeRunner:
        runner: NativeRunner | None = None

        def swallows(line: str) -> bool:
            return runner is not None and runner.swallows(line)

        side = HostSide(
            dialect,
            firmware_of(dialect),
            stored=store.load(),
            tracing=True,
            rate=spec.settings.baudrate,
            swallows=swallows,
        )
        if tape is not None:
            tape.follow(side.settings)
        runner = NativeRunner(
            side,
            make_link(spec),
            keep=store.save,
            tape=tape,
            names=names,
            address=address,
            address6=address6,
            faults=faults,
            trust=trust,
            meter=tally,
        )
        return runner

    try:
        options.run(make, f"ready module {{}} ({dialect.id})", asked=tell)
        if heard:
            tell()
    finally:
        if tape is not None:
            tape.close()
        store.close()
