"""An FTP server that others wrote (pyftpdlib), on a free port of loopback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from gateway.model.services import OpenFtp
from gateway.model.values import Endpoint, Secret
from support.client import ONE

USER = "meter"
GOES = "goes"
"""A file of this name is the end of the server's connections, as soon as some of it has been read or written."""
FAILS = "fails"
"""A file of this name cannot be read to its end, nor written."""


class Files:
    """A server, its folder and what it was told. Thread and loop are its own: it shares nothing with others."""

    def __init__(self, folder: Path, password: str = "secret") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, password, str(folder), perm="elradfmwMT")
        self.commands: list[str] = []
        self._closed = False
        outer = self

        class Shelf(AbstractedFS):  # type: ignore[misc]
            def open(self, filename: str, mode: str) -> object:
                opened = super().open(filename, mode)
                trouble = {GOES: outer._hang_up, FAILS: _fail}.get(Path(filename).name)
                return opened if trouble is None else _Troubled(opened, trouble)

        class Handler(FTPHandler):  # type: ignore[misc]
            def process_command(self, cmd: str, *args: object, **options: object) -> None:
                outer.commands.append(" ".join([cmd, *map(str, args if cmd == "TYPE" else ())]))
                super().process_command(cmd, *args, **options)

        Handler.authorizer = authorizer
        Handler.abstracted_fs = Shelf
        Handler.auth_failed_timeout = 0
        Handler.use_sendfile = False
        Handler.permit_foreign_addresses = True  # a client may listen at another address than it calls from
        self.handler = Handler
        self._loop = IOLoop()
        self._server = FTPServer(("127.0.0.1", 0), Handler, ioloop=self._loop)
        self.place = Endpoint("127.0.0.1", self._server.socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._closed:
            self._loop.loop(timeout=1.0, blocking=False)
        self._server.close_all()

    def _hang_up(self) -> None:
        """Say nothing more to anybody."""
        for each in list(self._loop.socket_map.values()):
            if each is not self._server:
                each.socket.shutdown(socket.SHUT_RDWR)

    def session(self, **options: object) -> OpenFtp:
        return OpenFtp(ONE, self.place, USER, Secret("secret"), **options)  # type: ignore[arg-type]

    def close(self) -> None:
        """End everything, in the middle of whatever it is."""
        if not self._closed:
            self._closed = True
            with suppress(ConnectionError):  # it wakes, or has just been awake
                socket.create_connection((self.place.host, self.place.port)).close()
            self._thread.join()


class _Troubled:
    """A file with which something happens behind its first piece."""

    def __init__(self, opened: IO[bytes], trouble: Callable[[], None]) -> None:
        self._opened, self._trouble, self._touched = opened, trouble, False
        self.name = opened.name

    def read(self, size: int) -> bytes:
        if self._touched:
            self._trouble()
            return b""
        self._touched = True
        return self._opened.read(size)

    def write(self, data: bytes) -> None:
        self._opened.write(data)
        self._trouble()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._opened, name)


def _fail() -> None:
    raise OSError("this file has a fault")
