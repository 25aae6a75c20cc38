"""The figures with their bars, as text, JSON or Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. ``at_least``: the bar is a lower one."""

    name: str
    value: float
    bar: float
    unit: str
    detail: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    @property
    def margin(self) -> float:
        """How far from the bar, as a part of it; below 0 it is missed."""
        return (self.value / self.bar - 1) if self.at_least else (1 - self.value / self.bar)


HEAD = ("figure", "measured", "bar", "margin", "", "detail")


def _cells(figure: Figure) -> tuple[str, ...]:
    unit = f" {figure.unit}" if figure.unit else ""
    return (
        figure.name,
        f"{figure.value:.3g}{unit}",
        f"{'≥' if figure.at_least else '≤'} {figure.bar:g}{unit}",
        f"{figure.margin:+.0%}",
        "met" if figure.met else "MISSED",
        figure.detail,
    )


def as_text(figures: Sequence[Figure], about: dict[str, str]) -> str:
    """A table for a terminal."""
    rows = [HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * len(lines[0]))
    return "\n".join([_about(about), "", *lines])


def as_markdown(figures: Sequence[Figure], about: dict[str, str]) -> str:
    """A table for a document."""
    rows = [HEAD, ("---",) * len(HEAD), *(_cells(figure) for figure in figures)]
    return "\n".join([_about(about), "", *("| " + " | ".join(row) + " |" for row in rows)])


def as_json(figures: Sequence[Figure], about: dict[str, str]) -> str:
    """For programs."""
    rows = [
        {
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "bar": figure.bar,
            "bar_is": "at least" if figure.at_least else "at most",
            "met": figure.met,
            "detail": figure.detail,
        }
        for figure in figures
    ]
    return json.dumps({"about": about, "figures": rows}, ensure_ascii=False, indent=2)


def _about(about: dict[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in about.items())


FORMATS = {"text": as_text, "json": as_json, "markdown": as_markdown}
