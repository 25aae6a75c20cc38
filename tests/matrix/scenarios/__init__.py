"""The scenarios, in the order in which they are played."""

from matrix.scenarios import (  # noqa: I001
    bearer,
    streams,
    endings,
    several,
    failures,
    listening,
    datagrams,
    names,
    ping,
    mail,
    mailbox,
    web,
    mms,
    files,
    secure,
    line,
)

__all__ = [
    "bearer",
    "datagrams",
    "endings",
    "failures",
    "files",
    "line",
    "listening",
    "mail",
    "mailbox",
    "mms",
    "names",
    "ping",
    "secure",
    "several",
    "streams",
    "web",
]
