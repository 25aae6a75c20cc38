"""What WIPSoft has numbers for: protocols (5.57 guide, 5.1), bearers (4.2) and options of the stack (4.1.3)."""

from __future__ import annotations

UDP, TCP, SERVER, TLS = 1, 2, 3, 9
GSM, GPRS = 5, 6
TTL, MIN_MSS, SOCK_MAX, SEGMENT_WAIT, QUIET_SIGNS, AUTO_SWITCH, OFFLINE_SIZE = 0, 4, 6, 12, 13, 14, 15
"""Of +WIPCFG. With ``OFFLINE_SIZE`` the buffers of an offline session are meant."""
