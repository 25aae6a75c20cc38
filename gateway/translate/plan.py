"""How a request is met: native, composed, emulated or refused, decided by the module's own table of abilities."""

from __future__ import annotations

from enum import StrEnum

from gateway.dialect.driver import Driver
from gateway.model.requests import PassThrough, Request


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


def plan(request: Request, driver: Driver) -> Way:
    """The way of ``request`` on the module that ``driver`` works."""
    if isinstance(request, PassThrough):
        return Way.NATIVE
    way = driver.way(request)
    return Way(way) if way else Way.REFUSED
