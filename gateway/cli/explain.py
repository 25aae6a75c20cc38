"""``at-gateway explain``."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from gateway.cli import options
from gateway.dialect import registry
from gateway.migrate.becoming import Becoming, becoming
from gateway.migrate.explain import Explanation, explain

_SIGNS = {0x03: "<ETX>", 0x10: "<DLE>", 0x1A: "<Ctrl-Z>", 0x1B: "<ESC>"}
"""What ends or escapes payload, as people write it."""


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
    line = " ".join(text)
    found = explain(line, dialect)
    sayable = line[:2].upper() == "AT" and not any(one.wrong for one in found)
    others = becoming(line, dialect) if sayable and any(one.kind == "command" for one in found) else []
    if form == "json":
        explained = [{"dialect": dialect.id} | asdict(one) for one in found]
        click.echo(
            json.dumps({"explained": explained, "becomes": [asdict(one) for one in others]}, ensure_ascii=False, indent=2)
        )
        return
    click.echo("\n\n".join(_as_text(one) for one in found))
    if others:
        click.echo("\nwhat it becomes, once its bearer and its parameters are there:")
        click.echo("\n".join(_becomes(one) for one in others))


def _becomes(one: Becoming) -> str:
    texts = [text.translate(_SIGNS) for text in one.commands]
    if one.speaks:
        texts.insert(0, f"the gateway speaks {one.speaks} itself, over the module's sockets")
    if one.answer:
        texts.append(f"refused: the host hears {one.answer}")
    elif not texts:
        texts.append("nothing: the gateway answers it")
    way = f"   ({one.way})" if one.way and one.way != "refused" else ""
    return "\n".join([f"  {one.dialect:14} {texts[0]}{way}", *(f"  {'':14} {text}" for text in texts[1:])])


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
