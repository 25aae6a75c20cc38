"""Options that several verbs have, and what running a session until a signal takes."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import click
from click.core import ParameterSource

from gateway.dialect import registry
from gateway.dialect.dialect import Dialect
from gateway.dialect.schema import LocalAnswer
from gateway.errors import InputError
from gateway.model.values import ANY_ADDRESS, ANY_ADDRESS6, is_dotted, is_six
from gateway.native import tls

log = logging.getLogger("gateway")
DIALECTS = f"one of {', '.join(registry.ids())}, or an alias."
"""For help texts."""

_LEVELS = ("debug", "info", "warning", "error")


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--trace``, ``--state``, ``--log-level``, ``--log-format``."""
    for option in reversed(
        (
            click.option(
                "--trace",
                "trace",
                type=click.Path(path_type=Path, dir_okay=False),
                metavar="FILE",
                help="Record both sides and what they became, behind what stands there (see at-gateway trace).",
            ),
            click.option(
                "--state",
                type=click.Path(path_type=Path, file_okay=False),
                metavar="DIR",
                help="Keep what the old module kept in flash in this folder, over a restart.",
            ),
            click.option(
                "--log-level",
                type=click.Choice(_LEVELS),
                default="info",
                show_default=True,
                help="What is told on standard error.",
            ),
            click.option(
                "--log-format",
                type=click.Choice(("text", "json")),
                default="text",
                show_default=True,
                help="How it is told.",
            ),
        )
    ):
        command = option(command)
    return command


def network_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--map``, ``--address`` and ``--address6``, for sessions on this computer's network."""
    for option in reversed(
        (
            click.option(
                "--map",
                "maps",
                multiple=True,
                metavar="NAME:PORT=HOST:PORT",
                help="Connect to another place instead; listen:PORT=HOST:PORT listens at another place; "
                "NAME:*= makes a name unknown. Repeatable.",
            ),
            click.option(
                "--address",
                default=ANY_ADDRESS,
                show_default=True,
                metavar="ADDRESS",
                callback=_address,
                help="The address of this computer that listeners and UDP sockets use.",
            ),
            click.option(
                "--address6",
                default=ANY_ADDRESS6,
                show_default=True,
                metavar="ADDRESS",
                callback=_address,
                help="The same for IPv6.",
            ),
        )
    ):
        command = option(command)
    return command


def tls_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--ca`` and ``--no-verify``, for sessions in which the gateway itself speaks TLS; see :func:`trust`."""
    for option in reversed(
        (
            click.option(
                "--ca",
                "authorities",
                multiple=True,
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="Take the word of these authorities too for who a TLS server is: certificates in PEM form. "
                "Repeatable.",
            ),
            click.option(
                "--no-verify",
                is_flag=True,
                help="TLS servers need not prove who they are: anybody on the way can read and change what is said.",
            ),
        )
    ):
        command = option(command)
    return command


def trust(authorities: tuple[Path, ...], no_verify: bool) -> ssl.SSLContext | None:
    """How the gateway's own TLS verifies; None: as ever. Raises :class:`InputError`."""
    if no_verify and authorities:
        raise click.UsageError("--ca has no effect with --no-verify: give one of them")
    if no_verify:
        log.warning("--no-verify: whoever answers is believed to be the TLS server that the host asked for")
        return tls.context(verify=False)
    return tls.trusting(authorities) if authorities else None


def switch_option(name: str, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that chooses a reading of a dialect's manual."""
    return click.option(f"--{name}", name.replace("-", "_"), multiple=True, metavar="NAME=VALUE", help=help_text)


def refuse_useless(reasons: dict[str, str]) -> None:
    """Refuse options of the running command that have no effect here: parameter to the reason.

    Raises :class:`click.UsageError` for the first that was given.
    """
    context = click.get_current_context()
    for parameter in context.command.params:
        given = context.get_parameter_source(str(parameter.name)) is ParameterSource.COMMANDLINE
        if given and parameter.name in reasons:
            raise click.UsageError(f"{parameter.opts[0]} {reasons[parameter.name]}")


def _address(_ctx: click.Context, parameter: click.Parameter, text: str) -> str:
    fits, expected = (is_dotted, "an address in dotted decimal, for example 127.0.0.1")
    if parameter.name == "address6":
        fits, expected = (is_six, "an address of IPv6, for example ::1")
    if not fits(text):
        raise InputError(f"{parameter.opts[0]} {text!r}: expected {expected}")
    if text not in (ANY_ADDRESS, ANY_ADDRESS6):
        try:
            with socket.socket(socket.AF_INET6 if parameter.name == "address6" else socket.AF_INET) as one:
                one.bind((text, 0))
        except OSError as error:
            said = error.strerror
            raise InputError(f"{parameter.opts[0]} {text!r}: it is no address of this computer ({said})") from error
    return text


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """``NAME=VALUE`` options as a mapping."""
    result = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise InputError(f"{option} {text!r}: expected NAME=VALUE")
        result[name] = value
    return result


def limits(texts: tuple[str, ...]) -> dict[str, float]:
    """``COMMAND=SECONDS`` options; the command may have an ``=`` itself."""
    result = {}
    for text in texts:
        name, separator, value = text.rpartition("=")
        try:
            result[name.upper()] = float(value)
        except ValueError:
            separator = ""
        if not separator or not name or not 0 < result.get(name.upper(), 0) < math.inf:  # NaN is neither
            raise InputError(f"--limit {text!r}: expected COMMAND=SECONDS, for example +WIPCREATE=30")
    return result


def dialect(name: str, role: str, switches: tuple[str, ...], option: str) -> Dialect:
    """A dialect that can play a role. Raises :class:`InputError`."""
    found = registry.load(name)
    if role not in found.tables.roles:
        able = [each for each in registry.ids() if role in registry.load(each).tables.roles]
        raise InputError(f"{found.id} cannot be the dialect of a {role} yet; {', '.join(able)} can")
    return found.with_switches(pairs(switches, option))


def with_answers(found: Dialect, answers: tuple[str, ...]) -> Dialect:
    """The dialect with local answers of the user's: ``PATTERN::LINE::...``, always given, with OK."""
    if not answers:
        return found
    own = {}
    for text in answers:
        pattern, *lines = text.split("::")
        pattern = pattern.replace(" ", "").upper().removeprefix("AT")
        if not pattern:
            raise InputError(f"--answer {text!r}: expected PATTERN::LINE::..., for example '+XYZ?::+XYZ: 1'")
        own[pattern] = LocalAnswer(lines=tuple(lines), when="always", source="command line")
    return found.replace_tables(local_answers=own | found.tables.local_answers)


class _JsonLines(logging.Formatter):
    """A log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        fields = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


def start_log(level: str, form: str) -> None:
    """Tell on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")
    handler.setFormatter(_JsonLines() if form == "json" else plain)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class _Runs(Protocol):
    """What can be run until a signal."""

    @property
    def links(self) -> tuple[str, ...]: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def abandon(self) -> None: ...


def run(make: Callable[[], Awaitable[_Runs]], ready: str, asked: Callable[[], None] | None = None) -> None:
    """Open, say ``ready`` with the links' names in its ``{}``, run until SIGINT, SIGTERM or SIGHUP, end in good order; a
    second signal ends at once. ``asked`` is called at each SIGUSR1."""
    loop_factory = None
    try:
        import uvloop  # noqa: PLC0415  # not there on every machine

        loop_factory = uvloop.new_event_loop
    except ImportError:
        pass
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_until_signal(make, ready, asked))


async def _until_signal(make: Callable[[], Awaitable[_Runs]], ready: str, asked: Callable[[], None] | None) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def stopping(number: int) -> None:
        if stop.is_set():
            runs.abandon()
            os._exit(128 + number)
        stop.set()

    runs = await make()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            loop.add_signal_handler(number, stopping, number)
    if asked is not None:
        loop.add_signal_handler(signal.SIGUSR1, asked)
    await runs.open()
    try:
        print(ready.format(*runs.links), flush=True)
        await stop.wait()
    finally:
        await runs.close()
