"""Echo requests without privileges where the system allows it: a datagram ICMP socket, a raw one, or ``ping``."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import shutil
import socket
import struct
import time
from dataclasses import dataclass

log = logging.getLogger("gateway.native")
_TIME = re.compile(rb"time[=<]([0-9.]+) *ms")
_FORBIDDEN = re.compile(rb"not permitted|permission denied|lacking privilege", re.IGNORECASE)
"""What the usual ``ping`` programs say when the system does not let them, in English."""
_told = False


async def echo(address: str, sequence: int, timeout_s: float, size_bytes: int, ttl: int, tos: int = 0) -> float | None:
    """The seconds that a reply from ``address`` took, or None when none came in time.

    When the system allows no way at all that is said once, and every address is silent.
    """
    family = _SIX if ":" in address else _FOUR
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            link = socket.socket(family.sockets, kind, family.protocol)
        except OSError:
            continue
        with link:
            link.setblocking(False)
            if ttl:
                link.setsockopt(*family.ttl, ttl)
            if tos:
                link.setsockopt(*family.tos, tos)
            packet = _request(family.request, sequence, size_bytes)
            return await _by_socket(link, kind == socket.SOCK_RAW, address, packet, timeout_s)
    return await _by_program(address, timeout_s, size_bytes, ttl, tos)


@dataclass(frozen=True, slots=True)
class _Family:
    """How one Internet Protocol does it; ``ttl`` and ``tos`` are options of a socket."""

    sockets: socket.AddressFamily
    protocol: int
    request: int
    reply: int
    ttl: tuple[int, int]
    tos: tuple[int, int]


_FOUR = _Family(
    socket.AF_INET, socket.IPPROTO_ICMP, 8, 0, (socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IP, socket.IP_TOS)
)  # RFC 792
_SIX = _Family(
    socket.AF_INET6, socket.IPPROTO_ICMPV6, 128, 129, (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
    (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
)  # fmt: skip  # RFC 4443


def _request(kind: int, sequence: int, size_bytes: int) -> bytes:
    """An echo request with this process as its identifier; the checksum of IPv6's is the system's to make."""
    ident, body = os.getpid() & 0xFFFF, bytes(size_bytes)
    head = struct.pack("!BBHHH", kind, 0, 0, ident, sequence & 0xFFFF)
    return struct.pack("!BBHHH", kind, 0, _checksum(head + body), ident, sequence & 0xFFFF) + body


async def _by_socket(link: socket.socket, raw: bool, address: str, packet: bytes, timeout_s: float) -> float | None:
    six = link.family is socket.AF_INET6
    loop = asyncio.get_running_loop()
    ident, sequence = struct.unpack("!HH", packet[4:8])
    begun = time.monotonic()
    try:
        link.connect((address, 0))
        await loop.sock_sendall(link, packet)
        async with asyncio.timeout(timeout_s):
            while True:
                data = await loop.sock_recv(link, 65536)
                reply = data[(data[0] & 15) * 4 :] if raw and not six else data
                if len(reply) < 8:
                    continue
                kind, _, _, its_ident, its_sequence = struct.unpack("!BBHHH", reply[:8])
                if (
                    kind == (_SIX if six else _FOUR).reply
                    and its_sequence == sequence
                    and (not raw or its_ident == ident)
                ):
                    return time.monotonic() - begun
    except (TimeoutError, OSError):
        return None


async def _by_program(address: str, timeout_s: float, size_bytes: int, ttl: int, tos: int = 0) -> float | None:
    program = shutil.which("ping")
    if program is None:
        _tell("no ping program")
        return None
    arguments = [
        "-n",
        *(["-6"] if ":" in address else []),
        "-c",
        "1",
        "-W",
        str(max(1, round(timeout_s))),
        "-s",
        str(size_bytes),
    ]
    arguments += ["-t", str(ttl)] if ttl else []
    arguments += ["-Q", str(tos)] if tos else []
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        address,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"LC_ALL": "C"},
    )
    try:
        async with asyncio.timeout(timeout_s + 1):
            output, errors = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:  # also when nobody wants to know any more
            process.kill()
            await process.wait()
    match = _TIME.search(output)
    if match is None and (why := next((line for line in errors.splitlines() if _FORBIDDEN.search(line)), b"")):
        _tell(why.decode(errors="replace").strip())
    return float(match[1]) / 1000 if match else None


def _tell(why: str) -> None:
    """Say once in the life of the program that no ping will ever be answered."""
    global _told  # noqa: PLW0603  # the system is the same for all
    if not _told:
        _told = True
        log.warning("this system allows no echo requests (no ICMP socket, and %s): every ping times out", why)


def _checksum(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
