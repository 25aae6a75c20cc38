"""What a host program can do, whatever dialect it was written for."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

from support.rig import Terminal

OK = b"\r\nOK\r\n"
GUARD_S = 1.5
"""Silence around ``+++``: the manuals' 1 s, and as much later as a busy computer reads what was written before."""
CALLER = "0860000001"
"""Who calls."""
PIECES = (1, 2, 3, 5, 7, 11, 13, 17, 31, 64)
"""Sizes in which a program writes its payload when it does so carelessly."""


class Failure(Exception):
    """The module said that something failed, with a code as the host's dialect writes it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def fails(*codes: str) -> Iterator[None]:
    """One of these codes is heard, no other, and not none."""
    try:
        yield
    except Failure as failure:
        assert failure.code in codes, f"heard {failure.code!r}, expected {' or '.join(codes)}"
    else:
        raise AssertionError(f"nothing failed, expected {' or '.join(codes)}")


def same(got: bytes, wanted: bytes) -> None:
    """Much payload, and where it begins to differ."""
    if got != wanted:
        at = next((at for at, (one, other) in enumerate(zip(got, wanted, strict=False)) if one != other), -1)
        raise AssertionError(f"at {at} of {len(wanted)}: {got[at : at + 60]!r} is not {wanted[at : at + 60]!r}")


def pieces(data: bytes) -> Iterator[bytes]:
    """Payload in odd pieces, the same at every run."""
    sizes, at = random.Random(len(data)), 0
    while at < len(data):
        size = sizes.choice(PIECES)
        yield data[at : at + size]
        at += size


class Connection(ABC):
    """A TCP connection, or a UDP socket, of the host's, ready for payload."""

    escapable = False
    """Whether +++ in silence is the host's own escape here, not payload."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Hand over payload in one go; of a UDP socket: one datagram."""

    @abstractmethod
    def expect(self, data: bytes) -> None:
        """Exactly this payload comes next; of a UDP socket whose boundaries can be seen: as one datagram."""

    @abstractmethod
    def close(self) -> None:
        """The host closes; ends when it has been told that all is over."""

    @abstractmethod
    def closed_by_peer(self) -> None:
        """The host is told that the peer has closed, tidies up and hears that all is over."""

    @abstractmethod
    def reset_by_peer(self) -> None:
        """The host is told that the connection was reset."""

    def careless(self, data: bytes) -> None:
        """Hand over payload in odd pieces."""
        for piece in pieces(data):
            self.send(piece)

    def exchange(self, data: bytes) -> None:
        """Send to an echo server and read the same back, as fast as both go."""
        self.send(data)
        self.expect(data)


class Listening(ABC):
    """A port that the host listens at."""

    stays = False
    """Whether it goes on behind its first peer."""

    @abstractmethod
    def accepted(self) -> Connection:
        """A peer has come and may speak."""

    @abstractmethod
    def stop(self) -> None:
        """Listen no more."""


class HostProgram(ABC):
    """A program on a line. Its commands are those of its manual; a code that it does not expect ends it."""

    sockets: int
    """TCP connections at once."""
    codes: dict[str, str]
    """What is heard when something goes wrong, as the manual numbers it."""

    def __init__(self, line: Terminal, dialect: str) -> None:
        self.line = line
        self.dialect = dialect
        self.is_up = False

    @classmethod
    @abstractmethod
    def forms_of(cls, dialect: str) -> tuple[str, ...]:
        """Ways to move TCP payload, the usual one first."""

    # -- the line ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """What every program does first."""
        self.command("ATE0")

    def command(self, text: str, limit_s: float = 15.0) -> str:
        """The information lines of a command that succeeds. Raises :class:`Failure`."""
        answer = self.line.answer(text, limit_s=limit_s)
        last = answer.rpartition(" | ")[2]
        if last not in ("OK", "CONNECT"):
            raise Failure(self.code(last))
        return answer.rpartition(" | ")[0]

    def code(self, line: str) -> str:
        """The number in an error line, or the line."""
        return line.rpartition("ERROR: ")[2] or line

    def hear(self, *wanted: bytes, limit_s: float = 15.0) -> bytes:
        """One of these lines is what comes next, and nothing before it."""
        got = self.line.until(*wanted, limit_s=limit_s)
        assert got in wanted, f"heard {got!r}, expected {wanted!r}"
        return got

    def quiet(self) -> None:
        """Nothing is left of what has been said, and the line is in command mode."""
        assert self.line.ask("AT") == OK
        rest = self.line.rest()
        assert rest == b"", f"left over: {rest!r}"

    # -- the bearer ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def up(self, kind: str = "gprs") -> str:
        """Connect to the network; the address, where the dialect tells it."""

    def serves_callers(self) -> None:
        """Be ready for calls that come in."""
        raise AssertionError("the dialect has no calls")

    def takes_call(self) -> None:
        """A call that rings behind a command that goes well: it is answered, and IP is up over it."""
        raise AssertionError("the dialect has no calls")

    def gives_up(self) -> None:
        """Tidy up behind an :meth:`up` that failed."""
        self.is_up = False

    @abstractmethod
    def down(self) -> None:
        """Disconnect."""

    @abstractmethod
    def goes_up_twice(self) -> None:
        """Each step of :meth:`up` again, while it is done already: the code for 'already'."""

    @abstractmethod
    def works_without_bearer(self) -> None:
        """Services before :meth:`up`: the code for 'no bearer'."""

    # -- sockets -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def connect(self, host: str, port: int, form: str = "") -> Connection:
        """A TCP client, in the usual form unless another is named. Raises :class:`Failure`."""

    @abstractmethod
    def listen(self, port: int, allowed: str = "") -> Listening:
        """A TCP server; where the dialect can filter, for one address only."""

    @abstractmethod
    def udp(self, host: str, port: int) -> Connection:
        """A UDP socket to a peer."""

    @abstractmethod
    def udp_listen(self, port: int, allowed: str = "") -> Listening:
        """A UDP socket that answers whoever speaks first."""

    # -- the rest ------------------------------------------------------------------------------------------------------

    @abstractmethod
    def ping(self, host: str, count: int) -> list[bool]:
        """Which echo requests were answered. Raises :class:`Failure`."""

    @abstractmethod
    def makes_mistakes(self, free_port: int) -> None:
        """Commands that are wrong, each with its number; the bearer is up, and nobody listens at ``free_port``."""

    @abstractmethod
    def example(self, host: str, port: int) -> None:
        """The manual's example of an application, to an echo server, from a fresh start to its end."""
