"""Commands that are not the dialect's own: handed to the module, or answered here where its file says so."""

from __future__ import annotations

from collections.abc import Callable

from gateway.dialect.dialect import Dialect
from gateway.dialect.firmware import Ask, More, Ok, Outcome, Say, Steps, Word
from gateway.dialect.schema import LocalAnswer
from gateway.model.requests import PassThrough
from gateway.model.results import PassedThrough, Prompted, Relayed
from gateway.wire.settings import LineSettings

_ERRORS = ("ERROR", "+CME ERROR", "+CMS ERROR")


def passing(
    dialect: Dialect,
    settings: LineSettings,
    text: str,
    *,
    locally: Callable[[LocalAnswer], Outcome],
    was_reset: Callable[[], None],
) -> Steps:
    """Hand a command to the module and its answer back, in the host's own framing."""
    result = yield Ask(PassThrough("AT" + text))
    while isinstance(result, Prompted | Relayed):
        result = yield More()
    if not isinstance(result, PassedThrough):
        local = dialect.local_answer(text, "refused")
        return locally(local) if local is not None else Word("ERROR")
    refused = result.final.startswith(_ERRORS)
    local = dialect.local_answer(text, "refused") if refused else None
    if local is not None:
        return locally(local)
    if result.lines:
        yield Say(result.lines)
    if result.final == "OK":
        if dialect.restarts(text):
            was_reset()
        return Ok()
    plain = refused and result.final != "ERROR" and settings.error_detail == 0
    return Word("ERROR" if plain else result.final)
