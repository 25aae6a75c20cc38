"""What is known of each dialect, counted and listed from its tables: never written by hand."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.dialect.nodes import Op
from gateway.errors import InputError

_WRITTEN = {Op.EXEC: "", Op.READ: "?", Op.TEST: "=?", Op.SET: "="}


@dataclass(frozen=True, slots=True)
class Counts:
    """How much of a dialect stands in its tables."""

    dialect: str
    title: str
    host: bool
    """Hosts that speak it are served."""
    module: bool
    """Modules that speak it are worked."""
    virtual: bool
    """The gateway can play such a module."""
    commands: int
    forms: int
    parameters: int
    options: int
    messages: int
    """Answers, unsolicited codes and information messages."""
    errors: int
    switches: int
    examples: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that can be said: how it is written, what it is, where the manual has it."""

    kind: str
    """``command``, ``parameter``, ``option``, ``message``, ``error`` or ``switch``."""
    text: str
    title: str
    source: str


def counts(dialect: Dialect) -> Counts:
    """The size of each table."""
    tables = dialect.tables
    forms = [form for command in tables.commands.values() for form in command.forms]
    examples = sum(len(form.examples) for form in forms) + sum(len(one.examples) for one in tables.parameters.values())
    return Counts(
        tables.id,
        tables.title,
        "host" in tables.roles,
        "module" in tables.roles,
        "virtual" in tables.roles,
        len(tables.commands),
        len(forms),
        len(tables.parameters),
        sum(len(group) for group in tables.options.values()),
        len(tables.messages) + len(tables.information),
        len(tables.errors),
        len(tables.switches),
        examples,
    )


def every() -> list[Counts]:
    """All dialects in the order of their ids."""
    return [counts(registry.load(name)) for name in registry.ids()]


def entries(dialect: Dialect, kind: str = "") -> list[Entry]:
    """Everything in a dialect's tables, or one kind of it. Raises :class:`InputError` for an unknown kind."""
    found = [*_commands(dialect), *_parameters(dialect), *_options(dialect), *_messages(dialect), *_others(dialect)]
    kinds = ("command", "parameter", "option", "message", "error", "switch")
    if kind and kind not in kinds:
        raise InputError(f"no such kind of entry: {kind!r}; there are {', '.join(kinds)}")
    return [entry for entry in found if not kind or entry.kind == kind]


def _commands(dialect: Dialect) -> list[Entry]:
    found = []
    for name, command in dialect.tables.commands.items():
        for form in command.forms:
            values = []
            for taken in form.takes:
                key = taken.rstrip("?*")
                fixed = form.when.get(key)
                shown = str(fixed[0]) if fixed and len(fixed) == 1 else f"<{key}>"
                values.append(f"[{shown}]" if taken.endswith("?") else shown)
            written = f"AT{name}{_WRITTEN[Op(form.op)]}{','.join(values)}"
            title = f"{command.title}: {form.does.replace('_', ' ')}" if len(command.forms) > 1 else command.title
            found.append(Entry("command", written, title, form.source or command.source))
    return found


def _parameters(dialect: Dialect) -> list[Entry]:
    sign = dialect.tables.own[0]
    return [
        Entry(
            "parameter",
            f"AT{sign}{name}={'<id>,' if one.indexed and dialect.tables.socket_ids else ''}<value>",
            one.title,
            one.source,
        )
        for name, one in dialect.tables.parameters.items()
    ]


def _options(dialect: Dialect) -> list[Entry]:
    return [
        Entry("option", f"{group} {number}", option.title, option.source)
        for group, options in dialect.tables.options.items()
        for number, option in options.items()
    ]


def _messages(dialect: Dialect) -> list[Entry]:
    tables = dialect.tables
    return [
        Entry("message", message.text, message.title or key.replace("_", " "), message.source)
        for key, message in (*tables.information.items(), *tables.messages.items())
    ]


def _others(dialect: Dialect) -> list[Entry]:
    tables = dialect.tables
    found = [Entry("error", code, error.title, error.source) for code, error in tables.errors.items()]
    for name, switch in tables.switches.items():
        values = ", ".join(f"{value} (default)" if value == switch.default else value for value in switch.values)
        found.append(Entry("switch", f"{name}: {values}", switch.title, switch.source))
    return found
