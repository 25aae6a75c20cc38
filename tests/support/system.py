"""What this system can do: asked of the system, not of what is tested."""

from __future__ import annotations

import socket

import pytest


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


HAS_IPV6 = _has_ipv6()
# A peer of these tests is a socket at ::1. Where the kernel gives out no such address no program can make one: there is
# nothing to play them against; that the program says so properly there is the matrix's own scenario of IPv6.
needs_ipv6 = pytest.mark.skipif(
    not HAS_IPV6, reason="::1 cannot be bound: IPv6 is off in this kernel or container, so no peer can be there"
)
