"""Parameters of +MIPCONF and +MIPKEEPCONF (1.1.12, 1.1.13) as the common model names them."""

from __future__ import annotations

from gateway.model.tuning import Tuning

STACK = {
    Tuning.RETRANSMISSIONS: "retransmissions",
    Tuning.RETRANSMIT_LEAST: "least",
    Tuning.RETRANSMIT_MOST: "most",
    Tuning.CLOSE_DELAY: "close_delay",
}
"""To the parameter of +MIPCONF."""
KEEP_ALIVE = {
    Tuning.KEEP_ALIVE_IDLE: "idle",
    Tuning.KEEP_ALIVE_INTERVAL: "interval",
    Tuning.KEEP_ALIVE_COUNT: "count",
}
"""To the parameter of +MIPKEEPCONF."""
