"""What is told of calls that nothing is done about: findings (S000333 ch. 2 #ANSWERMODE)."""

from __future__ import annotations

import pytest
from support.sim import SimBridge

CALL = "a call that comes in"


def found(sim: SimBridge) -> list[tuple[str, str, str]]:
    """The findings."""
    return [
        (str(note.fields["what"]), str(note.fields["old"]), str(note.fields["new"]))
        for note in sim.notes
        if note.kind == "finding"
    ]


def called(settings: str, *rings: bytes, module: str = "wipsoft-5.57") -> SimBridge:
    """A host that has made its settings, and what rings for it."""
    sim = SimBridge("edsoft-3.02", module)
    sim.start()
    sim.host(b"ATE0\r")
    sim.host(f"AT{settings}\r".encode())
    assert sim.host_reads().endswith(b"\r\nOK\r\n")
    for ring in rings:
        sim.module(b"\r\n" + ring + b"\r\n")
        sim.wait(3)
    return sim


@pytest.mark.parametrize(
    ("settings", "rings", "reason"),
    [
        ('#ANSWERMODE=1;#CALLSCREENNUM="*"', 1, "#RINGCOUNT is 0"),
        ("#ANSWERMODE=1;#RINGCOUNT=2", 2, "#CALLSCREENNUM allows nobody"),
        ('#ANSWERMODE=2;#RINGCOUNT=1;#CALLSCREENNUM="0123"', 2, "who calls is not told (AT+CLIP=1 asks for it)"),
        ('#ANSWERMODE=3;#RINGCOUNT=1;#CALLSCREENNUM="*"', 2, "who calls is not told (AT+CLIP=1 asks for it)"),
    ],
)
def test_a_call_is_left_alone(settings: str, rings: int, reason: str) -> None:
    """C17, U24: the reason is told once a call, and the module hears nothing of it."""
    sim = called(settings, *[b"RING"] * (rings + 2))
    assert found(sim) == [("refused", CALL, reason)]
    assert sim.to_module == b""


def test_another_caller() -> None:
    sim = called('#ANSWERMODE=1;#RINGCOUNT=1;#CALLSCREENNUM="0123"', b"RING", b'+CLIP: "0124",129', b"RING")
    assert found(sim) == [("refused", CALL, "#CALLSCREENNUM allows another")]


def test_nothing_is_said_where_the_host_decides() -> None:
    sim = called('#RINGCOUNT=1;#CALLSCREENNUM="*"', b"RING", b"RING")
    assert found(sim) == []


def test_the_host_is_quicker_than_the_call_back() -> None:
    sim = called('#ANSWERMODE=2;#RINGCOUNT=1;#CALLSCREENNUM="*"', b"RING")
    sim.host(b"AT#ANSWERMODE=0\r")
    sim.wait(20)
    assert found(sim) == [("refused", "a call back", "the host has done something else meanwhile")]
    assert sim.to_module == b""


@pytest.mark.parametrize("mode", [1, 3])
def test_told_when_it_is_set_where_nothing_takes_calls(mode: int) -> None:
    """A setting that will come to nothing is no silent OK."""
    sim = called(f"#ANSWERMODE={mode}", module="fibocom-l610")
    assert found(sim) == [("emulated", f"#ANSWERMODE={mode}", "kept here: nothing takes GSM data calls")]
    assert found(called(f"#ANSWERMODE={mode}")) == []
    assert found(called("#ANSWERMODE=2", module="fibocom-l610")) == [], "by GPRS"
