"""The time of a server (SNTP: RFC 5905, 14)."""

from __future__ import annotations

import secrets
import struct
from datetime import UTC, datetime, timedelta

from gateway.model.causes import Cause
from gateway.model.values import Endpoint, Family
from gateway.native.dialer import Dialer
from gateway.native.network import NetworkFailure

PACKET_BYTES = 48
TRY_S = 5.0
"""How long the server may take before it is asked again."""
TRIES = 3
_CLIENT = 0b00_100_011
"""No leap second told, version 4, mode 3."""
_ERAS = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC))
"""Begin of the first and second count of 2**32 seconds."""


async def ask(dialer: Dialer, server: Endpoint, family: Family = Family.FOUR, *, try_s: float = TRY_S) -> str:
    """The server's time in UTC as ``YYYY-MM-DDThh:mm:ss``; a datagram may be lost, so it is asked again.

    Raises :class:`NetworkFailure`.
    """
    for left in reversed(range(TRIES)):
        token = secrets.token_bytes(8)
        try:
            answer = await dialer.ask(server, bytes([_CLIENT]) + bytes(39) + token, try_s, family)
        except NetworkFailure as failure:
            if failure.cause is not Cause.TIMED_OUT or not left:
                raise
        else:
            return decode(answer, token).strftime("%Y-%m-%dT%H:%M:%S")
    raise AssertionError("the last try has raised")


def decode(answer: bytes, token: bytes) -> datetime:
    """The time in an answer to the request that had ``token`` as its time of sending. Raises :class:`NetworkFailure`."""
    if len(answer) < PACKET_BYTES or answer[0] & 7 != 4 or answer[24:32] != token:
        raise NetworkFailure(Cause.SERVER_NOT_READY, "no answer of a time server")
    stratum = answer[1]
    if stratum == 0:  # a 'kiss of death', RFC 5905, 7.4
        raise NetworkFailure(Cause.SERVER_NOT_READY, f"refused: {answer[12:16].decode('latin-1')}")
    seconds, fraction = struct.unpack("!II", answer[40:48])
    if answer[0] >> 6 == 3 or stratum > 15 or not seconds:
        raise NetworkFailure(Cause.SERVER_NOT_READY, "the server does not know the time itself")
    era = _ERAS[0] if seconds & 0x80000000 else _ERAS[1]
    return era + timedelta(seconds=seconds + fraction / (1 << 32))
