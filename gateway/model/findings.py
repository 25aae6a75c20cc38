"""What a person should know: something was lost, changed, refused or odd."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What sort of loss a finding is."""

    EMULATED = "emulated"
    """Kept and answered, without effect on the module."""
    REFUSED = "refused"
    LOST = "lost"
    """Data that could not be delivered."""
    CHANGED = "changed"
    """Done, but not quite as asked."""
    ODD = "odd"
    """The other side said something that its manual does not."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One loss: what it was, what became of it, and which document says so."""

    kind: FindingKind
    old: str
    new: str = ""
    source: str = ""
