"""Commands that the module carries out: however their answers arrive, the host reads the same."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.cuts import splits
from support.sim import SimBridge

_PARTS = st.lists(
    st.sampled_from(
        [
            b"\r\n+CSQ: 20,99\r\n",
            b"\r\n+CSQ:20,99 \r\n",
            b"\r\n+CSQ: >\r\n",
            b"\r\n +CSQ: 1\r\n",
            b"\r\n20\r\n",
            b"\r\nOK\r\n",
            b"\r\n+CREG: 1\r\n",
            b'\r\n+CMT: "1",,"21/01/01"\r\n',
            b"\r\n+CSQ: \xff\x00\r\n",
            b"\r\n+CSQ: " + b"x" * 9000 + b"\r\n",
            b"\r\n+WIPREADY: 2,1\r\n",
            b"\r\n+MIPSTAT: 1,1\r\n",
            b"\r\n+MIPRTCP: 1,0,00\r\n",
            b"\r\n#STATE: 1\r\n",
            b"\r\n+CME ERROR: 3\r\n",
            b"\r\n",
            b"\r",
            b"\n",
        ]
    ),
    max_size=3,
)


def _host_reads(module: str, before: bytes, pieces: list[bytes]) -> tuple[bytes, bytes]:
    """What a host reads for AT+CSQ and for the next command, and what the module has heard then."""
    sim = SimBridge(module=module)
    sim.start()
    sim.host(b"ATE0\r")
    sim.module(before)
    sim.host(b"AT+CSQ\r")
    for piece in pieces:
        sim.module(piece)
    sim.wait(60)
    sim.host(b"AT+CGMR\r")
    sim.module(b"\r\n1.0\r\n\r\nOK\r\n")
    sim.wait(60)
    return sim.host_reads(), sim.module_reads()


@pytest.mark.parametrize("module", ["wipsoft-5.57", "wipsoft-2.01", "fibocom-l610", "edsoft-3.02"])
@given(before=_PARTS, parts=_PARTS, data=st.data())
@example(before=[], parts=[b"\r\n+CSQ: 20,99\r\n"], data=None)
@example(before=[b"\r\n+CREG: 1"], parts=[b"\r\n+CSQ: 20,99\r\n"], data=None)
@example(before=[b"\r"], parts=[b"\r\n+CSQ: 20,99\r\n"], data=None)
def test_an_answer_in_one_piece_and_in_many(
    module: str, before: list[bytes], parts: list[bytes], data: st.DataObject | None
) -> None:
    answer = b"".join(parts) + b"\r\nOK\r\n"
    pieces = [bytes((byte,)) for byte in answer] if data is None else data.draw(splits(answer))
    assert _host_reads(module, b"".join(before), [answer]) == _host_reads(module, b"".join(before), pieces)
