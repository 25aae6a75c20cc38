"""Sockets come and go: +MIPOPEN, +MIPCLOSE (1.1.2, 1.1.3), and what the network does to them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from standin import sockets
from standin.arguments import Argument, Refused, number
from standin.mip.sockets import MipSocket
from standin.reply import LATER, Mode, Reply
from standin.sockets import Being

if TYPE_CHECKING:
    from standin.mip.module import MipModule

DENIED, PARAMETER, NO_NAME, NOT_VALID, PROTOCOL = 3, 2000, 2002, 2004, 2005
BIND_FAILED, CONNECT_FAILED, NOT_OPENED = 2011, 2012, 2024
PLAIN = (0, 1)
"""Protocols that this one has: TCP and UDP over IPv4."""
FAILS_S = 0.02


class Opening:
    """See the module's text."""

    def __init__(self, module: MipModule) -> None:
        self._module = module
        self._sockets: dict[int, MipSocket] = {}

    @property
    def all(self) -> list[MipSocket]:
        """Every socket there is."""
        return [each for _, each in sorted(self._sockets.items())]

    def find(self, number_of: int) -> MipSocket:
        """An open socket by its number. Raises :class:`Refused` when there is none."""
        each = self._sockets.get(number_of)
        if each is None or each.being is Being.OPENING or each.is_closing:
            raise Refused(NOT_OPENED)
        return each

    def id_of(self, values: list[Argument], position: int = 0) -> int:
        """A socket's number; one that is none is a complaint."""
        text = values[position].text if len(values) > position else ""
        if not text.isdigit() or not 1 <= int(text) <= 6:
            self._module.record.complain(f"no socket: {text!r}")
            raise Refused(PARAMETER)
        return int(text)

    def listed(self, name: str, numbers: list[int]) -> list[str]:
        """The answer of a read form: a list of sockets, or 0."""
        text = ",".join(map(str, numbers)) or "0"
        if self._module.habits.brackets and numbers:
            self._module.say_line(f"{name}: [{text}]")
            return []
        return [f"{name}: {text}"]

    @property
    def active(self) -> list[int]:
        """Numbers of the sockets in use."""
        return sorted(self._sockets)

    def forget_all(self) -> None:
        """The link was released by the host."""
        for each in self.all:
            self._forget(each)
            if self._module.habits.stop_stats:
                self._module.unsolicited(f"+MIPSTAT: {each.number},1")

    def cut(self, *, told: bool) -> None:
        """The link is gone: every connection is."""
        for each in self.all:
            if each.is_closing:
                self._forget(each)
                continue
            each.drop(reset=True)
            each.peer_ended = each.was_reset = True
            each.received.clear()
            each.datagrams.clear()
            each.close_told = not told
            each.being = Being.LOST
            if told:
                self.tell_end(each)
            self._sockets.pop(each.number, None)

    def _forget(self, each: MipSocket) -> None:
        each.drop()
        if each.received and not each.is_closing:
            self._module.record.add("-", f"{len(each.received)} bytes of {each.number} were never read")
        self._sockets.pop(each.number, None)

    # -- +MIPOPEN ------------------------------------------------------------------------------------------------------

    def test_mipopen(self) -> Reply:
        return ["+MIPOPEN: (1-6),(0-65535),(<IP/URL>),(0-65535),(0-2,60-62)"]

    def read_mipopen(self) -> Reply:
        return self.listed("+MIPOPEN", [it for it in range(1, 7) if it not in self._sockets])

    def set_mipopen(self, values: list[Argument]) -> Reply:
        if len(values) != 5:
            self._module.record.complain(f"+MIPOPEN with {len(values)} values")
            raise Refused(PARAMETER)
        return self.open(values, "+MIPOPEN")

    def open(self, values: list[Argument], name: str) -> Reply:
        """+MIPOPEN or +MIPODM."""
        self._module.bearers.required()
        number_of = self.id_of(values)
        local = number(values, 1, 0, 65535, code=PARAMETER, default=0)
        host, port = values[2].text, number(values, 3, 0, 65535, code=PARAMETER)
        if not values[2].quoted:
            self._module.record.complain(f"{name}: a host without quotes (F13)")
        if not host or len(host) > 255:
            raise Refused(PARAMETER)
        if number_of in self._sockets:
            raise Refused(NOT_VALID)
        protocol = number(values, 4, 0, 62, code=PARAMETER)
        if protocol not in PLAIN:
            raise Refused(PROTOCOL if protocol in (2, 60, 61, 62) else PARAMETER)
        if any(it.is_online for it in self.all):
            self._module.record.complain(f"{name} beside a socket in online data mode")
        each = MipSocket(number_of, protocol == 1, is_online=name == "+MIPODM")
        if port == 0 and not each.is_udp:
            return self._listen(each, local)
        if port:
            each.asks = (host, port)
        return self._open_udp(each, local) if each.is_udp else self._connect(each, local)

    def _listen(self, each: MipSocket, port: int) -> Reply:
        if not port:
            raise Refused(PARAMETER)
        try:
            each.real = sockets.listening(port)
        except OSError:
            raise Refused(BIND_FAILED) from None
        each.being, each.is_listener = Being.WAITING, True
        self._sockets[each.number] = each
        if self._module.habits.listen_told:
            return self._answer(each, f"{self.name_of(each)}: {each.number},0")
        return None

    def _open_udp(self, each: MipSocket, local: int) -> Reply:
        if each.asks is not None:
            address = self._module.network.address(each.asks[0])
            if address is None:
                return self._fail(each, FAILS_S)
            each.peer = (address, each.asks[1])
        try:
            each.real = sockets.datagrams(local)
        except OSError:
            raise Refused(BIND_FAILED) from None
        self._sockets[each.number] = each
        return self._answer(each, f"{self.name_of(each)}: {each.number},1")

    def _connect(self, each: MipSocket, local: int) -> Reply:
        del local  # a peer of loopback does not look at it
        assert each.asks is not None
        network = self._module.network
        host, port = each.asks
        address = network.address(host)
        if address is None:
            return self._fail(each, FAILS_S)
        if host in network.timeouts:
            return self._fail(each, network.timeouts[host])
        each.being, each.peer = Being.OPENING, (address, port)
        self._sockets[each.number] = each
        if host not in network.silent:
            each.real = sockets.connecting(each.peer)
        each.answers = self._module.habits.open_order != "ok_first" or self._module.habits.failure == "code"
        return self._module.busy(f"+MIPOPEN={each.number}") if each.answers else None

    def name_of(self, each: MipSocket) -> str:
        """The command that a socket was opened by."""
        return "+MIPODM" if each.is_online else "+MIPOPEN"

    def _answer(self, each: MipSocket, line: str) -> Reply:
        """OK and the line that tells of the opened socket, in this module's order."""
        habits = self._module.habits
        if habits.open_order == "ok_first" and not each.answers:
            self._module.later(habits.open_delay_s, lambda: self._tell_open(each, line))
            return None
        self._module.busy("+MIPOPEN")

        def told() -> None:
            if habits.open_order == "line_first":
                self._module.done(line)
            else:
                self._module.done(behind=line)
            self._module.mapping.opened(each)

        self._module.later(habits.open_delay_s, told)
        return LATER

    def _tell_open(self, each: MipSocket, line: str) -> None:
        if self._sockets.get(each.number) is not each:
            return
        if each.is_online and line.endswith(",1") and self._module.habits.online_entry == "connect":
            self._module.mapping.opened(each)
            return
        self._module.unsolicited(line)
        if not line.endswith(",0"):
            self._module.mapping.opened(each)

    def _fail(self, each: MipSocket, seconds: float) -> Reply:
        each.being = Being.OPENING
        self._sockets[each.number] = each
        each.answers = self._module.habits.failure == "code"
        self._module.later(seconds, lambda: self._failed(each))
        return self._module.busy(f"+MIPOPEN={each.number}") if each.answers else None

    def _failed(self, each: MipSocket) -> None:
        if self._sockets.get(each.number) is not each:
            return  # closed meanwhile
        habits = self._module.habits
        each.drop()
        each.being, each.close_told = Being.LOST, True
        if habits.failure == "code" or not habits.failed_kept:
            self._forget(each)
        known = each.asks is not None and self._module.network.address(each.asks[0]) is not None
        if habits.failure == "code":
            self._module.done(error=CONNECT_FAILED if known else NO_NAME)
            return
        number_of = each.number
        line = {"stat": f"+MIPSTAT: {number_of},1", "stat2": f"+MIPSTAT: {number_of},2"}.get(
            habits.failure, f"{self.name_of(each)}: {number_of},0"
        )
        if each.answers:
            self._module.done(behind=line)
        else:
            self._module.unsolicited(line)

    # -- +MIPCLOSE -----------------------------------------------------------------------------------------------------

    def test_mipclose(self) -> Reply:
        return ["+MIPCLOSE: (1-6),(0-2)"]

    def read_mipclose(self) -> Reply:
        return self.listed("+MIPCLOSE", self.active)

    def set_mipclose(self, values: list[Argument]) -> Reply:
        number_of = self.id_of(values)
        number(values, 1, 0, 2, code=PARAMETER, default=0)
        each = self._sockets.get(number_of)
        if each is None or each.is_closing:
            raise Refused(DENIED)
        habits = self._module.habits
        told = each.close_told
        each.being, each.close_told, each.is_closing = Being.LOST, True, True
        each.drop()
        count = f"{each.sent_bytes}," if habits.close_bytes else ""
        line = f"+MIPCLOSE: {number_of},{count}{2 if each.was_reset else 0}"
        stat = f"+MIPSTAT: {number_of},2"
        lines = [line]
        if habits.close_stat and not told and not each.is_udp:
            lines = [stat, line] if habits.close_stat == "before" else [line, stat]
        if habits.close_order == "ok_first":
            self._module.later(habits.close_delay_s, lambda: self._closed(each, lines))
            return None
        self._module.busy("+MIPCLOSE")

        def closed() -> None:
            if habits.close_order == "line_first":
                self._forget(each)
                self._module.done(*lines)
            else:
                self._module.done()
                self._closed(each, lines)

        self._module.later(habits.close_delay_s, closed)
        return LATER

    def _closed(self, each: MipSocket, lines: list[str]) -> None:
        if self._sockets.get(each.number) is not each:
            return  # the link went first
        self._forget(each)
        for line in lines:
            self._module.unsolicited(line)

    # -- the network ---------------------------------------------------------------------------------------------------

    def writable(self, each: MipSocket) -> None:
        """The network takes something of a socket's."""
        assert each.real is not None
        if each.being is Being.OPENING:
            error = each.real.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                self._module.record.add("-", f"connect: {os.strerror(error)}")
                self._failed(each)
                return
            each.being = Being.READY
            self._answer(each, f"{self.name_of(each)}: {each.number},1")
            return
        try:
            taken = each.real.send(each.to_send[:16384])
        except BlockingIOError:
            return
        except OSError:
            self._reset(each)
            return
        del each.to_send[:taken]
        each.sent_bytes += taken
        self._module.sending.room(each)
        if self._module.habits.acknowledges and not each.to_send and not each.is_online:
            self._module.unsolicited(f"+MIPSTAT: {each.number},0,{each.sent_bytes}")

    def readable(self, each: MipSocket) -> None:
        """The network has something for a socket."""
        assert each.real is not None
        if each.is_listener and each.being is Being.WAITING:
            listener = each.real
            each.real, each.peer = listener.accept()
            listener.close()  # the listener becomes the connection
            each.real.setblocking(False)
            each.real.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.being = Being.READY
            line = f"{self.name_of(each)}: {each.number},1,{each.peer[0]},{each.peer[1]}"
            self._module.unsolicited(line)
            self._module.mapping.opened(each)
        elif each.is_udp:
            try:
                data, sender = each.real.recvfrom(65536)
            except OSError:
                return
            each.datagrams.append((data, sender))
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

    def _reset(self, each: MipSocket) -> None:
        """The connection is gone at once; what was not read is too."""
        each.drop(reset=True)
        each.received.clear()
        each.peer_ended = each.was_reset = True

    def pump(self) -> None:
        """Tell what there is to tell."""
        for each in self.all:
            if each.being is not Being.READY or self._module.mapping.pump(each):
                continue
            if self._module.receiving.pump(each) and each.peer_ended and not each.close_told:
                self.tell_end(each)

    def tell_end(self, each: MipSocket) -> None:
        """Its peer has gone; everything that came was told before."""
        habits = self._module.habits
        each.close_told = True
        each.being = Being.LOST
        each.drop(reset=each.was_reset)
        number_of = each.number
        if each.was_reset:
            line = f"+MIPSTAT: {number_of},{habits.reset_status}"
        elif habits.peer_close == "close":
            line = f"+MIPCLOSE: {number_of},0"
        else:
            line = f"+MIPSTAT: {number_of},{habits.peer_close[-1]}"
        if not habits.lost_kept or (habits.peer_close == "close" and not each.was_reset):
            self._sockets.pop(number_of, None)
        if self._module.mode is Mode.DATA and self._module.mapping.socket is each:
            self._module.mapping.ended(line)
        else:
            self._module.unsolicited(line)
