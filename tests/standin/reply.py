"""How a command can end, and whose the port's bytes are."""

from __future__ import annotations

from enum import Enum


class Mode(Enum):
    """Whose the port's bytes are."""

    COMMAND = "command"
    DATA = "data"
    PROMPT = "prompt"


class Later(Enum):
    """The answer of a command was given, or is to come."""

    LATER = "later"


LATER = Later.LATER
Reply = list[str] | None | Later
"""Information lines before the OK, only OK, or no answer now."""
