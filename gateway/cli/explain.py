"""``at-gateway explain``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from gateway.cli import options
from gateway.dialect import registry
from gateway.migrate.explain import Explanation, explain


@click.command(short_help="say what a command, answer or code means")
@click.argument("text", nargs=-1, required=True, metavar="TEXT")
@click.option("--dialect", "dialect_name", required=True, metavar="DIALECT", help="Whose it is: " + options.DIALECTS)
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Of what is printed."
)
def command(text: tuple[str, ...], dialect_name: str, form: str) -> None:
    """Explain a command line, an answer, an unsolicited code or an error code, value by value, with its section.

    \b
    at-gateway explain 'AT+WIPCREATE=2,1,"server.example",80' --dialect wipsoft
    at-gateway explain '+WIPPEERCLOSE: 2,1' --dialect wipsoft
    at-gateway explain '#CME ERROR: 35840' --dialect edsoft
    """
    dialect = registry.load(dialect_name)
    found = explain(" ".join(text), dialect)
    if form == "json":
        click.echo(json.dumps([{"dialect": dialect.id} | asdict(one) for one in found], ensure_ascii=False, indent=2))
        return
    click.echo("\n\n".join(_as_text(one) for one in found))


def _as_text(one: Explanation) -> str:
    lines = [one.text, f"  {one.title}"]
    wide = max((len(part.name) for part in one.parts), default=0)
    shown = max((len(part.written) for part in one.parts), default=0)
    for part in one.parts:
        lines.append(f"    {part.name:{wide}}  {part.written:{shown}}  {part.meaning}".rstrip())
    lines += [f"  {note}" for note in one.notes]
    if one.wrong:
        lines.append(f"  it would be refused: {one.wrong}")
    if one.source:
        lines.append(f"  see {one.source}")
    return "\n".join(lines)
