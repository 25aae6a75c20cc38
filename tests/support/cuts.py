"""A stream fed whole, byte by byte, and at random cuts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hypothesis import strategies as st


def splits(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """The data in pieces, cut anywhere."""
    places = st.lists(st.integers(0, len(data)), max_size=8)
    return places.map(lambda cuts: _cut(data, sorted(cuts)))


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = [0, *cuts, len(data)]
    return [data[a:b] for a, b in itertools.pairwise(ends) if a < b]


def bytewise(data: bytes) -> Iterator[bytes]:
    """One byte at a time."""
    return (data[at : at + 1] for at in range(len(data)))


payloads = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from([b"\x03", b"\x10", b"+", b"\r", b"\n", b"OK", b"SHUTDOWN", b"a"]), max_size=40).map(
        b"".join
    ),
)
