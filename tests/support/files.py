"""An FTP server that others wrote (pyftpdlib), on a free port of loopback."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

from gateway.model.services import OpenFtp
from gateway.model.values import Endpoint, Secret
from support.client import ONE


class Files:
    """A server, its folder and what it was told."""

    def __init__(self, folder: Path, password: str = "secret") -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        authorizer = DummyAuthorizer()
        authorizer.add_user("meter", password, str(folder), perm="elradfmwMT")
        self.commands: list[str] = []
        commands = self.commands

        class Handler(FTPHandler):  # type: ignore[misc]
            def process_command(self, cmd: str, *args: object, **options: object) -> None:
                commands.append(cmd)
                super().process_command(cmd, *args, **options)

        Handler.authorizer = authorizer
        self.handler = Handler
        self.server = ThreadedFTPServer(("127.0.0.1", 0), Handler)
        self.place = Endpoint("127.0.0.1", self.server.socket.getsockname()[1])
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with suppress(OSError, ValueError):  # it is closed while it waits
            self.server.serve_forever(timeout=0.05)

    def session(self, **options: object) -> OpenFtp:
        return OpenFtp(ONE, self.place, "meter", Secret("secret"), **options)  # type: ignore[arg-type]

    def close(self) -> None:
        self.server.close_all()
        self.thread.join()
