"""What sockets, files and mail of this family have in common: parameters, the link, one service at a time."""

from __future__ import annotations

from enum import Enum

from gateway.dialect.dialect import Call
from gateway.dialect.firmware import Firmware, Refusal
from gateway.dialect.schema import Parameter
from gateway.model.causes import Cause
from gateway.model.values import Addresses, BearerKind, Endpoint, HostSocket

SERVICE = "service"
"""The name of the task of the one service that may run."""
LINK = "link"
"""The name of the task that brings IP up."""
RELEASE = "release"
"""The name of the task that takes IP down."""
EVERYBODY = "255.255.255.255"
"""As #TCPSERV or #UDPSERV of a listener: no filter (ch. 5, ch. 6)."""


class Link(Enum):
    """The states that #VSTATE knows (ch. 8); the value is the key of its text in the dialect's file."""

    IDLE = "idle"
    CHECKING = "checking"
    DIALING = "dialing"
    CONNECTED = "connected"
    DISCONNECTING = "disconnecting"


class EdsoftBase(Firmware):
    """See the module's text."""

    link = Link.IDLE
    addresses: Addresses | None = None
    bearer = BearerKind.GPRS
    service = ""
    """What runs: tcp, listen, udp, udp_listen, ping; "" when nothing does (ch. 2: one process at a time)."""
    _sockets = 0

    def value(self, name: str, number: int | None = None) -> str | int:
        """A parameter's value, stored or default."""
        parameter = self.dialect.tables.parameters[name]
        default = parameter.default if parameter.default is not None else ""
        return self.around.stored.get(self._key(name, parameter, number), default)

    def text(self, name: str, number: int | None = None) -> str:
        """A textual parameter."""
        return str(self.value(name, number))

    def number(self, name: str, number: int | None = None) -> int:
        """A numeric parameter."""
        return int(self.value(name, number))

    def _key(self, name: str, parameter: Parameter, number: int | None) -> str:
        return f"{name}.{number or 1}" if parameter.indexed else name

    def _free(self, call: Call) -> int:
        """The socket id of a service that may begin now."""
        number = call.number("id", 1)
        if number > max(self.dialect.tables.socket_ids, default=1):
            raise Refusal(Cause.BAD_INDEX)
        if self.link is not Link.CONNECTED:
            raise Refusal(Cause.NO_BEARER, "no #CONNECTIONSTART before it")
        if self.service:
            raise Refusal(Cause.BUSY, "one service at a time, and another runs")
        return number

    def _socket(self) -> HostSocket:
        self._sockets += 1
        return HostSocket(self._sockets)

    def _port(self, name: str, number: int | None = None) -> int:
        port = self.number(name, number)
        if port == 0:
            raise Refusal(Cause.BAD_VALUE, f"#{name} is not set")  # C15: 0 is "not set"
        return port

    def _peer(self, server: str, port: str, number: int | None = None) -> Endpoint:
        host = self.text(server, number)
        if not host or host == EVERYBODY:
            raise Refusal(Cause.BAD_VALUE, f"#{server} names nobody" if host else f"#{server} is not set")
        return Endpoint(host, self._port(port, number))
