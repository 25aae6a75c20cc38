"""What a command becomes in every dialect that modules speak: for people, and for the migration of their firmware."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.migrate.joined import Became, Joined
from gateway.translate.plan import Way

_ORDER = list(Way)


@dataclass(frozen=True, slots=True)
class Becoming:
    """One command in one module's dialect."""

    dialect: str
    commands: tuple[str, ...]
    """What the module is sent, in order; none when the gateway answers by itself."""
    way: str
    """The least of the ways of its requests, "" when it has none."""
    speaks: str = ""
    """The protocol that the gateway speaks itself, over the sockets that ``commands`` open; "" where it need not."""
    answer: str = ""
    """The host's own error, where it hears one however much went before."""


def becoming(text: str, host: Dialect) -> list[Becoming]:
    """What a command line becomes on each module, once what it needs (a bearer, its parameters) is there."""
    return [
        _on(text, host, registry.load(name)) for name in registry.ids() if "module" in registry.load(name).tables.roles
    ]


def _on(text: str, host: Dialect, module: Dialect) -> Becoming:
    """Behind the first of what may have gone before it that lets it succeed and be something to the module."""
    failed: list[Becoming] = []
    nothing: Becoming | None = None
    for before in _before(text, host):
        became = _said(text, before, host, module)
        error = _error(became, host)
        # A request that was refused and done without is none of the command's ways when that succeeds.
        way = _least([one for one in became.ways if error or one != Way.REFUSED])
        one = Becoming(module.id, tuple(became.commands), way, " and ".join(dict.fromkeys(became.spoken)), error)
        if error:
            failed.append(one)
        elif one.commands or one.speaks:
            return one
        else:
            nothing = nothing or one
    return nothing or next((one for one in failed if one.way == Way.REFUSED), failed[0])


def _before(text: str, host: Dialect) -> Iterator[list[str]]:
    """What may have gone before a command: the prologue, less and less of it, then one situation after another."""
    lines = [line for line in host.tables.prologue if line.strip() != text.strip()]
    for count in range(len(lines), -1, -1):
        yield lines[:count]
    for situation in host.tables.situations:
        yield [*lines, *situation]


def _said(text: str, before: list[str], host: Dialect, module: Dialect) -> Became:
    joined = Joined(host, module)
    for line in before:
        joined.say(line)
        joined.leave()
    return joined.say(text)


def _error(became: Became, host: Dialect) -> str:
    """The error that the host was told, "" for none."""
    marks = (host.tables.lines.error.partition("{")[0], "ERROR")
    return next((line for line in became.answer.split("\r\n") if line.startswith(marks)), "")


def _least(ways: list[str]) -> str:
    return max(ways, key=lambda way: _ORDER.index(Way(way)), default="")
