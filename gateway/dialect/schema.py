"""A dialect's tables as data classes, and the one reader that fills them from YAML.

Fields of the classes are the keys of the file; a key that is no field is an error with its place and the nearest
right name. What a key means stands here, at its field.
"""

from __future__ import annotations

import types
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_origin

from gateway.errors import nearest
from gateway.model.causes import Cause


class SchemaError(Exception):
    """A value of a dialect file is wrong; ``keys`` lead to it."""

    def __init__(self, message: str, keys: tuple[str | int, ...]):
        super().__init__(message)
        self.keys = keys


@dataclass(frozen=True, slots=True)
class Document:
    """Where the facts come from."""

    title: str
    revision: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class ValueType:
    """What a value may be.

    Kinds: ``int`` (minimum, maximum, step, also), ``enum`` (values), ``letter`` (values; case does not matter),
    ``string`` and ``text`` (max_length), ``phone`` (digits), ``caller`` (0, * or a number), ``ip`` (dotted), ``host``
    (dotted or a name), ``port`` (0..65535), ``addresses`` (max_items of max_length), ``hex`` (pairs of digits),
    ``keyword`` (values; case does not matter; written in quotes), ``ip6`` (an IPv6 address), ``address`` (``ip`` or
    ``ip6``).
    """

    kind: str
    minimum: int | None = None
    maximum: int | None = None
    step: int | None = None
    also: tuple[int, ...] = ()
    values: dict[str, str] = field(default_factory=dict)
    max_length: int | None = None
    max_items: int | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Parameter(ValueType):
    """A stored parameter of a dialect that keeps them (``AT#NAME=value``)."""

    title: str = ""
    default: str | int | None = None
    source: str = ""
    errata: tuple[str, ...] = ()
    secret: bool = False
    indexed: bool = False
    """One value a socket id."""
    entry: str = ""
    """``text``: ``AT#NAME`` opens an entry of text; ``list``: ``AT#NAMEADD`` one of addresses; Ctrl-Z ends both."""
    effect: str = "used"
    """``kept``: answered and kept, but without effect on a module; a strict policy refuses to change it.
    ``calls``: some values are so where the module takes no GSM data calls."""
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument(ValueType):
    """A parameter of a command."""

    title: str = ""
    optional: bool = False
    default: str | int | None = None
    secret: bool = False
    wrong: Cause | None = None
    """The cause when the value is bad; else bad_value."""
    initial: str | int | None = None
    """What a setting is before it was ever set; one that is left out stays as it is."""
    shown: str = ""
    """What an answer to the test form shows in its place, where that is no range."""
    goes_with: str = ""
    """Where it may be left out: it is there when this other argument is, and only then."""
    errata: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a command. The first form whose ``op`` and ``when`` fit is taken."""

    op: str
    does: str
    """The name of the behaviour (a function of the family's quirk file)."""
    takes: tuple[str, ...] = ()
    """Names of the arguments in order; one that ends in ``?`` may be left out, in ``??`` (a number) also without its
    comma, in ``*`` takes all the rest, in ``**`` all the rest in pairs."""
    when: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    shapes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Only when these arguments are there, and written so: ``string`` (in quotes), ``number``, ``bare``."""
    by: str = ""
    """The behaviour's own name, where several forms share one and ``does`` tells them apart."""
    answer: tuple[str, ...] = ()
    """What comes back, its result included: names of messages and results, of several ends one after the other."""
    then: tuple[str, ...] = ()
    """What comes unasked after the result, named so too."""
    switch: str = ""
    """Only when this switch has the value ``yes``."""
    phase: str = ""
    """The data phase that it opens: ``escaped``, ``transparent``, ``hexadecimal``, ``prompted``, ``mail``."""
    source: str = ""
    errata: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """An extended command."""

    title: str = ""
    source: str = ""
    arguments: dict[str, Argument] = field(default_factory=dict)
    forms: tuple[Form, ...] = ()
    ranges: tuple[str, ...] = ()
    """The arguments that an answer to the test form lists, in its order."""
    shows: tuple[tuple[str, ...], ...] = ()
    """For a display: blocks of parameter names; ``NAME:1`` shows the value of socket id 1."""
    causes: dict[Cause, str] = field(default_factory=dict)
    """Codes of this command where they differ from the dialect's."""
    stored: str = ""
    """What of it survives a restart of the module, and by what."""
    limit_s: int | None = None
    """How long it may take, where the manual says so."""
    errata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """A numbered option of a command (``+WIPCFG``, ``+WIPBR``, ``+WIPOPT``)."""

    kind: str
    title: str = ""
    minimum: int | None = None
    maximum: int | None = None
    values: dict[str, str] = field(default_factory=dict)
    max_length: int | None = None
    default: str | int | None = None
    unit: str = ""
    access: str = "rw"
    """``rw``, ``r``, ``w``, ``none``, or for sockets one a protocol: ``udp:r tcp:rw server:rw``."""
    stored: bool = True
    shown: bool = True
    """Listed by the command that reads all options."""
    secret: bool = False
    refused: Cause | None = None
    """Known, but always refused with this cause."""
    lists: str = ""
    """Values add up to a list; the option under whose number it is shown."""
    suffix: str = ""
    """What a value of the list gets behind it."""
    source: str = ""
    errata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """An information message or an unsolicited code; ``text`` may have ``{names}``, the last one ``{names*}`` for all
    values that are left."""

    text: str
    number: int | None = None
    title: str = ""
    source: str = ""
    errata: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    """Other spellings that the documents have; all are read."""
    when: dict[str, tuple[int | str, ...]] = field(default_factory=dict)
    """Only when these fields have one of these values: a line of the same shape without them is another message."""
    pattern: str = ""
    """How it is read where it is no name with values: a regular expression, its groups the fields; case does not
    matter. With fields it is read only where it is awaited."""


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """What a code says."""

    cause: Cause
    title: str = ""
    source: str = ""
    errata: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Switch:
    """A reading that the documents leave open; the default is emitted, a bridge may choose another."""

    values: tuple[str, ...]
    default: str
    title: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """What the gateway answers itself to a command that is not the dialect's."""

    result: str = "OK"
    lines: tuple[str, ...] = ()
    when: str = "refused"
    """``refused``: only when the module would not have it; ``always``."""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """How the dialect frames what it says."""

    numeric_result: str = "{code}\r"
    quiet_hides_text: bool = False
    numeric_after_text: bool = True
    error: str = "+CME ERROR: {code}"
    error_text: str = ""
    """The same under ``AT+CMEE=2``, with ``{title}``; "": as ``error``."""
    error_needs_cmee: bool = True
    plain_error: str = "ERROR"
    limit_bytes: int = 2048


@dataclass(frozen=True, slots=True)
class Urc:
    """An unsolicited line of a module: how it begins, and how many lines it has."""

    lines: int = 1
    title: str = ""
    fields: tuple[int, ...] = ()
    """When the same name also answers a command: numbers of values that make it unsolicited."""
    quoted: bool = False
    """A text in it may have line ends: it goes on until its quotes are closed."""


@dataclass(frozen=True, slots=True)
class ModuleHabits:
    """What the gateway must know to talk to a module of this dialect."""

    known_state: tuple[str, ...] = ()
    """Commands that put the module into the one known state."""
    boot: tuple[str, ...] = ()
    """Beginnings of lines that only a module that (re)starts prints."""
    unsolicited: dict[str, Urc] = field(default_factory=dict)
    no_result: tuple[str, ...] = ()
    """Commands that are answered without a final result."""
    prompting: tuple[str, ...] = ()
    """Commands that ask for text with ``>``."""
    texts: tuple[str, ...] = ()
    """Commands whose answers hold texts of people, in which any line may stand."""
    guarded: tuple[str, ...] = ()
    """Commands of a host that would break the known state: never passed on, as those of the dialect's own."""
    resets: tuple[str, ...] = ()
    """Commands that make the module forget."""
    limits_s: dict[str, int] = field(default_factory=dict)
    """Command (``*`` = any) to the seconds within which it must answer."""
    hints: tuple[str, ...] = ()
    """Texts that the module prints into a data phase (``{end}`` = CR LF)."""
    escape: str = "+++"
    """What may bring a module of which nothing is known out of a data mode; ``+++`` with the silence that it needs."""
    abilities: dict[str, str] = field(default_factory=dict)
    """Request to ``native`` or ``composed``; what is not named is not able. ``StartBearer.gsm`` and ``ConnectTcp.secure``
    stand for a data call and for TLS."""
    tunings: tuple[str, ...] = ()
    """What it can be told of how packets are made: names of ``gateway/model/tuning.py``."""
    sockets: int = 8
    """How many TCP connections it carries at once."""
    clock: str = ""
    """The command that sets its clock, with the fields of ``strftime``."""
    losses: dict[str, str] = field(default_factory=dict)
    """Service to what a host of another dialect loses on such a module."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything that a dialect's file says."""

    id: str
    family: str
    title: str
    aliases: tuple[str, ...] = ()
    roles: tuple[str, ...] = ("host",)
    """``host``: hosts speak it to the gateway; ``module``: modules behind the gateway speak it;
    ``virtual``: the gateway can play such a module."""
    demo: tuple[str, ...] = ()
    documents: dict[str, Document] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    """What hosts of it ask of the network: names of ``gateway/translate/services.py``."""
    plain: tuple[str, ...] = ()
    """Of these, those of which they want no more than the least (``plain`` in ``gateway/model/services.py``)."""
    prologue: tuple[str, ...] = ()
    """Lines after which a command can be carried out: parameters set, the bearer up. For explanations."""
    situations: tuple[tuple[str, ...], ...] = ()
    """Lines behind those, each list by itself: what one command needs and another must not have, say an open socket."""
    own: tuple[str, ...] = ()
    """Beginnings of the dialect's commands; all others pass through."""
    lines: Lines = Lines()
    results: dict[str, int] = field(default_factory=dict)
    information: dict[str, Message] = field(default_factory=dict)
    messages: dict[str, Message] = field(default_factory=dict)
    socket_ids: tuple[int, ...] = ()
    numbers: dict[str, int] = field(default_factory=dict)
    """Limits and times of the dialect, with the unit in the name."""
    identity: dict[str, str] = field(default_factory=dict)
    switches: dict[str, Switch] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    options: dict[str, dict[str, Option]] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    errors: dict[str, ErrorCode] = field(default_factory=dict)
    message_errors: dict[str, ErrorCode] = field(default_factory=dict)
    """Codes of the message service (``+CMS ERROR``), apart: their numbers are also those of other errors."""
    causes: dict[Cause, str] = field(default_factory=dict)
    """Cause to the best code, or to a word such as ``ERROR``."""
    local_answers: dict[str, LocalAnswer] = field(default_factory=dict)
    module: ModuleHabits = ModuleHabits()
    boot_text: tuple[str, ...] = ()
    """What a virtual module says when it restarts."""
    restarts: tuple[str, ...] = ()
    """Commands outside the dialect behind which a module of it restarts, as its hosts expect."""
    secrets: tuple[str, ...] = ()
    """Regular expressions of lines with a secret in them; their groups are never shown."""
    virtual_answers: dict[str, LocalAnswer] = field(default_factory=dict)
    """What a virtual module answers to commands outside its IP dialect (a pretended radio)."""


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def build(kind: Any, data: Any, keys: tuple[str | int, ...] = ()) -> Any:
    """Make a value of type ``kind`` out of YAML data. Raises :class:`SchemaError` at the first mistake."""
    origin = get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _union(get_args(kind), data, keys)
    if origin is tuple:
        if isinstance(data, str | int):
            data = [data]
        if not isinstance(data, list):
            raise SchemaError("expected a list", keys)
        return tuple(build(get_args(kind)[0], item, (*keys, index)) for index, item in enumerate(data))
    if origin is dict:
        if not isinstance(data, dict):
            raise SchemaError("expected keys and values", keys)
        key_kind, value_kind = get_args(kind)
        return {_key(key_kind, key, keys): build(value_kind, item, (*keys, key)) for key, item in data.items()}
    if is_dataclass(kind):
        return _record(kind, data, keys)
    return _scalar(kind, data, keys)


def _key(kind: Any, key: Any, keys: tuple[str | int, ...]) -> Any:
    return str(key) if kind is str else _scalar(kind, key, (*keys, key))


def _union(kinds: tuple[Any, ...], data: Any, keys: tuple[str | int, ...]) -> Any:
    if data is None and type(None) in kinds:
        return None
    for kind in kinds:
        if isinstance(kind, type) and type(data) is kind:
            return data
    return build(next(kind for kind in kinds if kind is not type(None)), data, keys)


def _record(kind: Any, data: Any, keys: tuple[str | int, ...]) -> Any:
    if not isinstance(data, dict):
        raise SchemaError(f"expected the keys of {kind.__name__.lower()}", keys)
    known = {item.name: item for item in fields(kind)}
    hints = _hints(kind)
    values = {}
    for key, item in data.items():
        if key not in known:
            close = nearest(str(key), list(known))
            raise SchemaError(f"unknown key {key!r}" + (f"; did you mean {close!r}?" if close else ""), (*keys, key))
        values[key] = build(hints[key], item, (*keys, key))
    for name, item in known.items():
        if name not in values and item.default is MISSING and item.default_factory is MISSING:
            raise SchemaError(f"the key {name!r} is missing", keys)
    return kind(**values)


def _scalar(kind: Any, data: Any, keys: tuple[str | int, ...]) -> Any:
    if kind is Cause:
        try:
            return Cause(str(data))
        except ValueError:
            close = nearest(str(data), [cause.value for cause in Cause])
            raise SchemaError(f"unknown cause {data!r}" + (f"; did you mean {close!r}?" if close else ""), keys) from None
    if kind is str and isinstance(data, int | float) and not isinstance(data, bool):
        return str(data)
    if kind is Any or type(data) is kind:
        return data
    raise SchemaError(f"expected {_NAMES.get(kind, kind.__name__)}, found {data!r}", keys)


_NAMES = {str: "text", int: "a whole number", bool: "true or false"}
