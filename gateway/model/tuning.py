"""How a socket's packets are made, and who is asked for names: where hosts can set it and not every module can."""

from __future__ import annotations

from enum import StrEnum

from gateway.model.record import record
from gateway.model.values import HostSocket


class Tuning(StrEnum):
    """What can be set."""

    TTL = "ttl"
    """Time to live of its packets, in hops."""
    TOS = "tos"
    """Type of service: the octet of the IP header."""
    NO_DELAY = "no_delay"
    """1: small pieces are sent at once (RFC 896 off)."""
    SEND_LOW_WATER = "send_low_water_bytes"
    """Room in the send buffer from which on it can be written again."""
    KEEP_ALIVE_IDLE = "keep_alive_idle_s"
    """Silence before the first probe."""
    KEEP_ALIVE_INTERVAL = "keep_alive_interval_s"
    KEEP_ALIVE_COUNT = "keep_alive_count"
    """Probes without an answer before the connection is given up."""
    RETRANSMISSIONS = "retransmissions"
    RETRANSMIT_LEAST = "retransmit_least_100ms"
    RETRANSMIT_MOST = "retransmit_most_100ms"
    CLOSE_DELAY = "close_delay_100ms"
    NAME_SERVERS = "name_servers"
    """Of no socket: that a bearer's start names so many, to be asked where the network gives none."""


Tunings = tuple[tuple[Tuning, int], ...]


@record
class Tune:
    """Set how a socket's packets are made: one that is open, or will be. :class:`Done` with :class:`Tuned`.

    Socket 0: only say what would have no effect.
    """

    socket: HostSocket
    values: Tunings


@record
class Tuned:
    """Which of the values have no effect."""

    ignored: tuple[Tuning, ...] = ()


def ignored(values: Tunings, able: frozenset[Tuning]) -> tuple[Tuning, ...]:
    """Those that somebody who is ``able`` to do some cannot do."""
    return tuple(tuning for tuning, _ in values if tuning not in able)
