"""What host programs do with mail, in whatever dialect, and the servers for it."""

from __future__ import annotations

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import ClassVar

from support.office import PostOffice
from support.postbox import Box, Postbox
from support.rig import Server

LONG_BYTES = 20_000
"""So much is no longer handed over in odd pieces."""


@dataclass(frozen=True)
class Letter:
    """A mail that goes out."""

    body: bytes = b"0815.4 kWh\r\n"
    recipients: tuple[str, ...] = ("a@there.example",)
    copies: tuple[str, ...] = ()
    blind_copies: tuple[str, ...] = ()
    sender: str = "meter@here.example"
    sender_name: str = "Meter 7"
    subject: str = "Reading"


class Outgoing(ABC):
    """A way to a server that takes mail."""

    @abstractmethod
    def send(self, letter: Letter) -> None:
        """One mail. Raises :class:`matrix.host.Failure`."""

    @abstractmethod
    def begin(self, letter: Letter) -> None:
        """A mail up to where its body is wanted. Raises :class:`matrix.host.Failure`."""

    @abstractmethod
    def answered(self) -> None:
        """How a mail that was begun has ended. Raises :class:`matrix.host.Failure`."""


class Incoming(ABC):
    """A way to a server that has mail."""

    @abstractmethod
    def take(self, *, header: bool = True) -> bytes | None:
        """The first mail, which is deleted; None when there is none. Raises :class:`matrix.host.Failure`."""


class MailProgram(ABC):
    """The verbs of a host program for mail."""

    codes: ClassVar[dict[str, str]]
    """What is heard when a server, or the way to it, says no."""
    dotted: bool
    """Whether a body may have a line of a single dot."""

    @abstractmethod
    def outgoing(self, server: str, port: int, user: str = "", password: str = "") -> AbstractContextManager[Outgoing]:
        """A way to a server; it is left in good order behind it. Raises :class:`matrix.host.Failure`."""

    @abstractmethod
    def incoming(self, server: str, port: int, user: str, password: str) -> AbstractContextManager[Incoming]:
        """The same to a server that has mail."""


class Office(PostOffice):
    """A pair's own server that takes mail."""

    def __init__(self, folder: Path) -> None:
        del folder
        super().__init__()


class Mailbox:
    """A pair's own box of a server that all pairs share: begun with the first, ended with the last."""

    kind: ClassVar[str]
    _lock = threading.Lock()
    _shared: ClassVar[dict[str, Postbox]] = {}
    _holders: ClassVar[dict[str, int]] = {}
    _numbers = count(1)

    def __init__(self, folder: Path) -> None:
        del folder
        with Mailbox._lock:
            if self.kind not in Mailbox._shared:
                Mailbox._shared[self.kind] = Postbox(self.kind)
            Mailbox._holders[self.kind] = Mailbox._holders.get(self.kind, 0) + 1
            server = Mailbox._shared[self.kind]
            self.user = f"meter{next(Mailbox._numbers)}"
            self.box: Box = server.box(self.user)
            self.port = server.port

    def close(self) -> None:
        with Mailbox._lock:
            Mailbox._holders[self.kind] -= 1
            if not Mailbox._holders[self.kind]:
                Mailbox._shared.pop(self.kind).close()


class Dovecot(Mailbox):
    """Of Dovecot's."""

    kind = "dovecot"


class Twisted(Mailbox):
    """Of Twisted's."""

    kind = "twisted"


def script(greeting: bytes, leave: Callable[[socket.socket], None] = socket.socket.close, **answers: bytes) -> Server:
    """A server that answers each command by its words (``LIST_1``), or by its first, or by ``ELSE``; with nothing to say,
    or in the middle of a line, it closes the connection. Behind ``354`` it reads a line more, and then it leaves."""

    def serve(link: socket.socket) -> None:
        link.sendall(greeting)
        with link, link.makefile("rb") as lines:
            for line in lines:
                words = line.decode("latin-1").upper().split()
                keys = ("_".join(words), words[0], "ELSE")
                answer = next((answers[key] for key in keys if key in answers), b"")
                link.sendall(answer)
                if answer.startswith(b"354"):
                    lines.readline()
                    leave(link)
                    return
                if not answer.endswith(b"\n"):
                    return

    return Server(serve)
