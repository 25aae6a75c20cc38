"""Commands outside every dialect whose meaning matters all the same (3GPP TS 27.007)."""

from __future__ import annotations

import re

_RESET = re.compile(r"\+CFUN *= *1 *(, *[01] *)?", re.IGNORECASE)


def resets(text: str) -> bool:
    """Whether a command, behind its AT, makes a module of these families restart (8.2)."""
    return _RESET.fullmatch(text.strip()) is not None
