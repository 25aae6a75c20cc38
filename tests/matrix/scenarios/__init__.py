"""The scenarios, in the order in which they are played."""

from matrix.scenarios import bearer, streams, endings, several, failures, listening, datagrams, names, ping, mail, line  # noqa: I001

__all__ = [
    "bearer",
    "datagrams",
    "endings",
    "failures",
    "line",
    "listening",
    "mail",
    "names",
    "ping",
    "several",
    "streams",
]
