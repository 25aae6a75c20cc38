"""When something is due, among times that may be missing."""

from __future__ import annotations


def earliest(*times: float | None) -> float | None:
    """The first of these times; None when there is none."""
    due = None
    for time in times:
        if time is not None and (due is None or time < due):
            due = time
    return due
