"""Faults that are known: each is an expected failure with its reason, and an error as soon as it is gone."""

from __future__ import annotations

from fnmatch import fnmatchcase

FAULTS: dict[str, str] = {}
"""Pattern of a cell's name (``host-on-module:scenario-form``) to what is wrong."""


def fault(cell: str) -> str:
    """Why a cell fails; empty when it does not."""
    return next((reason for pattern, reason in FAULTS.items() if fnmatchcase(cell, pattern)), "")
