"""Payload as hexadecimal digits in command mode: the offline session of a WIPSoft module (6.3).

There is one at a time, on one socket; to open it, to close it and to give it to another socket costs no guard time, and
what the other sockets have is told meanwhile. Sections are those of the 5.57 guide.
"""

from __future__ import annotations

from collections.abc import Iterable

from gateway.dialect.dialect import Dialect
from gateway.dialect.driver import Afterwards, Answer, Await, Chores, Command, Part, Rest
from gateway.dialect.quirks.wipsoft.connections import Connection
from gateway.dialect.quirks.wipsoft.driver_sockets import SocketsDriver
from gateway.dialect.quirks.wipsoft.numbers import UDP
from gateway.model.causes import Cause
from gateway.model.events import DataWaiting, Event, Received
from gateway.model.values import Endpoint

BUFFER = 15
"""Stack option: size of the session's buffers (4.1.3)."""
BUFFER_BYTES = 8192
"""As much as a datagram may have (6.2.2.2)."""
KEPT_LIMIT_BYTES = 65536
"""So much may wait for the host's side before the module is read no more."""
IDLE_S = 1.0
"""A session in which nothing is moved for so long is closed: nobody says whether an end is told while it is open."""
DRAIN_QUIET_S = 0.3
"""So long after the last datagram that waited the session is closed again."""
FULL_PAUSE_S = 0.5
FULL_TRIES = 20
"""How often a buffer that is full is tried again, and after what pause."""
UNABLE = (None, Cause.NOT_SUPPORTED, Cause.BAD_VALUE, Cause.BAD_OPTION, Cause.BAD_COUNT)
"""How a module that has no offline session refuses it."""


class OfflineDriver(SocketsDriver):
    """See the module's text."""

    # S43, S45; the word that a session is open or closed is an answer.
    payload_lines = ("+WIPDATARW: 2", "+WIPDATARW:2", "+WIPDATARW: 3", "+WIPDATARW:3")

    def __init__(self, dialect: Dialect) -> None:
        super().__init__(dialect)
        self._offline = dialect.writes("data_offline")
        """The module has it."""
        self._dumped: Connection | None = None
        """Whose the blocks are: they have an index alone (S48)."""
        self._sessions = 0
        """How often one was opened."""
        self._touched = 0
        """How often something was moved in one."""
        self._sent_bytes: int | None = None
        """What the module has said of the last sending."""
        self._draining = False

    # -- the session ---------------------------------------------------------------------------------------------------

    def _open_session(self, entry: Connection) -> Part:
        """Have the session for a socket: None, or the answer that refuses it."""
        if self.connections.session is entry:
            return None
        yield from self._close_session()
        yield from self._tell_option(BUFFER, BUFFER_BYTES)
        self._dumped, entry.part = entry, b""
        text = self.dialect.write("data_offline", protocol=entry.mode, index=entry.index)
        answer: Answer = yield Command(text, frozenset({"offline_opened"}))
        if not answer.ok:
            self._offline = self._cause(answer) not in UNABLE
            return answer
        self.connections.session, entry.waiting = entry, False
        self._sessions += 1
        yield Afterwards(self._watch_session(self._sessions))
        return None

    def _watch_session(self, number: int) -> Chores:
        touched = -1
        while touched != self._touched:
            touched = self._touched
            yield Await(lambda _: False, IDLE_S, aside=True)
            if number != self._sessions or self.connections.session is None:
                return
        yield from self._close_session()

    # -- to the module -------------------------------------------------------------------------------------------------

    def _write(self, entry: Connection, data: bytes) -> Part:
        """Send by the session; how many bytes were not taken, or the answer that refuses them."""
        answer = yield from self._write_blocks(entry, data)
        if not answer.ok and self._cause(answer) is Cause.BAD_STATE:
            # The module has closed the session: nothing has gone, the last block sends them all.
            self.connections.session = None
            refused: Answer | None = yield from self._open_session(entry)
            answer = refused or (yield from self._write_blocks(entry, data))
        if not answer.ok:
            return answer
        left = len(data) - self._sent_bytes if self._sent_bytes is not None and entry.protocol != UDP else 0
        if left > 0:
            yield Rest(FULL_PAUSE_S)
        return max(left, 0)

    def _write_blocks(self, entry: Connection, data: bytes) -> Part:
        """Into the buffer; the last block sends what is there (6.3.3)."""
        size = self.dialect.tables.numbers["offline_block_bytes"]
        self._touched += 1
        self._sent_bytes = None
        answer: Answer | None = None
        for at in range(0, len(data), size):
            command = 1 if at + size >= len(data) else 2
            text = f'AT+WIPDATARW={command},{entry.index},"{data[at : at + size].hex().upper()}"'
            answer = yield Command(text)
            for _ in range(FULL_TRIES):
                if answer.ok or self._cause(answer) is not Cause.BUFFER_FULL:
                    break
                yield Rest(FULL_PAUSE_S)
                answer = yield Command(text)
            if not answer.ok:
                break
        return answer

    # -- from the module -----------------------------------------------------------------------------------------------

    def arrived(self, line: str) -> Iterable[Event] | None:
        """``+WIPDATARW: 2,index,blocks,block,"digits"``, or ``3,index,size``: what was sent."""
        values = line.partition(":")[2].split(",")
        try:
            if len(values) == 3:
                self._sent_bytes = int(values[2])
                return []
            index, blocks, block = (int(value) for value in values[1:4])
            data = bytes.fromhex(values[4].strip('" '))
        except (ValueError, IndexError):
            return None
        entry = self._dumped
        if entry is None or entry.index != index:
            return None
        self._touched += 1
        if entry.protocol != UDP:
            return self._came(entry, data, None)
        entry.part += data
        if block < blocks:
            return []
        data, entry.part = entry.part, b""
        return self._came(entry, data, entry.speaker)

    def _came(self, entry: Connection, data: bytes, peer: Endpoint | None) -> list[Event]:
        holder = self.connections.of(entry)
        if holder is None:
            return []
        if entry.attached:
            return [Received(holder, data, peer)]
        first = not entry.kept
        entry.kept.append((peer, data))
        return [DataWaiting(holder, len(data), peer)] if first and not self._draining else []

    @property
    def full(self) -> bool:  # type: ignore[override]  # a plain value where nothing is ever kept
        """Whether so much waits for the host's side that the module should not be read."""
        return self.connections.kept_bytes > KEPT_LIMIT_BYTES

    def _drain(self, entry: Connection) -> Part:
        """Read and keep the datagrams that wait; False when the module has no such session."""
        if not self._offline or (yield from self._open_session(entry)) is not None:
            return False
        self._draining = True
        try:
            yield Rest(DRAIN_QUIET_S, quiet=True)
        finally:
            self._draining = False
        yield from self._close_session()
        return True
