"""Tables in documents that the program itself prints: ``python -m support.generated``, in ``tests``, writes them anew.

Such a table stands between a comment with the command that prints it and one that says ``end``.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from gateway.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (ROOT / "README.md", ROOT / "dialects" / "README.md")
_BLOCK = re.compile(r"(<!-- at-gateway (.+?) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def renewed(text: str) -> str:
    """A document's text with its tables as the program prints them now."""
    return _BLOCK.sub(lambda block: block[1] + _printed(block[2]) + block[4], text)


def _printed(arguments: str) -> str:
    result = CliRunner().invoke(cli, shlex.split(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


if __name__ == "__main__":
    for path in DOCUMENTS:
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
