"""What the program says about itself, and that it starts without a warning (CONTRACT, The program)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import click
import pytest
from support.rig import LIMIT_S

from gateway import __version__
from gateway.cli.main import VERBS, cli
from gateway.dialect import registry
from gateway.native.faults import HELP


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The program, with every warning an error."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every verb, and what is below it."""

    def below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
        yield name, command
        if isinstance(command, click.Group):
            for child, entry in command.commands.items():
                yield from below(f"{name} {child}", entry)

    for verb in VERBS:
        command = cli.get_command(click.Context(cli), verb)
        assert command is not None
        yield from below(verb, command)


COMMANDS = dict(commands())
RUNNABLE = [name for name, command in COMMANDS.items() if not isinstance(command, click.Group)]


def help_of(name: str) -> str:
    """As the program prints it."""
    done = run(*name.split(), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


class TestProgram:
    def test_version(self) -> None:
        done = run("--version")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"at-gateway, version {__version__}\n"
        assert __version__ == version("at-gateway")

    def test_help(self) -> None:
        """Verbs with a sentence each, the forms of a link, the exit codes."""
        done = run("--help")
        assert (done.returncode, done.stderr) == (0, "")
        for verb, sentence in VERBS.items():
            assert re.search(rf"^  {verb} +{re.escape(sentence)}$", done.stdout, re.MULTILINE)
        for text in (
            "pty:",
            "socket://",
            "rfc2217://",
            "loop://",
            "spy://",
            "tcp-listen://",
            "tls-listen://",
            "baudrate=",
        ):
            assert text in done.stdout
        for text in ("0 done", "1 done, with findings", "2 wrong input", "3 a link"):
            assert text in done.stdout

    def test_short_form(self) -> None:
        assert run("-h").stdout == run("--help").stdout

    def test_alone(self) -> None:
        """Nothing to do is a mistake, but one with help."""
        done = run()
        assert done.returncode == 2
        assert all(verb in done.stdout + done.stderr for verb in VERBS)
        assert "Traceback" not in done.stderr

    def test_the_short_sentences_are_those_of_the_verbs(self) -> None:
        """The list of verbs is printed without loading them: it must not drift away."""
        for verb, sentence in VERBS.items():
            assert COMMANDS[verb].short_help == sentence

    def test_faults(self) -> None:
        """``module --faults`` needs nothing else."""
        done = run("module", "--faults")
        assert (done.returncode, done.stderr) == (0, "")
        for name, text in HELP.items():
            assert name in done.stdout and text in done.stdout


class TestVerbs:
    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_every_option_is_there(self, name: str) -> None:
        text = help_of(name)
        assert text.startswith("Usage: ")
        assert len(text.splitlines()) > 5
        for parameter in COMMANDS[name].params:
            for option in parameter.opts:
                assert option.startswith("-") is False or option in text
        assert "--help" in text

    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_every_option_is_explained(self, name: str) -> None:
        for parameter in COMMANDS[name].params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name}: {parameter.opts}"

    @pytest.mark.parametrize("name", list(COMMANDS))
    def test_it_says_what_it_does(self, name: str) -> None:
        command = COMMANDS[name]
        assert command.help and len(command.help.split()) > 3

    @pytest.mark.parametrize(
        "name",
        [name for name in RUNNABLE if any(parameter.required for parameter in COMMANDS[name].params)],
    )
    def test_an_example_for_what_cannot_run_alone(self, name: str) -> None:
        """A whole command line to copy, besides the usage."""
        text = help_of(name).partition("\n")[2]
        assert re.search(rf"^ *(\$ )?at-gateway {name} ", text, re.MULTILINE)

    @pytest.mark.parametrize("name", ["bridge", "module"])
    def test_dialects_are_named(self, name: str) -> None:
        text = " ".join(help_of(name).split())
        for dialect in registry.ids():
            assert dialect in text

    def test_common_options(self) -> None:
        """CONTRACT: options common to ``bridge`` and ``module``."""
        for name in ("bridge", "module"):
            options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
            assert {"--trace", "--state", "--log-level", "--log-format"} <= options
        assert "--policy" in {option for parameter in COMMANDS["bridge"].params for option in parameter.opts}

    def test_table_commands_take_a_format(self) -> None:
        """CONTRACT: ``--format text|json``."""
        (option,) = [parameter for parameter in COMMANDS["trace show"].params if parameter.name == "form"]
        assert "--format" in option.opts
        assert isinstance(option.type, click.Choice) and set(option.type.choices) == {"text", "json"}
