"""What all parts of the behaviour share: the link's state, the sockets, the rules, test and list answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator
from typing import Any

from gateway.dialect.dialect import Call, Dialect
from gateway.dialect.firmware import (
    Ask,
    Fail,
    Firmware,
    Ok,
    Outcome,
    Refusal,
    Say,
    Silent,
    Spawn,
    Step,
    Steps,
    Surroundings,
    Tell,
)
from gateway.dialect.quirks.mip.state import Link, Settings, Socket, Sockets, SocketState, refusal
from gateway.dialect.quirks.mip.tuning import KEEP_ALIVE, STACK
from gateway.model.causes import Cause
from gateway.model.requests import CloseSocket, ResolveName
from gateway.model.results import Failed
from gateway.model.tuning import Tunings
from gateway.model.values import Addresses, Endpoint, Family, is_dotted, is_numeric, is_six

RAW, HEADED, PULLED = 1, 2, 5
"""Forms of received data (1.2.4.4); 0 is hexadecimal."""
V4, V6 = "+MSDNS", "+MSV6DNS"


class MipBase(Firmware):
    """See the module's text."""

    tells_congestion = True

    def __init__(self, dialect: Dialect, around: Surroundings) -> None:
        super().__init__(dialect, around)
        self.link = Link.DOWN
        self.addresses = Addresses()
        self.table = Sockets(dialect)

    # -- rules ---------------------------------------------------------------------------------------------------------

    def gate(self, call: Call) -> Outcome | None:
        """The table of states stands before every command."""
        behaviour = call.by or call.does
        id = call.number("id")
        cause = refusal(behaviour, self.link, self.table.state(id))
        if cause is Cause.INDEX_IN_USE:
            if self.dialect.switch("reopening") == "closes":
                return None
            if self.dialect.switch("used_socket") == "2004":
                cause = Cause.INDEX_RESERVED
        return None if cause is None else Fail(cause, call.name)

    def socket(self, call: Call) -> Socket:
        """The socket that a command names; the rules have seen to it that there is one."""
        return self.table.sockets[call.number("id")]

    def settings(self, socket: Socket) -> Settings:
        """The settings of a socket's id."""
        return self.table.settings[socket.id]

    @property
    def format(self) -> int:
        """IPRFMT (1.2.4.4)."""
        return int(self.around.stored.get("IPRFMT", self.dialect.argument("+GTSET", "format").initial or 0))

    # -- answers -------------------------------------------------------------------------------------------------------

    def answer(self, *lines: str) -> Steps:
        """Information text and OK."""
        if lines:
            yield Say(lines)
        return Ok(after_text=bool(lines))

    def do_test(self, call: Call) -> Steps:
        """Every test form: what the values may be, from the tables."""
        return self.answer(self.dialect.test_line(call.name))

    def do_active_read(self, call: Call) -> Steps:
        """A list of active sockets, or 0 (F14)."""
        ids = [socket.id for socket in self.table.active]
        return self.answer(self.dialect.say(call.does, ids=_listed(ids)))

    def do_open_read(self, call: Call) -> Steps:
        """AT+MIPOPEN?, AT+MIPODM?: a list of free sockets, or 0 (F14)."""
        key = "open_free" if call.does == "open_read" else "online_free"
        return self.answer(self.dialect.say(key, ids=_listed(self.table.free)))

    # -- ends ----------------------------------------------------------------------------------------------------------

    def status_line(self, socket: Socket) -> str:
        """+MIPSTAT for a connection that is gone (F35), with its bytes where the host wants them (1.1.12.4)."""
        status = 1 if socket.broken else int(self.dialect.switch("peer_close"))
        if self.settings(socket).stack["indication"] and not socket.udp:
            return self.dialect.say("status_counted", id=socket.id, status=status, acknowledged=socket.pushed_bytes)
        return self.dialect.say("status", id=socket.id, status=status)

    def end(self, socket: Socket) -> Steps:
        """A connection is gone and everything that came was given: tell it, and free the socket."""
        if self.table.has(socket) and socket.state is not SocketState.CLOSING:
            self.table.forget(socket)
            yield Tell(self.status_line(socket))
            yield Spawn(self._let_go(socket), f"close {socket.id}")  # the host is free already, also in online data mode
        return Silent()

    def _let_go(self, socket: Socket) -> Steps:
        yield Ask(CloseSocket(socket.handle))
        return Silent()

    # -- names ---------------------------------------------------------------------------------------------------------

    def servers(self, id: int) -> tuple[str, ...]:
        """The name servers that the host has set for a socket (1.1.16, 1.1.17)."""
        own = self.table.settings[id].servers
        return tuple(server for server in (*own[V4], *own[V6]) if server)

    def tunings(self, id: int) -> Tunings:
        """What the host has set of how the packets of a socket are made, where it is not as it was (1.1.12, 1.1.13)."""
        stack, arguments = self.table.settings[id].stack, self.dialect.tables.commands["+MIPCONF"].arguments
        own = ((tuning, stack[name], arguments[name].initial) for tuning, name in STACK.items())
        changed = tuple((tuning, value) for tuning, value, initial in own if value != initial)
        if not int(self.around.stored.get("KEEPCONF.mode", 0)):
            return changed
        return (*changed, *((tuning, int(self.around.stored[f"KEEPCONF.{name}"])) for tuning, name in KEEP_ALIVE.items()))

    def located(self, id: int, peer: Endpoint, family: Family) -> Generator[Step, Any, Endpoint | Failed]:
        """``peer``, its name looked up where the host has set servers for the socket."""
        servers = self.servers(id)
        if not servers or is_numeric(peer.host):
            return peer
        found = yield Ask(ResolveName(peer.host, servers, family))
        return found if isinstance(found, Failed) else Endpoint(str(found.value), peer.port)

    def check(self, host: str, family: Family) -> None:
        """An address must be of the Internet Protocol that is asked for; a name can be of both."""
        if family is not Family.FOUR and not self.around.six:
            raise Refusal(Cause.NOT_SUPPORTED)
        if is_dotted(host) if family is Family.SIX else is_six(host):
            raise Refusal(Cause.BAD_VALUE)


def shown(address: str) -> str:
    """An address as the manual has it: of IPv6 all eight groups (1.1.2.4, F60)."""
    if not is_six(address):
        return address
    return ":".join(f"{int(group, 16):X}" for group in ipaddress.IPv6Address(address).exploded.split(":"))


def _listed(ids: list[int]) -> str:
    return ",".join(map(str, ids)) or "0"
