"""Files of a program for WIPSoft modules (6.1): a session with the server, and a command for each file."""

from __future__ import annotations

import re

from support.files import USER

from matrix.edsoft import escape
from matrix.files import PASSWORD, PIECE_BYTES, FilesProgram
from matrix.host import GUARD_S, OK, Failure
from matrix.wipsoft import WipsoftHost

FTP = 4
ETX = b"\x03"
BLOCK_BYTES = 200
"""A block of hexadecimal digits (6.3.1)."""
GET = {"continuous": 1, "transparent": 1, "offline": 7}
PUT = {"continuous": 2, "plus": 2, "transparent": 2, "offline": 6}
APPEND = {"continuous": 5, "transparent": 5, "offline": 9}
"""Modes of +WIPFILE (6.1.5)."""
NEWER = {
    "refused": "842",
    "unreachable": "842",
    "silent": "842",
    "unknown name": "842",
    "password": "862",
    "file": "860",
    "folder": "860",
    "gone": "841",
    "no append": "834",
    "no session": "831",
    "second session": "840",
}
OLDER = NEWER | {
    "refused": "3",
    "unreachable": "3",
    "silent": "3",
    "unknown name": "3",
    "password": "3",
    "file": "850",
    "folder": "850",
    "gone": "850",
    "second session": "831",
}
LATER = ("refused", "unreachable", "silent", "unknown name", "password")
NEWER |= {f"{what} later": NEWER[what] for what in LATER}
OLDER |= {f"{what} later": "850" for what in LATER}


class WipsoftFiles(FilesProgram):
    """See the module's text."""

    session = True

    def __init__(self, host: WipsoftHost) -> None:
        self._host, self._line = host, host.line
        self.codes = OLDER if host.older else NEWER
        self.appends = not host.older
        self.get_forms = ("continuous",) if host.older else ("continuous", "transparent", "offline")
        self.put_forms = ("continuous", "plus") if host.older else ("continuous", "transparent", "offline")
        self._open = False

    def log_in(
        self, host: str, port: int, password: str = PASSWORD, *, binary: bool = True, passive: bool | None = None
    ) -> None:
        self._host.command(f'AT+WIPCREATE=4,1,"{host}",{port},"{USER}","{password}"', limit_s=40)
        self._open = True
        if binary:  # the default is ASCII
            self._host.command("AT+WIPOPT=4,1,2,40,1")
        if passive is False:  # the default is passive
            self._host.command("AT+WIPOPT=4,1,2,41,0")

    def log_out(self) -> None:
        if self._open:
            self._open = False
            self._host.command("AT+WIPCLOSE=4,1", limit_s=30)
            self._host.event("+WIPPEERCLOSE: 4,1")

    def gone(self) -> None:
        """The server ends the session."""
        self._host.event("+WIPPEERCLOSE: 4,1")
        self._open = False

    def _begin(self, mode: int, path: str, form: str) -> list[str]:
        ending = ",1" if form == "transparent" else ""
        return self._host.answer(f'AT+WIPFILE=4,1,{mode},"{path}"{ending}', limit_s=40)

    def _result(self, before: bytes = b"") -> None:
        said = self._line.until(b"OK\r\n", b"ERROR: ", limit_s=60)
        if said.endswith(b"ERROR: "):
            assert said == before + b"\r\n+CME ERROR: ", said
            raise Failure(self._line.until(b"\r\n").decode().strip())
        assert said == before + OK, said

    def get(self, path: str, data: bytes, form: str = "") -> None:
        form = form or "continuous"
        said = self._begin(GET[form], path, form)
        if form == "offline":
            self._blocks([*self._host.told, *said], data)
            self._host.told.clear()
            return
        assert said == ["CONNECT"], said
        wanted = data if form == "transparent" else escape(data)
        got = self._line.take(len(wanted), limit_s=120)
        assert got == wanted, f"{got[:200]!r} is not {wanted[:200]!r}"
        self._result(b"" if form == "transparent" else ETX)

    def _blocks(self, said: list[str], data: bytes) -> None:
        """+WIPDATARW: 2, how many there are in this go, the number of each, digits (S47)."""
        *blocks, closed, last = said
        assert (closed, last) == ("+WIPDATARW: 0,1", "OK"), said[-2:]
        got = b""
        for block in blocks:
            match = re.fullmatch(r'\+WIPDATARW: 2,1,\d+,\d+,"([0-9A-F]*)"', block)
            assert match, block
            got += bytes.fromhex(match[1])
        assert got == data, f"{got[:200]!r} is not {data[:200]!r}"

    def put(self, path: str, data: bytes, form: str = "", *, append: bool = False) -> None:
        form = form or "continuous"
        said = self._begin((APPEND if append else PUT)[form], path, form)
        if form == "offline":
            assert said == ["+WIPDATARW: 1,1", "OK"], said
            self._put_blocks(data)
            return
        assert said == ["CONNECT"], said
        wanted = data if form == "transparent" else escape(data)
        for at in range(0, len(wanted), PIECE_BYTES):
            self._line.say(wanted[at : at + PIECE_BYTES])
        if form == "continuous":
            self._line.say(ETX)
        else:
            assert self._line.silent_for(GUARD_S) == b""
            self._line.say(b"+++")
        self._result()

    def _put_blocks(self, data: bytes) -> None:
        """Into the buffer, the last one with everything (9.5, S46)."""
        blocks = [data[at : at + BLOCK_BYTES] for at in range(0, len(data), BLOCK_BYTES)]
        for block in blocks[:-1]:
            assert self._host.command(f'AT+WIPDATARW=2,1,"{block.hex().upper()}"') == ""
        said = self._host.command(f'AT+WIPDATARW=1,1,"{blocks[-1].hex().upper()}"', limit_s=30)
        assert said == f"+WIPDATARW: 3,1,{len(data)} | +WIPDATARW: 0,1", said

    def put_in_vain(self, path: str, data: bytes) -> None:
        said = self._begin(PUT["continuous"], path, "")
        assert said == ["CONNECT"], said
        self._line.say(escape(data))
        self._result(ETX)
        raise AssertionError("OK for a file that never ended")

    def breaks_off(self, path: str, size: int) -> None:
        """Take so much of a file and want no more: +++ in silence (6.1.2); its bytes are all zero."""
        assert self._begin(GET["continuous"], path, "") == ["CONNECT"]
        assert self._line.take(size) == bytes(size)
        self._line.deaf_for(GUARD_S)  # else all of it would be there before its end is said
        self._line.say(b"+++")
        self._line.deaf_for(GUARD_S)
        rest = self._line.until(OK, limit_s=60)
        said = rest.strip(b"\0")
        assert said == OK, said[-200:]
