"""Multimedia messages of a program for WIPSoft 5.57 modules: options, a part for each file, and off (5.3.7.6, 9.9)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_moving import Moving

MMS = 8
TO_PHONE, TO_MAIL, CC_PHONE, CC_MAIL, BCC_PHONE, BCC_MAIL = range(81, 87)
SUBJECT, CLASS, PRIORITY, HIDDEN, FROM, RELATED, FILE, ANY_FILE, CHUNKED, DONE = range(87, 97)
SMIL, US_ASCII, JPEG = 9, 3, 4
"""Values of option 93 (5.3.7.6.3)."""


class WipsoftMms:
    """See the module's text."""

    def __init__(self, host: WipsoftHost) -> None:
        self._host = host
        self.moving = Moving(host)

    def open(self, proxy: str, port: int, centre: str) -> None:
        """A session with a centre, by way of the operator's proxy."""
        self._host.command(f'AT+WIPCREATE={MMS},1,"{proxy}",{port},"{centre}"')
        self._host.event(f"+WIPREADY: {MMS},1")

    @contextmanager
    def session(self, proxy: str, port: int, centre: str) -> Iterator[None]:
        """One that is closed by the host."""
        self.open(proxy, port, centre)
        try:
            yield
        finally:
            self._host.command(f"AT+WIPCLOSE={MMS},1")

    def option(self, number: int, *values: str | int) -> None:
        """Set an option; ``""`` leaves a value out."""
        texts = (f'"{value}"' if isinstance(value, str) and value else str(value) for value in values)
        self._host.command(",".join([f"AT+WIPOPT={MMS},1,2,{number}", *texts]))

    def file(self, data: bytes, name: str, content_id: str = "") -> None:
        """A part that was announced."""
        self.moving.give(f'{MMS},1,2,"{name}"' + (f',"{content_id}"' if content_id else ""), data)

    def send(self) -> None:
        """Off; the session ends with it. Raises :class:`matrix.host.Failure`."""
        self._host.command(f"AT+WIPOPT={MMS},1,2,{DONE}", limit_s=60)
        self._host.event(f"+WIPPEERCLOSE: {MMS},1")
