"""Faults that are known: each is an expected failure with its reason, and an error as soon as it is gone."""

from __future__ import annotations

from fnmatch import fnmatchcase

FAULTS: dict[str, str] = {
    "fibocom-l610-on-wipsoft-*:several-sockets-by-turns": (
        "the WIPSoft driver stays in the data mode of the socket that was opened last, where the module tells nothing of "
        "the others: what their peers send is not noticed until that data mode is left"
    ),
}
"""Pattern of a cell's name (``host-on-module:scenario-form``) to what is wrong."""


def fault(cell: str) -> str:
    """Why a cell fails; empty when it does not."""
    return next((reason for pattern, reason in FAULTS.items() if fnmatchcase(cell, pattern)), "")
