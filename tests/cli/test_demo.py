"""``at-gateway demo``: the main job, no hardware; it ends by itself with a verdict (CONTRACT, The program)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.resources import folder

LIMIT_S = 60.0
PROGRAM = (sys.executable, "-W", "error", "-m", "gateway", "demo")
IMPATIENT = (
    sys.executable,
    "-W",
    "error",
    "-c",
    "import gateway.cli.demo as demo; demo.ANSWER_S = 1.0; from gateway.cli.main import main; main()",
    "demo",
)
"""The same program, that waits a second for what does not come."""


@dataclass
class Run:
    """A demonstration that runs in the background."""

    process: subprocess.Popen[str]
    scratch: Path
    """The folder for its temporary files."""
    _ended: tuple[str, str] | None = None

    def ended(self) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        if self._ended is None:
            self._ended = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, *self._ended


def start(scratch: Path, *command: str, **environment: str) -> Run:
    """Begin; it goes on while others are looked at."""
    scratch.mkdir()
    return Run(
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TMPDIR": str(scratch)} | environment,
        ),
        scratch,
    )


def without_network() -> list[str] | None:
    """How to start a program where even loopback is down; None where the system does not allow it."""
    program = shutil.which("unshare")
    for options in (["-n"], ["-r", "-n"]):
        if program is not None:
            tried = subprocess.run([program, *options, "true"], capture_output=True, timeout=LIMIT_S, check=False)
            if tried.returncode == 0:
                return [program, *options]
    return None


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    """All at the same time: what one waits for does not cost the others."""
    where = tmp_path_factory.mktemp("demo")
    own = where / "dialects"
    own.mkdir()
    shipped = (folder("dialects") / "edsoft-3.02.yaml").read_text(encoding="utf-8")
    assert shipped.count("'MY IP: {address}'") == 1
    (own / "edsoft-3.02.yaml").write_text(shipped.replace("'MY IP: {address}'", "'NOTHING: {address}'"), encoding="utf-8")
    runs = {
        "usual": start(where / "usual", *PROGRAM),
        "chosen": start(where / "chosen", *PROGRAM, "--quiet", "--from", "edsoft-2.10", "--to", "wipsoft"),
        "wipsoft": start(where / "wipsoft", *PROGRAM, "--quiet", "--from", "wipsoft", "--to", "fibocom"),
        "fibocom": start(where / "fibocom", *PROGRAM, "--quiet", "--from", "fibocom", "--to", "wipsoft"),
        "wrong dialect": start(where / "wrong", *IMPATIENT, AT_GATEWAY_DIALECTS=str(own)),
    }
    alone = without_network()
    if alone is not None:
        runs["no network"] = start(where / "alone", *alone, *IMPATIENT, "--quiet")
    yield runs
    for run in runs.values():
        if run.process.poll() is None:
            run.process.kill()
        run.ended()


class TestPassed:
    def test_the_usual_one(self, runs: dict[str, Run]) -> None:
        """Exit 0, a verdict in the last line, both lanes and what became of the commands before it."""
        code, out, err = runs["usual"].ended()
        assert (code, err) == (0, "")
        lines = out.splitlines()
        verdict = re.fullmatch(r"demo passed: (\d+) steps in [\d.]+ s; .+", lines[-1])
        assert verdict is not None and int(verdict[1]) >= 20
        assert "edsoft-3.02" in lines[0] and "wipsoft-5.57" in lines[0]
        text = "\n".join(lines)
        for shown in (
            "host > AT#OTCP=1",
            "wants ConnectTcp",
            "module > AT+WIPCREATE=2,1",
            "module < ",
            "host < Ok_Info_WaitingForData",
            "METER 4711",
            "#CME ERROR: 38027",
            "host > AT#FTPPUT",
            "host > AT#PUTMAIL",
            "module > AT+WIPFILE=6,1,2",
        ):
            assert shown in text, shown

    def test_it_shows_no_secret(self, runs: dict[str, Run]) -> None:
        """SEMANTICS 1.8: the demonstration sets a password, and the screen does not have it."""
        script = (folder("dialects") / "demo" / "edsoft.yaml").read_text(encoding="utf-8")
        secret = re.search(r'#APNPW="([^"]+)"', script)
        assert secret is not None
        _, out, err = runs["usual"].ended()
        assert secret[1] not in out + err
        assert "AT#APNPW=***" in out

    @pytest.mark.parametrize("name", ["chosen", "wipsoft", "fibocom"])
    def test_chosen_dialects(self, runs: dict[str, Run], name: str) -> None:
        """``--from`` and ``--to``; ``--quiet`` leaves the verdict alone."""
        code, out, err = runs[name].ended()
        assert (code, err) == (0, "")
        assert [line for line in out.splitlines() if line] == [out.splitlines()[-1]]
        assert out.splitlines()[-1].startswith("demo passed: ")


class TestFailed:
    def test_a_dialect_that_answers_something_else(self, runs: dict[str, Run]) -> None:
        """A user's own file for the host's dialect: what the host waits for does not come."""
        code, out, err = runs["wrong dialect"].ended()
        assert code == 1
        (line,) = [line for line in err.splitlines() if line]
        assert re.match(r"demo FAILED after \d+ steps: ", line)
        assert "'MY IP:'" in line and "NOTHING" in line, "what was waited for, and what was read"
        assert "host > AT#DISPLAYIP" in out and "passed" not in out

    def test_a_computer_without_a_network(self, runs: dict[str, Run]) -> None:
        """Not even loopback works."""
        if "no network" not in runs:
            pytest.skip("this system does not let a test be without a network")
        code, out, err = runs["no network"].ended()
        assert (code, out) == (1, "")
        (line,) = [line for line in err.splitlines() if line]
        assert re.match(r"demo FAILED after \d+ steps: ", line)

    def test_nothing_is_left_behind(self, runs: dict[str, Run]) -> None:
        """No symbolic link, no folder, whether it passed or failed."""
        for run in runs.values():
            run.ended()
            assert list(run.scratch.iterdir()) == []
