"""``at-gateway``: finds the verb, and turns mistakes of the user into one sentence and an exit code."""

from __future__ import annotations

import importlib
import io
import os
import sys

import click

from gateway import __version__
from gateway.cli.group import VerbGroup
from gateway.errors import GatewayError

PROGRAM = "at-gateway"
VERBS = {
    "demo": "show the main job on this computer, with no hardware",
    "bridge": "join a host's link to a module's, or serve it without a module",
    "module": "be a virtual module with this computer's network behind it",
    "check": "find what is wrong in AT scripts",
    "explain": "say what a command, answer or code means",
    "dialects": "show who can do what",
    "trace": "read a recorded session",
}


class _Verbs(VerbGroup):
    """Loads a verb's file only when it is asked for: the start of the program stays short."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are met."""
        del ctx
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The verb's command."""
        del ctx
        if name not in VERBS:
            return None
        command = importlib.import_module(f"gateway.cli.{name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with their sentences, without loading them."""
        del ctx
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name=PROGRAM)
def cli() -> None:
    """Lets equipment that was programmed for one cellular module keep working, untouched, with a newer one.

    A legacy host speaks its old AT dialect to the gateway; the gateway speaks the module's dialect to the module.
    at-gateway VERB --help tells more about each verb.

    \b
    Links are device paths, pty:PATH, pySerial URLs (socket://, rfc2217://, loop://, spy://), tcp-listen://HOST:PORT
    or tls-listen://HOST:PORT. Serial settings follow:
      /dev/ttyUSB0?baudrate=9600&bytesize=8&parity=N&stopbits=1&flow=none|rtscts|xonxoff

    \b
    Exit codes: 0 done; 1 done, with findings; 2 wrong input or configuration; 3 a link could not be opened.
    """


def _fill_standard_files() -> None:
    """What was closed before us leads nowhere: else a link could become standard output, and be written to as such."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one


def main() -> None:
    """The program."""
    _fill_standard_files()
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files and text of old machines fit no encoding for certain
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(prog_name=PROGRAM, standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        context = error.ctx if isinstance(error, click.UsageError) else None
        where = f" (see {context.command_path} --help)" if context is not None else ""
        click.echo(f"at-gateway: {error.format_message()}{where}", err=True)
        sys.exit(2)
    except click.exceptions.Abort:
        sys.exit(130)
    except GatewayError as error:
        click.echo(f"at-gateway: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
