"""How a request is met: by the module's own table of abilities, and by what the gateway can do over its sockets."""

from __future__ import annotations

from enum import StrEnum

from gateway.dialect.driver import Driver
from gateway.dialect.schema import ModuleHabits
from gateway.model.requests import ConnectTcp, PassThrough, Request, ResolveName, StartBearer
from gateway.model.services import OpenPop3, OpenSmtp
from gateway.model.tuning import Tune
from gateway.model.values import BearerKind, Family


class Way(StrEnum):
    """In this order: the first that is possible is taken."""

    NATIVE = "native"
    """The module's dialect has the command."""
    COMPOSED = "composed"
    """Several of its commands make it."""
    POLYFILLED = "polyfilled"
    """The gateway speaks the protocol itself over the module's plain sockets."""
    EMULATED = "emulated"
    """The gateway keeps the value; the module is not told."""
    REFUSED = "refused"
    """It cannot be done; the host hears its own error."""


OVER_TCP = frozenset(
    {
        "ConnectTcp.secure", "OpenFtp", "SetFtp", "GetFile", "PutFile", "DeleteFile", "OpenSmtp", "SendMail", "OpenPop3",
        "ListMail", "FetchMail", "DeleteMail", "OpenHttp", "WebRequest", "OpenMms", "SendMms",
    }
)  # fmt: skip
"""What the gateway does itself where the module has TCP."""
OVER_TWO = frozenset({"OpenFtp", "SetFtp", "GetFile", "PutFile", "DeleteFile"})
"""Of these, what takes two sockets at once."""
OVER_UDP = frozenset({"GetTime", "ResolveName.asked"})
"""And where it has UDP."""
PLAIN = ".plain"
"""Of a session with a server of mail: the least that can be wanted of it, which a module may have alone."""


def name_of(request: Request) -> str:
    """A request's name in tables: its class, and what a module may have apart from it."""
    name = type(request).__name__
    if isinstance(request, ConnectTcp) and request.secure:
        name = f"{name}.secure"
    if isinstance(request, StartBearer) and request.kind is BearerKind.GSM:
        name = f"{name}.call" if request.answers else f"{name}.gsm"
    if isinstance(request, ResolveName) and request.servers:
        name = f"{name}.asked"
    if isinstance(request, OpenSmtp | OpenPop3) and request.plain:
        name += PLAIN
    if getattr(request, "family", Family.FOUR) is not Family.FOUR:
        name = f"{name}.six"
    return name


def way_of(name: str, habits: ModuleHabits) -> Way:
    """The way of a request, by its name, on a module with these habits."""
    abilities = habits.abilities
    way = abilities.get(name)
    if way:
        return Way(way)
    name = name.removesuffix(PLAIN)  # who can do all can do the least
    way = abilities.get(name)
    if way:
        return Way(way)
    if name in OVER_TWO and habits.sockets < 2:
        return Way.REFUSED
    if (name in OVER_TCP and "ConnectTcp" in abilities) or (name in OVER_UDP and "OpenUdp" in abilities):
        return Way.POLYFILLED
    return Way.REFUSED


def plan(request: Request, driver: Driver) -> Way:
    """The way of ``request`` on the module that ``driver`` works."""
    if isinstance(request, PassThrough):
        return Way.NATIVE
    if isinstance(request, Tune):
        able = driver.dialect.tables.module.tunings
        return Way.NATIVE if any(tuning in able for tuning, _ in request.values) else Way.EMULATED
    name = name_of(request)
    if getattr(request, "session", None) in driver.plain:
        name += PLAIN
    return way_of(name, driver.dialect.tables.module)
