"""Several sockets of a WIPSoft module at once (guide 4111846, 6.2 and 6.3; the 2006 guide, 7.2): nothing lost, nobody
forgotten, and no guard time where the module has a way without."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.wip import Line, Site

from gateway.model.events import DataWaiting, PeerClosed
from gateway.model.requests import Attach, CloseSocket, ConnectTcp, Detach, ListenTcp, PassThrough, ShutdownTcp
from gateway.model.values import Endpoint, HostSocket

NEWER, OLDER = "wipsoft-5.57", "wipsoft-2.01"
NOISE = bytes(range(256)) + random.Random(4).randbytes(200_000)
both = pytest.mark.parametrize("dialect", [NEWER, OLDER])


class TestChoice:
    """SEMANTICS 6.4: how many sockets are in use decides, and the trace says so."""

    @both
    def test_one_socket_has_its_data_mode(self, dialect: str) -> None:
        site = Site(dialect)
        one = site.opened(1)
        for _ in range(3):
            site.sends(one, b"hello")
            site.peer_sends(1, b"world")
            site.wait(10)
        assert site.module.lines[1].got == b"hello" * 3
        assert site.received[one] == b"world" * 3
        assert site.count("AT+WIPDATA=2,1,1") == 1
        assert site.module.leavings == 0
        assert site.choices == ["continuous"]

    def test_two_share_the_offline_session_without_guard_times(self) -> None:
        site = Site(NEWER)
        one, two = site.opened(1), site.opened(2)
        for _ in range(3):
            for number, socket in ((1, one), (2, two)):
                site.sends(socket, b"question")
                site.peer_sends(number, b"answer")
        assert site.received == {one: b"answer" * 3, two: b"answer" * 3}
        assert site.module.leavings == 0
        assert site.choices == ["hexadecimal"]

    def test_a_second_one_opens_and_closes(self) -> None:
        site = Site(NEWER)
        one = site.opened(1)
        site.sends(one, b"alone")
        two = site.opened(2)
        assert site.module.leavings == 1  # the opening is a command
        site.sends(one, b" shared")
        site.peer_sends(2, b"other")
        site.wait(0.5)
        site.done(CloseSocket(two))
        site.sends(one, b" alone again")
        site.wait(0.5)
        assert site.module.lines[1].got == b"alone shared alone again"
        assert site.received[two] == b"other"
        assert site.choices == ["continuous", "hexadecimal", "continuous"]
        assert site.module.leavings == 1

    def test_a_session_in_which_nothing_is_moved_is_closed(self) -> None:
        site = Site(NEWER)
        one, _ = site.opened(1), site.opened(2)
        site.sends(one, b"once")
        site.wait(0.9)
        assert site.count("AT+WIPDATARW=0") == 0
        site.wait(0.2)
        assert site.count("AT+WIPDATARW=0") == 1

    @both
    def test_a_host_that_hears_of_nothing_else_keeps_the_data_mode(self, dialect: str) -> None:
        site = Site(dialect)
        one, two = site.opened(1, attached=False), site.opened(2, attached=False)
        site.done(Attach(one, alone=True))
        site.peer_sends(2, b"for later")
        site.wait(30)
        assert site.module.leavings == 0
        site.done(Detach(one))
        assert [event for event in site.events if isinstance(event, DataWaiting)] == [DataWaiting(two, 9)]
        site.done(Attach(two, alone=True))
        assert site.received[two] == b"for later"

    @both
    def test_a_listener_is_in_use_too(self, dialect: str) -> None:
        site = Site(dialect)
        site.done(ListenTcp(HostSocket(7), 5000))
        one = site.opened(1)
        site.sends(one, b"hello")
        site.wait(4)
        assert site.module.leavings == (dialect == OLDER)

    def test_much_to_send_goes_in_a_data_mode_that_is_left_again(self) -> None:
        """Nothing holds the writer of an offline session back: 'over this size data are lost' (6.3.1)."""
        site = Site(NEWER)
        one, two = site.opened(1), site.opened(2)
        site.sends(one, NOISE)
        site.peer_sends(2, b"meanwhile")
        site.wait(4)
        assert site.module.lines[1].got == NOISE
        assert site.received[two] == b"meanwhile"
        assert site.choices == ["continuous for a while", "hexadecimal"]

    @both
    def test_a_host_that_takes_no_more_just_now_costs_no_guard_time(self, dialect: str) -> None:
        site = Site(dialect)
        one = site.opened(1)
        site.peer_sends(1, b"taken")
        site.done(Detach(one))
        site.peer_sends(1, b" kept")
        site.sends(one, b"sent")
        site.wait(5)
        assert site.received[one] == b"taken"
        site.done(Attach(one))
        assert site.received[one] == b"taken kept"
        assert site.module.lines[1].got == b"sent"
        assert site.module.leavings == 0


class TestOlder:
    """Without an offline session: command mode, and a visit to whoever has something."""

    def test_who_has_data_is_visited_and_left(self) -> None:
        site = Site(OLDER)
        one, two = site.opened(1), site.opened(2)
        site.peer_sends(2, b"first")
        assert site.received == {two: b"first"}
        site.peer_sends(1, b"other")
        site.wait(2.9)
        assert site.received == {one: b"other", two: b"first"}
        site.wait(10)
        assert site.module.leavings == 2

    def test_a_busy_one_starves_nobody(self) -> None:
        site = Site(OLDER)
        one, two = site.opened(1), site.opened(2)
        for _ in range(200):
            site.peer_sends(1, b"x" * 100)
            site.sends(one, b"y" * 100)
            if b"heard" not in site.received.get(two, b""):
                site.peer_sends(2, b"") if site.module.lines[2].inbox else site.peer_sends(2, b"heard")
            site.wait(0.1)
        assert site.received[two] == b"heard"
        site.wait(20)
        assert site.received[one] == b"x" * 20_000
        assert site.module.lines[1].got == b"y" * 20_000

    def test_two_busy_ones_take_turns(self) -> None:
        site = Site(OLDER)
        one, two = site.opened(1), site.opened(2)
        for _ in range(300):
            site.sends(one, b"1" * 50)
            site.sends(two, b"2" * 50)
            site.wait(0.1)
        assert len(site.module.lines[1].got) > 10_000
        assert len(site.module.lines[2].got) > 10_000
        site.wait(20)
        assert (site.module.lines[1].got, site.module.lines[2].got) == (b"1" * 15_000, b"2" * 15_000)

    def test_what_the_module_never_tells_is_found(self) -> None:
        site = Site(OLDER, forgets=True)
        one, two = site.opened(1), site.opened(2)
        site.sends(one, b"hello")
        site.peer_sends(2, b"untold")
        assert two not in site.received
        site.wait(4)
        assert site.received[two] == b"untold"


class TestEnds:
    @both
    def test_a_peer_that_closes_is_told_behind_its_data(self, dialect: str) -> None:
        site = Site(dialect)
        one, two = site.opened(1), site.opened(2)
        site.sends(one, b"busy")
        site.peer_sends(2, b"last words")
        site.peer_closes(2)
        site.wait(10)
        assert site.received[two] == b"last words"
        assert [event for event in site.events if isinstance(event, PeerClosed)] == [PeerClosed(two)]
        site.sends(one, b" on")
        site.wait(5)
        assert site.module.lines[1].got == b"busy on"

    @both
    def test_a_socket_is_closed_behind_its_payload(self, dialect: str) -> None:
        site = Site(dialect)
        one, two = site.opened(1), site.opened(2)
        peer = site.module.lines[2]
        site.sends(one, b"first")
        site.sends(two, b"the end")
        site.done(CloseSocket(two))
        assert peer.got == b"the end"
        assert 2 not in site.module.lines

    @both
    def test_the_sending_is_ended_behind_its_payload(self, dialect: str) -> None:
        site = Site(dialect)
        one, two = site.opened(1), site.opened(2)
        site.sends(one, b"first")
        site.sends(two, b"question")
        site.done(ShutdownTcp(two))
        assert site.module.lines[2].got == b"question"
        assert site.module.lines[2].half_closed
        site.wait(5)
        site.peer_sends(2, b"answer")
        site.wait(5)
        assert site.received[two] == b"answer"

    @both
    def test_everything_is_closed_at_the_end(self, dialect: str) -> None:
        site = Site(dialect)
        for number in range(1, 5):
            site.sends(site.opened(number), b"hello")
        site.side.finish(site.now)
        site.settle()
        site.wait(30)
        assert site.side.finished
        assert site.module.lines == {}


class TestCommandsBeside:
    def test_words_like_the_modules_own_at_the_end_of_what_came_before_a_command(self) -> None:
        """They are held while it is asked whether the module has said them; nobody loses them."""
        site = Site(NEWER)
        one = site.opened(1)
        site.sends(one, b"hello")
        site.peer_sends(1, b"text\r\nSHUTDOWN\r\n")
        site.ask(PassThrough("AT+CSQ"))
        site.wait(10)
        site.peer_sends(1, b" and on")
        site.wait(10)
        assert site.received[one] == b"text\r\nSHUTDOWN\r\n and on"

    @both
    def test_payload_that_comes_while_a_data_mode_is_left(self, dialect: str) -> None:
        site = Site(dialect)
        one = site.opened(1)
        site.sends(one, b"before")
        site.ask(PassThrough("AT+CSQ"))
        site.wait(0.5)
        site.sends(one, b" meanwhile")
        site.wait(0.7)
        site.peer_sends(1, b"at once")
        site.wait(0.1)
        site.sends(one, b" and then")
        site.wait(5)
        assert site.module.lines[1].got == b"before meanwhile and then"
        assert site.received[one] == b"at once"
        assert site.count("AT+CSQ") == 1


@dataclass
class Talk:
    """What was said on one socket."""

    socket: HostSocket
    line: Line
    out: bytes = b""
    back: bytes = b""
    attached: bool = True


SIZES = [1, 3, 199, 200, 201, 1000, 5840, 5841, 9000]
PAUSES_S = [0.01, 0.3, 1.0, 1.05, 1.15, 2.2, 5.0]


class Talks:
    """Three sockets, of which each comes and goes; the verbs are what happens."""

    def __init__(self, dialect: str, *, forgets: bool) -> None:
        self.site = Site(dialect, forgets=forgets)
        self._names = itertools.count(1)
        self.open = {number: self._opened(number) for number in (1, 2, 3)}

    def _opened(self, number: int) -> Talk:
        socket = HostSocket(next(self._names))
        self.site.done(ConnectTcp(socket, Endpoint("10.0.0.9", 80)))
        self.site.done(Attach(socket))
        return Talk(socket, self.site.module.lines[number])

    def send(self, number: int, size: int) -> None:
        talk = self.open[number]
        piece = NOISE[len(talk.out) :][:size]
        talk.out += piece
        self.site.sends(talk.socket, piece)

    def come(self, number: int, size: int) -> None:
        talk = self.open[number]
        piece = NOISE[len(talk.back) :][:size]
        talk.back += piece
        self.site.peer_sends(number, piece)

    def detach(self, number: int, _: int) -> None:
        talk = self.open[number]
        self.site.ask(Detach(talk.socket) if talk.attached else Attach(talk.socket))
        talk.attached = not talk.attached

    def command(self, _: int, __: int) -> None:
        self.site.ask(PassThrough("AT+CSQ"))

    def close(self, number: int, _: int) -> None:
        talk = self.open[number]
        self.site.done(CloseSocket(talk.socket))
        assert talk.line.got == talk.out
        assert talk.back.startswith(self._received(talk))
        self.open[number] = self._opened(number)

    def peer_closes(self, number: int, _: int) -> None:
        talk = self.open[number]
        if not talk.attached:
            self.detach(number, 0)
        self.site.peer_closes(number)
        self.site.wait(60)
        told = [event for event in self.site.events if event == PeerClosed(talk.socket)]
        assert told  # once more when it is read, where the host was told in command mode
        self.site.events = [event for event in self.site.events if event not in told]
        assert self._received(talk) == talk.back
        self.site.done(CloseSocket(talk.socket))
        self.open[number] = self._opened(number)

    def end(self) -> None:
        for talk in self.open.values():
            self.site.ask(Attach(talk.socket))
        self.site.wait(90)
        for talk in self.open.values():
            assert talk.line.got == talk.out
            assert self._received(talk) == talk.back
        assert all(isinstance(event, DataWaiting) for event in self.site.events)

    def _received(self, talk: Talk) -> bytes:
        return bytes(self.site.received.get(talk.socket, b""))


@both
@given(data=st.data())
@settings(max_examples=60)
def test_every_byte_of_every_socket(dialect: str, data: st.DataObject) -> None:
    """Whatever is said to and by three of them, in whatever order, with whatever pauses."""
    talks = Talks(dialect, forgets=data.draw(st.booleans()))
    verbs = st.sampled_from(["send", "send", "come", "come", "detach", "command", "close", "peer_closes"])
    steps = st.tuples(verbs, st.sampled_from([1, 2, 3]), st.sampled_from(SIZES), st.sampled_from(PAUSES_S))
    for verb, number, size, pause_s in data.draw(st.lists(steps, max_size=25)):
        getattr(talks, verb)(number, size)
        talks.site.wait(pause_s)
    talks.end()
