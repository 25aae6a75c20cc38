"""The walk-through of dialects/README.md, followed to the letter in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT_S = 60
_FILE = re.compile(r"^ {3}`([^`]+)`:\n\n {3}(`{3,})\w+\n(.*?\n) {3}\2\n", re.MULTILINE | re.DOTALL)


def files_of(text: str) -> dict[str, str]:
    """Path to content of each file that the walk-through shows."""
    section = text.partition("## Adding a dialect\n")[2].partition("\n## Switches")[0]
    return {match[1]: textwrap.dedent(match[3]) for match in _FILE.finditer(section)}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the four files in it."""
    top = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    for name in ("gateway", "grammars", "dialects"):
        shutil.copytree(ROOT / name, top / name, ignore=ignored)
    (top / "tests").mkdir()
    shutil.copytree(ROOT / "tests" / "support", top / "tests" / "support", ignore=ignored)
    (top / "tests" / "session").mkdir()
    shutil.copy(ROOT / "tests" / "session" / "test_transcripts.py", top / "tests" / "session")
    shutil.copy(ROOT / "pyproject.toml", top)
    files = files_of((ROOT / "dialects" / "README.md").read_text(encoding="utf-8"))
    assert len(files) == 4
    for path, content in files.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(content, encoding="utf-8")
    return top


def run(copy: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def test_it_is_a_dialect(copy: Path) -> None:
    done = run(copy, "-m", "gateway", "dialects")
    assert done.returncode == 0, done.stderr
    assert re.search(r"^acme-1 +yes +no +yes +2 ", done.stdout, re.MULTILINE)
    assert "AT$OPEN=<host>,<port>" in run(copy, "-m", "gateway", "dialects", "acme-1").stdout


def test_it_can_be_explained_and_checked(copy: Path) -> None:
    done = run(copy, "-m", "gateway", "explain", 'AT$OPEN="a.example",80', "--dialect", "acme-1")
    assert done.returncode == 0, done.stderr
    assert "ACME AT commands, 2.2" in done.stdout
    script = copy / "script.at"
    script.write_text(
        'AT$OPEN="a.example",80\nAT$LINK=1\nAT$OPEN="a.example",80\n>hello\n+++\nAT$LINK=2\n', encoding="utf-8"
    )
    done = run(copy, "-m", "gateway", "check", str(script), "--dialect", "acme-1")
    assert done.returncode == 1, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith(str(script))] == [
        f"{script}:1:1: $OPEN is refused here, after the lines before it: $ERR: 3 (the link is down)",
        f"{script}:6:9: $LINK: expected on: one of 0, 1, found '2'",
    ]


def test_its_transcript_passes_and_its_types_are_right(copy: Path) -> None:
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/session/test_transcripts.py")
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith(".. "), done.stdout  # whole and byte by byte
    done = run(copy, "-m", "mypy", "--cache-dir", str(copy / "cache"), "gateway/dialect/quirks/acme.py")
    assert done.returncode == 0, done.stdout
