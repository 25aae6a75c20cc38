"""Web pages of a program for WIPSoft 5.57 modules: a session, and +WIPFILE for each request (5.1, 5.3.7.3, 6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from matrix.edsoft import escape
from matrix.host import GUARD_S, OK
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_moving import Moving

HTTP = 5
GET, PUT, DELETE, POST, GET_OFFLINE = 1, 2, 3, 4, 7
"""Modes of +WIPFILE (6.1.5)."""
VERSION, REDIRECTS = 52, 53
_DONE = re.compile(r'\r\n\+WIPFILE: 5,1,(\d),(\d+),"([^"]*)"\r\n')


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    reason: str
    page: bytes = b""


class WipsoftWeb:
    """See the module's text."""

    def __init__(self, host: WipsoftHost) -> None:
        self._host = host
        self._moving = Moving(host)

    @contextmanager
    def session(self, *arguments: str | int) -> Iterator[None]:
        """A session, by way of a proxy where the arguments begin with one; ``""`` leaves one out."""
        texts = (f'"{one}"' if isinstance(one, str) and one else str(one) for one in arguments)
        self._host.command(",".join(["AT+WIPCREATE=5,1", *texts]))
        self._host.event("+WIPREADY: 5,1")
        try:
            yield
        finally:
            self._host.command("AT+WIPCLOSE=5,1", limit_s=30)

    def option(self, number: int, value: int) -> None:
        """Set an option."""
        self._host.command(f"AT+WIPOPT={HTTP},1,2,{number},{value}")

    def ask(self, url: str, mode: int = GET, *more: str) -> Answer:
        """A request that brings a page; ``more``: user and password, then headers. Raises
        :class:`matrix.host.Failure`."""
        command = _command(url, mode, *more)
        page = self._moving.fetch_offline(command) if mode == GET_OFFLINE else self._moving.fetch(command)
        return self.done(mode, page)

    def send(self, url: str, mode: int, body: bytes, *more: str) -> Answer:
        """A request that takes a body; its page is not shown. Raises :class:`matrix.host.Failure`."""
        self._moving.give(_command(url, mode, *more), body)
        return self.done(mode)

    def breaks_off(self, url: str, page: bytes) -> None:
        """Take the begin of a page and want no more of it: +++ in silence (6.1.2); see :meth:`done`."""
        self._moving.opened(_command(url, GET))
        wanted = escape(page)
        assert self._host.line.take(len(wanted)) == wanted
        self._host.line.deaf_for(GUARD_S)  # else all of it would be there before its end is said
        self._host.line.say(b"+++")
        self._host.line.deaf_for(GUARD_S)
        rest = self._host.line.until(OK, limit_s=60)
        assert rest.endswith(OK)

    def done(self, mode: int, page: bytes = b"") -> Answer:
        """What is said behind a request: the server's word."""
        match = _DONE.fullmatch(self._host.line.until(b'"\r\n').decode("latin-1"))
        assert match
        assert int(match[1]) == mode
        return Answer(int(match[2]), match[3], page)


def _command(url: str, mode: int, *more: str) -> str:
    return ",".join([f"{HTTP},1,{mode}", *(f'"{text}"' for text in (url, *more))])
