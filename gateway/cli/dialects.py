"""``at-gateway dialects``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

import click

from gateway.cli.tables import as_markdown, as_text
from gateway.dialect import registry
from gateway.dialect.coverage import Counts, Entry, entries, every

_COUNTED = ("commands", "forms", "parameters", "options", "messages", "errors", "switches", "examples")


@click.command(short_help="show who can do what")
@click.argument("name", required=False, metavar="[DIALECT]")
@click.option(
    "--kind", default="", metavar="KIND", help="Only this kind: command, parameter, option, message, error or switch."
)
@click.option("--format", "form", type=click.Choice(("text", "json", "markdown")), default="text", show_default=True)
def command(name: str | None, kind: str, form: str) -> None:
    """Without DIALECT: how much of each is known, and what it can be used for. With one: everything in its tables.

    All of it is made from the dialect files (the folder dialects/).
    """
    if name is None:
        if kind:
            raise click.UsageError("--kind needs a DIALECT")
        found = every()
        _show([asdict(one) for one in found], counted_rows(found), form)
        return
    listed = entries(registry.load(name), kind)
    _show([asdict(one) for one in listed], _entry_rows(listed), form)


def _show(records: list[dict[str, object]], rows: list[tuple[str, ...]], form: str) -> None:
    if form == "json":
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
    else:
        click.echo(as_markdown(rows) if form == "markdown" else as_text(rows))


def counted_rows(found: Sequence[Counts]) -> list[tuple[str, ...]]:
    """A head and a row a dialect."""
    rows: list[tuple[str, ...]] = [("dialect", "host", "module", "virtual", *_COUNTED)]
    for one in found:
        used = tuple("yes" if flag else "no" for flag in (one.host, one.module, one.virtual))
        rows.append((one.dialect, *used, *(str(getattr(one, key)) for key in _COUNTED)))
    return rows


def _entry_rows(found: Sequence[Entry]) -> list[tuple[str, ...]]:
    return [("kind", "written", "what it is", "section"), *((one.kind, one.text, one.title, one.source) for one in found)]
