"""Transcripts: documents that are tests.

A block ```` ```transcript ```` holds lines: ``host> `` the host sends, ``host< `` it reads, ``module> `` the module is
sent, ``module< `` the module says, ``wait SECONDS`` lets time pass. ``<CR>``, ``<LF>``, ``<ETX>``, ``<DLE>``, ``<SUB>``,
``<ESC>`` and ``<xNN>`` are bytes; ``[text]`` is the text between two CR LF; a ``module> `` line ends with CR unless it
says otherwise by ``<none>``. Everything that is read must stand there, in its order, to the byte.

With ``module=none`` the module is a virtual one, and the other side of its sockets speaks: ``peer> `` it gets,
``peer< `` it sends (``(ADDRESS:PORT) `` before a datagram), ``peer! `` something happens (see ``support.stage``);
``peer2`` is that of the second socket that was opened, ``peer`` that of the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAMES = {"CR": 13, "LF": 10, "ETX": 3, "DLE": 16, "SUB": 26, "ESC": 27}
_TOKEN = re.compile(r"<(CR|LF|ETX|DLE|SUB|ESC|x[0-9A-Fa-f]{2})>|\[([^\[\]]*)\]")


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    line: int
    verb: str
    data: bytes
    seconds: float = 0.0


@dataclass(frozen=True)
class Transcript:
    """One block."""

    path: Path
    title: str
    options: dict[str, str]
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return f"{self.path.parent.name}/{self.path.stem}: {self.title}"


def read(path: Path) -> list[Transcript]:
    """All blocks of a file; the title is the heading above."""
    found: list[Transcript] = []
    title, steps, options, inside = path.stem, [], {}, False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") and not inside:
            title = line.lstrip("# ").strip()
        elif line.startswith("```transcript"):
            inside, steps = True, []
            options = dict(part.split("=", 1) for part in line.split()[1:])
        elif line.startswith("```") and inside:
            inside = False
            found.append(Transcript(path, title, options, tuple(steps)))
        elif inside and line.strip() and not line.startswith("//"):
            steps.append(_step(number, line))
    return found


def _step(number: int, line: str) -> Step:
    if line.startswith("wait "):
        return Step(number, "wait", b"", float(line.split()[1]))
    verb, _, text = line.partition(" ")
    if not re.fullmatch(r"(host|module|peer\d*)[<>]|peer\d*!", verb):
        raise ValueError(f"line {number}: {line!r} is not a line of a transcript")
    data = to_bytes(text)
    if verb == "module>" and not text.endswith("<none>"):
        data += b"\r"
    return Step(number, verb, data)


def to_bytes(text: str) -> bytes:
    """The bytes of a line of a transcript."""
    text = text.removesuffix("<none>")

    def one(match: re.Match[str]) -> str:
        if match[2] is not None:
            return f"\r\n{match[2]}\r\n"
        name = match[1]
        return chr(_NAMES[name] if name in _NAMES else int(name[1:], 16))

    return _TOKEN.sub(one, text).encode("latin-1")
