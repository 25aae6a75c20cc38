"""Sockets come and go: +WIPCREATE, +WIPCLOSE, +WIPOPT (chapter 5), and what the network does to them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from standin import sockets
from standin.arguments import Argument, Refused, count, number
from standin.reply import LATER, Reply
from standin.sockets import INDICES, SERVER, TCP, UDP, Being, Socket

if TYPE_CHECKING:
    from standin.module import Module

FAILS_S = 0.02
"""How long an unknown name takes."""


class Creating:
    """See the module's text."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._sockets: dict[tuple[int, int], Socket] = {}
        self.ready_delay_s = 0.0
        """How long an open connection is kept secret."""

    @property
    def all(self) -> list[Socket]:
        """Every socket there is."""
        return list(self._sockets.values())

    def find(self, protocol: int, index: int) -> Socket | None:
        """A socket by its name."""
        return self._sockets.get((protocol, index))

    def _forget(self, each: Socket) -> None:
        each.drop()
        if each.received:
            self._module.record.add("-", f"{len(each.received)} bytes of {each.protocol},{each.index} were never read")
        self._sockets.pop((each.protocol, each.index), None)

    def forget_all(self) -> None:
        """The bearer was stopped by the host."""
        for each in self.all:
            self._forget(each)

    def cut(self) -> None:
        """The bearer is gone: every connection is."""
        for each in self.all:
            each.drop(reset=True)
            if each.protocol == TCP:
                self._reset(each)

    def _reserved(self, index: int) -> bool:
        return any(each.protocol == SERVER and index in each.span for each in self.all)

    # -- +WIPCREATE ----------------------------------------------------------------------------------------------------

    def read_wipcreate(self) -> Reply:
        lines = []
        for each in self.all:
            if each.protocol == SERVER:
                span = f"{each.span[0]},{each.span[-1]}"
                lines.append(f"+WIPSERV: 3,{each.index},{each.local_port},{span}")
            else:
                peer = f',"{each.peer[0]}"' if each.peer and each.protocol == TCP else ""
                lines.append(f"+WIPREADY: {each.protocol},{each.index}{peer}")
        return lines

    def set_wipcreate(self, values: list[Argument]) -> Reply:
        if not self._module.bearers.up:
            raise Refused(803)
        protocol = number(values, 0, 1, 9, code=837)
        if protocol > SERVER:
            raise Refused(839)
        index = number(values, 1, 1, INDICES[protocol], code=830)
        if (protocol, index) in self._sockets:
            raise Refused(840)
        match protocol:
            case 1:
                return self._create_udp(index, values[2:])
            case 2:
                return self._create_tcp(index, values)
        return self._create_server(index, values)

    def _create_udp(self, index: int, values: list[Argument]) -> Reply:
        """Local port and peer, either or both (X10)."""
        port = 0
        if values and not values[0].quoted:
            port = number(values, 0, 0, 65535, code=832, default=0)
            values = values[1:]
        each = Socket(UDP, index)
        if values:
            count(values, 2)
            host = values[0].text
            each.asks = (host, number(values, 1, 1, 65535, code=832))
            address = self._module.network.address(host)
            if address is None:
                return self._fail(each, FAILS_S)
            each.peer = (address, each.asks[1])
        try:
            each.real = sockets.datagrams(port)
        except OSError:
            raise Refused(839) from None
        each.local_port = each.real.getsockname()[1]
        self._sockets[UDP, index] = each
        return self._ready(each)

    def _create_tcp(self, index: int, values: list[Argument]) -> Reply:
        if self._reserved(index):
            raise Refused(845)
        count(values, 4)
        if not values[2].quoted:
            self._module.record.complain("a peer without quotes")
        host, port = values[2].text, number(values, 3, 1, 65535, code=832)
        network = self._module.network
        each = Socket(TCP, index, Being.OPENING, asks=(host, port))
        address = network.address(host)
        if address is None:
            return self._fail(each, FAILS_S)
        if host in network.timeouts:
            return self._fail(each, network.timeouts[host])
        each.peer = (address, port)
        self._sockets[TCP, index] = each
        if host not in network.silent:
            each.real = sockets.connecting(each.peer)
        each.answers = self._module.habits.failure == "code" or self._module.habits.ready_first
        if each.answers:
            return self._module.busy(f"+WIPCREATE=2,{index}")
        return None

    def _create_server(self, index: int, values: list[Argument]) -> Reply:
        count(values, 5)
        port = number(values, 2, 1, 65535, code=832)
        first, last = (number(values, at, 1, INDICES[TCP], code=830) for at in (3, 4))
        if last < first:
            raise Refused(830)
        if any((TCP, child) in self._sockets or self._reserved(child) for child in range(first, last + 1)):
            raise Refused(845)
        each = Socket(SERVER, index, local_port=port, span=range(first, last + 1))
        try:
            each.real = sockets.listening(port)
        except OSError:
            raise Refused(832) from None
        self._sockets[SERVER, index] = each
        return None

    def _ready(self, each: Socket) -> Reply:
        """OK and +WIPREADY, in this module's order."""
        line = f"+WIPREADY: {each.protocol},{each.index}"
        if self._module.habits.ready_first:
            self._module.say_line(self._module.spaced(line))
            self._module.done()
        else:
            self._module.done(behind=line)
        return LATER

    def _fail(self, each: Socket, seconds: float) -> Reply:
        """The open will fail; how that is told."""
        if self._module.habits.failure == "code":
            self._module.busy(f"+WIPCREATE={each.protocol},{each.index}")
            code = self._module.habits.failure_code
            self._module.later(seconds, lambda: self._module.done(error=code))
            return LATER
        each.being = Being.OPENING
        self._sockets[each.protocol, each.index] = each
        self._module.later(seconds, lambda: self._failed(each))
        return None

    def _failed(self, each: Socket) -> None:
        if self._sockets.pop((each.protocol, each.index), None) is not each:
            return  # closed meanwhile
        code = self._module.habits.failure_code
        if each.answers:
            self._module.done(error=code)
            return
        text = {
            "late_line": f"+WIPERROR: {each.protocol},{each.index},{code}",
            "peer_close": f"+WIPPEERCLOSE: {each.protocol},{each.index}",
        }
        self._module.unsolicited(text.get(self._module.habits.failure, f"+CME ERROR: {code}"))

    # -- +WIPCLOSE, +WIPOPT --------------------------------------------------------------------------------------------

    def set_wipclose(self, values: list[Argument]) -> Reply:
        if not self._module.bearers.stack:
            raise Refused(803)
        protocol = number(values, 0, 1, 9, code=837)
        index = number(values, 1, 1, INDICES.get(protocol, 8), code=830)
        count(values, 2)
        if protocol > SERVER:
            raise Refused(831)
        each = self.find(protocol, index)
        if each is not None:  # closing what is not there is OK too (S21)
            self._forget(each)
            self._module.offline.forget(each)
            if self._module.habits.local_close_told and protocol != SERVER:
                text = f"+WIPPEERCLOSE: {protocol},{index}"
                self._module.later(0.02, lambda: self._module.unsolicited(text))
        return None

    def set_wipopt(self, values: list[Argument]) -> Reply:
        if not self._module.bearers.stack:
            raise Refused(803)
        protocol = number(values, 0, 1, 9, code=837)
        index = number(values, 1, 1, INDICES.get(protocol, 8), code=830)
        action, option = number(values, 2, 1, 2), number(values, 3)
        each = self.find(protocol, index)
        if each is None:
            raise Refused(803)
        if action == 2:
            if option not in each.settings or (protocol == UDP and option in (4, 7)):
                raise Refused(800)
            each.settings[option] = number(values, 4, 0, {4: 5839, 7: 1}.get(option, 255))
            return None
        named = f"{index}," if self._module.habits.option_index else ""
        return [f"+WIPOPT: {protocol},{named}{option},{self._option(each, option)}"]

    def _option(self, each: Socket, option: int) -> str:
        host, port = each.peer or ("0.0.0.0", 0)
        if option == 0:
            return str(each.local_port)
        if (option in (1, 2) and each.protocol == SERVER) or (option == 3 and each.protocol != UDP):
            raise Refused(835)
        match option:
            case 1:
                return str(port)
            case 2 if self._module.habits.tells_peer:
                return f'"{host}"' if self._module.habits.quoted_values else host
            case 3:
                return str(int(each.asks is not None))
            case 6:
                return str(len(each.received) or sum(len(data) for data, _ in each.datagrams[:1]))
        if option not in each.settings:
            raise Refused(800)
        return str(each.settings[option])

    # -- the network ---------------------------------------------------------------------------------------------------

    def writable(self, each: Socket) -> None:
        """The network takes something of a socket's."""
        assert each.real is not None
        if each.being is Being.OPENING:
            self._connected(each, each.real.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            return
        try:
            if each.to_send:
                del each.to_send[: each.real.send(each.to_send[:16384])]
            if each.ends and not each.to_send and not each.ended:
                each.ended = True
                each.real.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            return
        except OSError:
            self._reset(each)

    def _connected(self, each: Socket, error: int) -> None:
        if error:
            self._module.record.add("-", f"connect: {os.strerror(error)}")
            each.drop()
            self._failed(each)
            return
        if self.ready_delay_s:
            each.being = Being.WAITING
            self._module.later(self.ready_delay_s, lambda: self._tell_ready(each))
        else:
            self._tell_ready(each)

    def _tell_ready(self, each: Socket) -> None:
        each.being = Being.READY
        if each.answers:
            self._ready(each)
        else:
            self._module.unsolicited(f"+WIPREADY: {each.protocol},{each.index}")

    def readable(self, each: Socket) -> None:
        """The network has something for a socket."""
        assert each.real is not None
        if each.protocol == SERVER:
            self._called(each)
        elif each.protocol == UDP:
            data, sender = each.real.recvfrom(65536)
            if each.asks is not None and sender != each.peer:
                return  # a socket with a peer hears nobody else
            each.datagrams.append((data, sender))
            if each.asks is None:
                each.peer = sender
        else:
            try:
                data = each.real.recv(16384)
            except BlockingIOError:
                return
            except OSError:
                self._reset(each)
                return
            each.received += data
            each.peer_ended = not data

    def _called(self, server: Socket) -> None:
        assert server.real is not None
        real, peer = server.real.accept()
        spent = server.spent if self._module.habits.freed_index_kept else set()
        index = next((n for n in server.span if (TCP, n) not in self._sockets and n not in spent), None)
        if index is None:
            real.close()  # beyond the range: accepted and closed at once (5.1.7)
            return
        real.setblocking(False)
        real.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.spent.add(index)
        self._sockets[TCP, index] = Socket(TCP, index, real=real, peer=peer, local_port=server.local_port)
        self._module.unsolicited(f"+WIPACCEPT: {server.index},{index}")

    def _reset(self, each: Socket) -> None:
        """The connection is gone at once; what was not read is too."""
        each.drop(reset=True)
        each.being, each.reset, each.peer_ended = Being.LOST, True, True
        each.received.clear()
        if not self._module.mapping.was_reset(each) and not each.close_told:
            each.close_told = True
            self._module.unsolicited(f"+WIPPEERCLOSE: {each.protocol},{each.index}")

    def pump(self) -> None:
        """Tell what there is to tell of sockets that are neither mapped nor offline (6.2.6)."""
        for each in self.all:
            if each.protocol == SERVER or each.being in (Being.OPENING, Being.WAITING):
                continue
            if self._module.mapping.pump(each) or self._module.offline.pump(each):
                continue
            name = f"{each.protocol},{each.index}"
            if each.datagrams and not each.data_told:
                each.data_told = True
                data, (host, port) = each.datagrams[0]
                self._module.unsolicited(f'+WIPDATA: {name},{len(data)},"{host}",{port}')
            if each.received and not each.data_told:
                each.data_told = True
                self._module.unsolicited(f"+WIPDATA: {name},{len(each.received)}")
            unread = bool(each.received) and not self._module.habits.unread_close_told
            if each.peer_ended and not each.close_told and not unread:
                each.close_told = True
                self._module.unsolicited(f"+WIPPEERCLOSE: {name}")
