"""Tables for terminals and for documents. The first row is the head."""

from __future__ import annotations

from collections.abc import Sequence


def as_text(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns of equal width."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def as_markdown(rows: Sequence[tuple[str, ...]]) -> str:
    """A table of GitHub's Markdown."""
    cells = [tuple(cell.replace("|", "\\|").replace("<", "\\<") for cell in row) for row in rows]
    head, *body = ("| " + " | ".join(row) + " |" for row in cells)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
