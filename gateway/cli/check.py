"""``at-gateway check``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from gateway.cli import options
from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.errors import InputError
from gateway.migrate.check import Problem, check


@click.command(short_help="find what is wrong in AT scripts")
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True), metavar="FILE...")
@click.option("--dialect", "dialect_name", required=True, metavar="DIALECT", help="What they are in: " + options.DIALECTS)
@options.switch_option("switch", "A reading of the manual (see dialects/README.md). Repeatable.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Of what is printed."
)
def command(files: tuple[str, ...], dialect_name: str, switch: tuple[str, ...], form: str) -> None:
    """Check AT scripts: unknown commands, wrong values, quotes, and commands that are refused where they stand.

    A script has one command a line. // begins a comment; a line that begins with > is payload of the data phase that
    the command before it opened (\\xNN for any byte). - reads standard input. The lines are also carried out one after
    the other by a module that agrees to everything, so that a command that the manual does not allow in that state
    is found.

    \b
    at-gateway check firmware.at --dialect wipsoft-5.57

    Exit codes: 0 nothing found, 1 something found, 2 a file cannot be read.
    """
    dialect = registry.load(dialect_name).with_switches(options.pairs(switch, "--switch"))
    found = [(name, problem) for name in files for problem in check(_read(name), dialect)]
    if form == "json":
        click.echo(
            json.dumps([{"file": name} | asdict(problem) for name, problem in found], ensure_ascii=False, indent=2)
        )
    else:
        for name, problem in found:
            click.echo(_as_text(name, problem))
        click.echo(_verdict(files, found, dialect), err=True)
    sys.exit(1 if found else 0)


def _read(name: str) -> str:
    if name == "-":
        data = sys.stdin.buffer.read()
    else:
        try:
            data = Path(name).read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {name}: {error.strerror}") from error
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _as_text(name: str, problem: Problem) -> str:
    """File, line, column and what is wrong; the line itself; a caret under the place; the manual's section."""
    shown = problem.text.replace("\t", " ")
    caret = " " * (problem.column - 1) + "^" * max(1, min(problem.length, len(shown) - problem.column + 1))
    lines = [f"{name}:{problem.line}:{problem.column}: {problem.message}", f"    {shown}", f"    {caret}"]
    if problem.source:
        lines.append(f"    see {problem.source}")
    return "\n".join(lines)


def _verdict(files: tuple[str, ...], found: list[tuple[str, Problem]], dialect: Dialect) -> str:
    where = f"{len(files)} file{'s' if len(files) > 1 else ''} in {dialect.id}"
    if not found:
        return f"{where}: nothing wrong found"
    return f"{where}: {len(found)} problem{'s' if len(found) > 1 else ''}"
