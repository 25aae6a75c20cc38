"""``at-gateway trace``."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.group import VerbGroup
from gateway.trace.show import WIDTH, Lanes, Printed, read_records


@click.group(cls=VerbGroup, short_help="read a recorded session")
def command() -> None:
    """Read what --trace has recorded."""


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--follow", is_flag=True, help="Go on with what is still being recorded, until interrupted.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Two lanes for people, or a JSON object a line for programs.",
)
@click.option("--width", type=click.IntRange(60, 400), default=WIDTH, show_default=True, help="Width of the two lanes.")
def show(file: Path, follow: bool, form: str, width: int) -> None:
    """Print a trace as two lanes: what the host said and heard on the left, the module on the right.

    Between them stands what a command became (request, way, failure, event, finding). > goes to the module, < comes
    back to the host. Secrets were masked when the trace was written.

    \b
    at-gateway trace show /tmp/session.jsonl --follow
    """
    lanes = Lanes(width)
    printed = Printed(click.echo, lanes if form == "text" else None)
    try:
        for number, record in enumerate(read_records(file, follow)):
            if number == 0 and form == "text":  # not above a complaint
                click.echo(lanes.head())
            printed.write(record)
    except KeyboardInterrupt:
        return
