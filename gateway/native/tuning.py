"""How the packets of this computer's sockets are made, as far as its system lets a program say."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping

from gateway.model.tuning import Tuning

log = logging.getLogger("gateway.native")
_IP = {
    Tuning.TTL: (socket.IPPROTO_IP, socket.IP_TTL),
    Tuning.TOS: (socket.IPPROTO_IP, socket.IP_TOS),
}
_IP6 = {
    Tuning.TTL: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
    Tuning.TOS: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}
_TCP = {
    Tuning.NO_DELAY: (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    Tuning.KEEP_ALIVE_IDLE: (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    Tuning.KEEP_ALIVE_INTERVAL: (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    Tuning.KEEP_ALIVE_COUNT: (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
}
ABLE = frozenset(_IP) | frozenset(_TCP)


def apply(transport: asyncio.BaseTransport | None, values: Mapping[Tuning, int]) -> None:
    """Set what can be set; a value that the system does not take is told in the log."""
    link = transport.get_extra_info("socket") if transport is not None else None
    if link is None or not values:
        return
    known = _IP6 if link.family == socket.AF_INET6 else _IP
    if link.type & socket.SOCK_STREAM:
        known = known | _TCP
    wanted = [(known[tuning], value) for tuning, value in values.items() if tuning in known]
    if any(tuning.startswith("keep_alive") for tuning in values):
        wanted.append(((socket.SOL_SOCKET, socket.SO_KEEPALIVE), 1))
    for (level, option), value in wanted:
        try:
            link.setsockopt(level, option, value)
        except OSError as error:
            log.info("a socket's packets cannot be made so (option %d = %d): %s", option, value, error.strerror)
