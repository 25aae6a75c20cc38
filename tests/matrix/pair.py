"""A host dialect and what it meets: a module's dialect, or this computer's own network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.translate.plan import Way, way_of
from gateway.translate.services import pairs

NATIVE = "native"


@dataclass(frozen=True)
class Pair:
    """One combination of the matrix."""

    host: str
    module: str
    """A dialect's id, or ``native``."""

    def __str__(self) -> str:
        return f"{self.host} on {self.module}"

    @property
    def dialect(self) -> Dialect | None:
        """The module's dialect; None without a module."""
        return None if self.module == NATIVE else registry.load(self.module)

    def way(self, service: str) -> Way:
        """How a service of the host's is met here, by the table of pairs."""
        return next(one.way for one in pairs(registry.load(self.host), self.dialect) if one.service == service)

    def lost(self, service: str) -> str:
        """What is not as it was of a service, as the table of pairs says it."""
        return next(one.lost for one in pairs(registry.load(self.host), self.dialect) if one.service == service)

    def way_of(self, request: str) -> Way:
        """How one request is met."""
        return Way.NATIVE if self.dialect is None else way_of(request, self.dialect.tables.module)

    def longest(self, service: str) -> bool:
        """Whether this is the one pair of its host's on which much is moved by a service in its way: the last module."""
        way = self.way(service)
        return self.module in [one for one in modules()[:-1] if Pair(self.host, one).way(service) is way][-1:]

    @property
    def services(self) -> tuple[str, ...]:
        """What hosts of the dialect ask for."""
        return tuple(registry.load(self.host).tables.services)

    @property
    def clients(self) -> int | None:
        """How many TCP connections a module has at once; None when nothing limits them."""
        return None if self.dialect is None else self.dialect.tables.module.sockets


def hosts() -> list[str]:
    """Every dialect that hosts speak."""
    return [name for name in registry.ids() if "host" in registry.load(name).tables.roles]


def modules() -> list[str]:
    """Every dialect of modules that the gateway works and can play, and none."""
    roles = {name: registry.load(name).tables.roles for name in registry.ids()}
    return [*(name for name, own in roles.items() if {"module", "virtual"} <= set(own)), NATIVE]


def every_pair() -> Iterator[Pair]:
    """The matrix."""
    for host in hosts():
        for module in modules():
            yield Pair(host, module)
