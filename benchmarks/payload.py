"""What is sent in bulk, and how each side writes it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from functools import lru_cache

from benchmarks import mip


@lru_cache(maxsize=2)
def payload(size: int) -> bytes:
    """Noise in which every byte value is equally frequent: one byte in 128 needs an escape.

    The first byte is no line feed and the last one no carriage return: both would be looked at twice.
    """
    return b"!" + random.Random(7).randbytes(size - 2) + b"."


@lru_cache(maxsize=2)
def letter(size: int) -> bytes:
    """The text of a mail: lines of printable signs, none of which begins with a dot, the last one whole."""
    signs = bytes(sign for sign in range(33, 127) if sign != 46)
    text = bytes(signs[byte % len(signs)] for byte in random.Random(9).randbytes(size))
    return b"\r\n".join(text[at : at + 70] for at in range(0, size, 72))[: size - 2] + b"\r\n"


def plain(data: bytes) -> bytes:
    """As it is."""
    return data


def escaped(data: bytes) -> bytes:
    """DLE in front of DLE and ETX (eDSoft manual, #DLEMODE; 5.57 guide, section 6.2.2.4)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


FORMS: dict[str, Callable[[bytes], bytes]] = {"plain": plain, "escaped": escaped, "digits": mip.told}


def digest(data: bytes) -> str:
    """What two ends compare."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()
