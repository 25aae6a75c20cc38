"""What a host reads: information text and result codes in the form that ``ATV`` and ``ATQ`` ask for (V.250 section 5.7).

All text of one answer goes out in one write: some hosts take a pause for its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.wire.settings import LineSettings


@dataclass(frozen=True, slots=True)
class Framing:
    """A dialect's own habits around results."""

    numeric_result: str = "{code}\r"
    """A result code under ``ATV0``."""
    numeric: dict[str, str] | None = None
    """Result text to its number, for ``ATV0``; a text without one is printed in words."""
    quiet_hides_text: bool = False
    """``ATQ1`` hides information text too, not only results."""
    numeric_after_text: bool = True
    """Under ``ATV0`` a result behind information text is a number as well."""


def text_block(lines: Sequence[str], settings: LineSettings) -> bytes:
    """Information text: one block, its lines separated by the line end; nothing for no lines."""
    if not lines:
        return b""
    end = settings.end
    body = end.decode("latin-1").join(lines).encode("latin-1", "replace") + end
    return end + body if settings.verbose else body


def result(text: str, settings: LineSettings, framing: Framing, *, after_text: bool = False) -> bytes:
    """A result code, in words or as a number, or nothing under ``ATQ1``."""
    if settings.quiet or not text:
        return b""
    end = settings.end
    if not settings.verbose and (framing.numeric_after_text or not after_text):
        number = (framing.numeric or {}).get(text)
        if number is not None:
            form = framing.numeric_result.replace("{code}", number)
            return form.encode("latin-1").replace(b"\r", end[:1])
    return end + text.encode("latin-1", "replace") + end
