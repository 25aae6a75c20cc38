"""What hosts ask of the network, in the words of people, and how each is met on a module: the table of pairs.

Made from the same tables that plan each request: what a host's dialect has (``services`` in its file), what a module's
dialect can do (``module.abilities``), and what the gateway does itself over a module's sockets.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialect.dialect import Dialect
from gateway.translate.plan import PLAIN, Way, way_of

SERVICES: dict[str, tuple[str, ...]] = {
    "bearer": ("StartBearer", "StopBearer", "QueryBearer"),
    "GSM data call": ("StartBearer.gsm",),
    "GSM data call in": ("StartBearer.call",),
    "TCP client": ("ConnectTcp", "Attach", "CloseSocket"),
    "TCP server": ("ListenTcp", "AcceptTcp"),
    "UDP": ("OpenUdp", "Attach", "CloseSocket"),
    "IPv6": ("StartBearer.six", "ConnectTcp.six", "ListenTcp.six", "OpenUdp.six", "Ping.six", "ResolveName.six"),
    "TLS": ("ConnectTcp.secure", "Attach", "CloseSocket"),
    "ping": ("Ping",),
    "names": ("ResolveName",),
    "names by own servers": ("ResolveName.asked",),
    "FTP": ("OpenFtp", "GetFile", "PutFile"),
    "mail out": ("OpenSmtp", "SendMail"),
    "mail in": ("OpenPop3", "ListMail", "FetchMail", "DeleteMail"),
    "web": ("OpenHttp", "WebRequest"),
    "MMS": ("OpenMms", "SendMms"),
    "time": ("GetTime",),
}
"""Service to the requests that make it."""

_WITHOUT_MODULE = {
    "GSM data call": (Way.EMULATED, "there is no telephone line: the computer's network is used"),
    "GSM data call in": (Way.REFUSED, "there is no telephone line: nobody calls"),
}
"""What this computer's own network is not."""
_ORDER = list(Way)


@dataclass(frozen=True, slots=True)
class Pair:
    """One service of one host's dialect on one module's."""

    host: str
    module: str
    service: str
    way: Way
    lost: str = ""
    """What is not as it was, "" when nothing is."""


def pairs(host: Dialect, module: Dialect | None) -> list[Pair]:
    """Every service that hosts of a dialect ask for, on a module or on this computer's own network (None)."""
    return [_pair(host, module, service) for service in host.tables.services]


def _pair(host: Dialect, module: Dialect | None, service: str) -> Pair:
    if module is None:
        way, lost = _WITHOUT_MODULE.get(service, (Way.NATIVE, ""))
        return Pair(host.id, "native", service, way, lost)
    suffix = PLAIN if service in host.tables.plain else ""
    ways = [way_of(f"{request}{suffix}", module.tables.module) for request in SERVICES[service]]
    way = max(ways, key=_ORDER.index)
    losses = module.tables.module.losses
    lost = losses.get(f"{service}{suffix}", losses.get(service, ""))
    return Pair(host.id, module.id, service, way, lost)
