"""A host's program with all of its services, and the states in which something can go wrong."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from matrix.host import Connection, Failure, HostProgram

from recovery.lab import Lab
from recovery.servers import DATAGRAMS, ECHO, HOLD

HERE = "127.0.0.1"
PAYLOAD = b"x" * 500
MUCH = b"x" * 20_000


@dataclass(frozen=True)
class Doing:
    """What a host does just now."""

    awaited: tuple[bytes, ...] = ()
    """What it waits for: one of these, or an error. Empty: nothing."""
    in_data: bool = False
    """The line is in a data mode."""
    ends: bytes = b""
    """What a host says in it that has enough, with silence around it when it is ``+++``; empty: it can only wait."""
    prompted: bool = False
    """It types a text that the module has asked for."""
    dies: bool = True
    """What goes on cannot outlive the bearer: its end must be told."""


@dataclass(frozen=True)
class State:
    """A state of a service: how a host comes to be in it, and what it does again when it has recovered."""

    name: str
    service: str
    """As in the table of services; empty: the line's own."""
    enter: Callable[[Program], Doing]
    again: Callable[[Program], None]
    bearer: bool = True
    """It needs the bearer up."""
    only: tuple[str, ...] = ()
    """Host dialects that have it; empty: all of the family."""


class Program:
    """What :class:`matrix.host.HostProgram` is, and the rest of its day."""

    states: list[State]
    no_bearer: tuple[str, ...]
    """What a service says when the bearer is not up."""
    one_error = False
    """All that goes wrong with a service is one error, and the loss of the link is one too."""
    bad_news: tuple[bytes, ...] = (b"ERROR",)
    """How something is told that went wrong."""

    def __init__(self, lab: Lab, host: HostProgram) -> None:
        self.lab, self.host, self.line = lab, host, lab.line

    # -- the bearer ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def up(self) -> None:
        """Connect to the network, as a program does that may have been here before."""

    @abstractmethod
    def was_told(self, heard: bytes) -> bool:
        """Whether that says that the bearer is lost."""

    @abstractmethod
    def is_up(self) -> bool:
        """Whether the module says that the bearer is up."""

    @abstractmethod
    def tidy(self) -> None:
        """Close whatever may still be open; what is open no more may be refused."""

    # -- states that every host can come into --------------------------------------------------------------------------

    @abstractmethod
    def starting(self) -> Doing:
        """The bearer is on its way up."""

    @abstractmethod
    def stopping(self) -> Doing:
        """And down."""

    @abstractmethod
    def connecting(self) -> Doing:
        """A peer does not answer."""

    @abstractmethod
    def connected(self) -> Doing:
        """It does."""

    @abstractmethod
    def sending(self) -> Doing:
        """And is sent much."""

    @abstractmethod
    def receiving(self) -> Doing:
        """Or sends it."""

    @abstractmethod
    def closing(self) -> Doing:
        """The host closes."""

    def listening(self) -> Doing:
        self.host.listen(7777)
        return Doing()

    @abstractmethod
    def accepted(self) -> Doing:
        """A peer has called."""

    @abstractmethod
    def speaks(self) -> Doing:
        """A UDP socket is open."""

    def waits_for_datagrams(self) -> Doing:
        self.host.udp_listen(7777)
        return Doing()

    @abstractmethod
    def pinging(self) -> Doing:
        """Echo requests go out one by one."""

    # -- in flight -----------------------------------------------------------------------------------------------------

    def unanswered(self, said: bytes, seconds: float = 0.5) -> None:
        """Say something that makes the module do something; its answer is on the way, and held there."""
        self.lab.wire.to_right.hold(True)
        self.line.say(said)
        self.lab.wait(seconds)

    def begun(self, said: bytes, seconds: float = 3.0) -> None:
        """Say something that the module cannot finish."""
        self.line.say(said)
        self.lab.wait(seconds)

    def held(self, form: str = "", number: int = 1, aside: bool = False) -> Connection:
        """A connection to a peer that does as it is told."""
        del form, number, aside
        return self.host.connect(HERE, HOLD)

    def hears(self, wanted: bytes, limit_s: float = 40.0) -> None:
        """This is what comes next. Raises :class:`Failure` when it is an error."""
        said = self.line.until(wanted, b"ERROR\r\n", b"ERROR: ", limit_s=limit_s)
        if said.endswith(b"ERROR: "):
            raise Failure(self.line.until(b"\r\n").decode().strip())
        if said.endswith(b"ERROR\r\n"):
            raise Failure("ERROR")
        assert said.endswith(wanted) and not said[: -len(wanted)].strip(), said

    # -- services ------------------------------------------------------------------------------------------------------

    def nothing(self) -> Doing:
        return Doing(dies=False)

    def passes(self) -> None:
        assert self.host.command("AT+CSQ").startswith("+CSQ: ")

    def asks(self) -> Doing:
        self.unanswered(b"AT+CSQ\r")
        return Doing((b"\r\nOK\r\n",), dies=False)

    def types(self) -> Doing:
        self.line.say(b'AT+CMGS="0123456789"\r')
        self.line.until(b"> ")
        self.line.say(b"half of a ")
        self.lab.wait(0.5)
        return Doing(dies=False, prompted=True)

    def sends_text(self) -> None:
        self.line.say(b'AT+CMGS="0123456789"\r')
        assert self.line.until(b"> ") == b"\r\n> "
        self.line.say(b"some text\x1a")
        said = self.line.until(b"\r\nOK\r\n", b"ERROR")
        assert said.startswith(b"\r\n+CMGS: "), said

    def talks(self) -> None:
        connection = self.host.connect(HERE, ECHO)
        connection.exchange(PAYLOAD)
        connection.close()

    def datagrams(self) -> None:
        connection = self.host.udp(HERE, DATAGRAMS)
        connection.send(b"a datagram")
        connection.expect(b"a datagram")
        connection.close()

    def listens(self) -> None:
        port = self.lab.loop.network.port()
        listening = self.host.listen(port)
        _, writer = self.lab.call(port)
        connection = listening.accepted()
        writer.write(b"hello")
        connection.expect(b"hello")
        connection.close()
        writer.close()
        if listening.stays:
            listening.stop()

    def pings(self) -> None:
        assert self.host.ping(HERE, 2) == [True, True]

    def starts(self) -> None:
        """The bearer once more from the beginning."""
        if self.is_up():
            self.host.is_up = True
            self.host.down()
        self.up()
        self.talks()


def common(p: type[Program]) -> list[State]:
    """The states that every host can come into."""
    return [
        State("nothing started", "", p.nothing, p.starts, bearer=False),
        State("bearer starting", "bearer", p.starting, p.starts, bearer=False),
        State("bearer up", "bearer", p.nothing, p.talks),
        State("bearer stopping", "bearer", p.stopping, p.starts),
        State("command under way", "", p.asks, p.passes),
        State("text prompted", "", p.types, p.sends_text),
        State("connecting", "TCP client", p.connecting, p.talks),
        State("connected", "TCP client", p.connected, p.talks),
        State("sending", "TCP client", p.sending, p.talks),
        State("receiving", "TCP client", p.receiving, p.talks),
        State("closing", "TCP client", p.closing, p.talks),
        State("listening", "TCP server", p.listening, p.listens),
        State("accepted", "TCP server", p.accepted, p.listens),
        State("UDP open", "UDP", p.speaks, p.datagrams),
        State("UDP waiting", "UDP", p.waits_for_datagrams, p.datagrams),
        State("ping", "ping", p.pinging, p.pings),
    ]
