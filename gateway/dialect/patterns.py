"""Patterns of commands as the dialect files write them (``+CMGS=*``), compiled once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate


def squeeze(text: str) -> str:
    """A command, without its ``AT``, as patterns are compared with it: no blanks, capitals."""
    return text.replace(" ", "").upper()


class CommandPatterns:
    """A set of patterns; ``*`` stands for anything."""

    def __init__(self, patterns: Iterable[str]) -> None:
        joined = "|".join(translate(pattern) for pattern in patterns)
        self._match = re.compile(joined).match if joined else None

    def match(self, squeezed: str) -> bool:
        """Whether a squeezed command is one of them."""
        return self._match is not None and self._match(squeezed) is not None
