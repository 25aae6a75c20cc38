"""The verbs that read and explain AT text: what they print, and how they end (CONTRACT, Exit codes)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.dialect import registry

GOOD = "AT+WIPCFG=1\nAT+WIPBR=1,6\n"
BAD = "AT+WIPCFG=1\n  AT+WIPCLOSE=2,9 // closing\n"


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=given)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.at"
    path.write_text(BAD, encoding="utf-8")
    return path


class TestCheck:
    def test_place_line_caret_and_section(self, script: Path) -> None:
        done = run("check", str(script), "--dialect", "wipsoft-5.57")
        assert done.exit_code == 1
        assert done.stdout.splitlines()[:3] == [
            f"{script}:2:17: +WIPCLOSE: expected index: a number from 1 to 8, found '9'",
            "      AT+WIPCLOSE=2,9 // closing",
            " " * 20 + "^",
        ]
        assert "5.2" in done.stdout.splitlines()[3]
        assert "1 problem" in done.stderr

    def test_as_json(self, script: Path) -> None:
        done = run("check", str(script), "--dialect", "wipsoft", "--format", "json")
        assert done.exit_code == 1
        (found,) = json.loads(done.stdout)
        assert (found["file"], found["line"], found["column"], found["length"]) == (str(script), 2, 17, 1)
        assert found["kind"] == "value"

    def test_nothing_found(self) -> None:
        done = run("check", "-", "--dialect", "wipsoft", given=GOOD)
        assert (done.exit_code, done.stdout) == (0, "")

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        done = run("check", str(tmp_path / "no.at"), "--dialect", "wipsoft")
        assert done.exit_code != 0
        assert "no.at" in str(done.exception)


class TestExplain:
    def test_as_text(self) -> None:
        done = run("explain", "AT#OTCP=1", "--dialect", "edsoft")
        assert done.exit_code == 0
        assert "open a TCP connection" in done.stdout
        assert 'AT+WIPCREATE=2,1,"server.example",80   (composed)' in done.stdout
        for name in registry.ids():
            if "module" in registry.load(name).tables.roles:
                assert f"\n  {name} " in done.stdout

    def test_what_is_no_command_is_named(self) -> None:
        said = run("explain", "AT+MIPCLOSE=1", "--dialect", "fibocom").stdout
        assert "  edsoft-3.02    <ETX>   (native)\n" in said
        said = run("explain", "AT#GETMAIL", "--dialect", "edsoft").stdout
        assert "  fibocom-l610   the gateway speaks POP3 itself, over the module's sockets   (polyfilled)\n" in said
        said = run("explain", 'AT+MIPDNS="a.example"', "--dialect", "fibocom").stdout
        assert "  edsoft-2.10    refused: the host hears +CME ERROR: 4\n" in said

    def test_as_json(self) -> None:
        done = run("explain", "+CME ERROR: 842", "--dialect", "wipsoft", "--format", "json")
        found = json.loads(done.stdout)
        assert found["explained"][0]["kind"] == "error"
        assert found["becomes"] == []

    @pytest.mark.parametrize("host", [name for name in registry.ids() if "host" in registry.load(name).tables.roles])
    def test_every_example_of_a_host_can_be_asked_about(self, host: str) -> None:
        """One of each command: what it becomes is worked out on every module, and nothing breaks."""
        for command in registry.load(host).tables.commands.values():
            example = next((example for form in command.forms for example in form.examples), None)
            if example is not None:
                done = run("explain", example, "--dialect", host)
                assert done.exit_code == 0, (example, done.output, done.exception)


class TestDialects:
    def test_all_of_them(self) -> None:
        rows = json.loads(run("dialects", "--format", "json").stdout)
        assert [row["dialect"] for row in rows] == registry.ids()

    def test_one_of_them(self) -> None:
        rows = json.loads(run("dialects", "fibocom", "--kind", "error", "--format", "json").stdout)
        assert {row["text"] for row in rows} == set(registry.load("fibocom").tables.errors)

    def test_no_cell_of_the_pairs_is_empty(self) -> None:
        rows = json.loads(run("dialects", "--pairs", "--format", "json").stdout)
        assert rows
        assert all(row["way"] in ("native", "composed", "polyfilled", "emulated", "refused") for row in rows)

    @pytest.mark.parametrize("arguments", [("--kind", "error"), ("--pairs", "--switches"), ("edsoft", "--pairs")])
    def test_what_does_not_go_together(self, arguments: tuple[str, ...]) -> None:
        assert run("dialects", *arguments).exit_code == 2
