"""``at-gateway dialects``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import click

from gateway.cli.tables import as_markdown, as_text
from gateway.dialect import registry
from gateway.dialect.coverage import Counts, Entry, entries, every
from gateway.dialect.schema import Switch
from gateway.translate.services import Pair, pairs

_COUNTED = ("commands", "forms", "parameters", "options", "messages", "errors", "switches", "examples")


@click.command(short_help="show who can do what")
@click.argument("name", required=False, metavar="[DIALECT]")
@click.option(
    "--kind", default="", metavar="KIND", help="Only this kind: command, parameter, option, message, error or switch."
)
@click.option("--pairs", "paired", is_flag=True, help="Each service of each host's dialect on each module's: the way.")
@click.option("--switches", is_flag=True, help="The readings that --switch chooses, of all dialects.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "markdown")),
    default="text",
    show_default=True,
    help="Of what is printed.",
)
def command(name: str | None, kind: str, paired: bool, switches: bool, form: str) -> None:
    """Without DIALECT: how much of each is known, and what it can be used for. With one: everything in its tables.

    All of it is made from the dialect files (the folder dialects/).
    """
    if (switches or paired) and (name is not None or kind or (switches and paired)):
        raise click.UsageError("--switches and --pairs stand alone")
    if paired:
        found_pairs = every_pair()
        _show([asdict(one) for one in found_pairs], way_rows(found_pairs), loss_rows(found_pairs), form=form)
        return
    if switches:
        rows = switch_rows()
        _show([dict(zip(rows[0], row, strict=True)) for row in rows[1:]], rows, form=form)
        return
    if name is None:
        if kind:
            raise click.UsageError("--kind needs a DIALECT")
        found = every()
        _show([asdict(one) for one in found], counted_rows(found), form=form)
        return
    listed = entries(registry.load(name), kind)
    _show([asdict(one) for one in listed], _entry_rows(listed), form=form)


def _show(records: Sequence[Mapping[str, object]], *tables: list[tuple[str, ...]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
    else:
        click.echo("\n\n".join(as_markdown(rows) if form == "markdown" else as_text(rows) for rows in tables))


def counted_rows(found: Sequence[Counts]) -> list[tuple[str, ...]]:
    """A head and a row a dialect."""
    rows: list[tuple[str, ...]] = [("dialect", "host", "module", "virtual", *_COUNTED)]
    for one in found:
        used = tuple("yes" if flag else "no" for flag in (one.host, one.module, one.virtual))
        rows.append((one.dialect, *used, *(str(getattr(one, key)) for key in _COUNTED)))
    return rows


def every_pair() -> list[Pair]:
    """All hosts' dialects on all modules', and on this computer's network."""
    dialects = [registry.load(name) for name in registry.ids()]
    modules = [dialect for dialect in dialects if "module" in dialect.tables.roles]
    hosts = [dialect for dialect in dialects if "host" in dialect.tables.roles]
    return [pair for host in hosts for module in (*modules, None) for pair in pairs(host, module)]


def way_rows(found: Sequence[Pair]) -> list[tuple[str, ...]]:
    """A head, and a row a host's dialect and service with the way on each module."""
    modules = list(dict.fromkeys(pair.module for pair in found))
    ways = {(pair.host, pair.service, pair.module): pair.way.value for pair in found}
    rows: list[tuple[str, ...]] = [("host", "service", *modules)]
    for host, service in dict.fromkeys((pair.host, pair.service) for pair in found):
        rows.append((host, service, *(ways[host, service, module] for module in modules)))
    return rows


def loss_rows(found: Sequence[Pair]) -> list[tuple[str, ...]]:
    """A head, and a row for what is not as it was with a service on a module, whoever its host is."""
    modules: dict[tuple[str, str], list[str]] = {}
    for pair in found:
        if pair.lost and pair.module not in modules.setdefault((pair.service, pair.lost), []):
            modules[pair.service, pair.lost].append(pair.module)
    rows = [(service, ", ".join(names), lost) for (service, lost), names in modules.items()]
    return [("service", "module", "what is lost"), *rows]


def switch_rows() -> list[tuple[str, ...]]:
    """A head and a row a switch; the default stands first."""
    found: dict[str, tuple[list[str], Switch]] = {}
    for name in registry.ids():
        for switch, entry in registry.load(name).tables.switches.items():
            found.setdefault(switch, ([], entry))[0].append(name)
    rows: list[tuple[str, ...]] = [("switch", "dialect", "values, the default first", "what it is")]
    for switch, (names, entry) in found.items():
        others = [value for value in entry.values if value != entry.default]
        rows.append((switch, ", ".join(names), ", ".join((entry.default, *others)), entry.title))
    return rows


def _entry_rows(found: Sequence[Entry]) -> list[tuple[str, ...]]:
    return [("kind", "written", "what it is", "section"), *((one.kind, one.text, one.title, one.source) for one in found)]
