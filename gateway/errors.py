"""Exceptions, by who must act: the user (input, configuration), the link, or ourselves.

An AT command that fails is not an exception but a value: see :mod:`gateway.model.results`.
"""

from __future__ import annotations


class GatewayError(Exception):
    """Root of everything that this package raises on purpose."""

    exit_code = 2


class InputError(GatewayError):
    """The input or the configuration is wrong; the message names the place and what was expected."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None, column: int | None = None):
        self.file, self.line, self.column = file, line, column
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        super().__init__(f"{place}: {message}" if place else message)


class LinkError(GatewayError):
    """A link could not be opened, or was lost for good."""

    exit_code = 3


class InternalError(GatewayError):
    """A promise that this package makes to itself was broken."""

    exit_code = 4


def nearest(word: str, known: list[str], *, cutoff: float = 0.5) -> str | None:
    """The member of ``known`` that ``word`` was most likely meant to be, or None; ``cutoff``: how like, 0 to 1."""
    import difflib  # noqa: PLC0415  # only for messages, never on a data path

    folded = {name.lower(): name for name in known}
    matches = difflib.get_close_matches(word.lower(), list(folded), n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None
