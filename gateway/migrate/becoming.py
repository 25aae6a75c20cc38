"""What a command becomes in every dialect that modules speak: for people, and for the migration of their firmware."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.migrate.joined import Became, Joined


@dataclass(frozen=True, slots=True)
class Becoming:
    """One command in one module's dialect."""

    dialect: str
    commands: tuple[str, ...]
    """What the module is sent, in order; none when the gateway answers by itself."""
    way: str
    """The least of the ways of its requests, "" when it has none."""


def becoming(text: str, host: Dialect) -> list[Becoming]:
    """What a command line becomes on each module, once what it needs (a bearer, its parameters) is there."""
    return [
        _on(text, host, registry.load(name)) for name in registry.ids() if "module" in registry.load(name).tables.roles
    ]


def _on(text: str, host: Dialect, module: Dialect) -> Becoming:
    joined = Joined(host, module)
    plain = joined.say(text)
    if _failed(plain, host):
        joined = Joined(host, module)
        for line in host.tables.prologue:
            if line.strip() != text.strip():
                joined.say(line)
        became = joined.say(text)
        if not _failed(became, host):
            plain = became
    return Becoming(module.id, tuple(plain.commands), _least(plain.ways))


def _failed(became: Became, host: Dialect) -> bool:
    """Whether the host was told an error that is its own state's, not the module's."""
    marks = (host.tables.lines.error.partition("{")[0], "\nERROR")
    return any(mark in became.answer for mark in marks)


def _least(ways: list[str]) -> str:
    order = ("native", "composed", "polyfilled", "emulated", "refused")
    return max(ways, key=order.index, default="")
