"""Files of a program for eDSoft modules (S000333, ch. 4): one command logs in, moves a file and logs out."""

from __future__ import annotations

from support.files import USER

from matrix.edsoft import WAITING, EdsoftHost, escape
from matrix.files import PASSWORD, PIECE_BYTES, FilesProgram
from matrix.host import Failure

BEGIN = b"\r\nOk_Info_DataBegin\r\n"
ETX = b"\x03"

CODES = {
    "refused": "38016",
    "unreachable": "38016",
    "silent": "37964",
    "unknown name": "38027",
    "password": "38081",
    "file": "38024",
    "folder": "38022",
    "gone": "37966",
}
CODES |= {f"{what} later": CODES[what] for what in ("refused", "unreachable", "silent", "unknown name", "password")}


class EdsoftFiles(FilesProgram):
    """See the module's text."""

    def __init__(self, host: EdsoftHost) -> None:
        self._host, self._line, self.codes = host, host.line, CODES
        if not host.numbered:
            self.modes = (False,)  # there is no #FTPMODE yet

    def log_in(
        self, host: str, port: int, password: str = PASSWORD, *, binary: bool = True, passive: bool | None = None
    ) -> None:
        self._host.command(f'AT#FTPSERV="{host}";#FTPPORT={port};#FTPUN="{USER}";#FTPPW="{password}"')
        self._host.command(f"AT#FTPTYPE={'I' if binary else 'A'}")
        if True in self.modes:
            self._host.command(f"AT#FTPMODE={int(bool(passive))}")

    def log_out(self) -> None:
        """Each command does."""

    def name(self, what: str, path: str) -> None:
        """Which file the next command means."""
        folder, _, name = path.rpartition("/")
        self._host.command(f'AT#FTP{what}PATH="{folder or "."}";#FTP{what}FILENAME="{name}"')

    def _begin(self, what: str, path: str, ready: bytes) -> None:
        self.name(what, path)
        self._line.say(f"AT#FTP{what}\r".encode())
        said = self._line.until(ready, b"ERROR: ", limit_s=40)
        self._failed(said, b"")
        assert said == ready, said

    def _failed(self, said: bytes, before: bytes) -> None:
        if said.endswith(b"ERROR: "):
            assert said == before + b"\r\n#CME ERROR: ", said
            raise Failure(self._line.until(b"\r\n").decode().strip())

    def _result(self, before: bytes = b"") -> None:
        said = self._line.until(b"OK\r\n", b"ERROR: ", limit_s=60)
        self._failed(said, before)
        assert said == before + b"\r\nOK\r\n", said

    def get(self, path: str, data: bytes, form: str = "") -> None:
        self._begin("GET", path, BEGIN)
        wanted = escape(data)
        got = self._line.take(len(wanted), limit_s=120)
        assert got == wanted, f"{got[:200]!r} is not {wanted[:200]!r}"
        self._result(ETX)

    def put(self, path: str, data: bytes, form: str = "", *, append: bool = False) -> None:
        assert not append, "the dialect has no such command"
        self._begin("PUT", path, WAITING)
        wanted = escape(data)
        for at in range(0, len(wanted), PIECE_BYTES):
            self._line.say(wanted[at : at + PIECE_BYTES])
        self._line.say(ETX)
        self._result()

    def put_in_vain(self, path: str, data: bytes) -> None:
        self._begin("PUT", path, WAITING)
        self._line.say(escape(data))
        self._result()
        raise AssertionError("OK for a file that never ended")
