"""Every transcript, played against a bridge without links, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import stage
from support.sim import SimBridge
from support.transcript import Transcript, read

FOLDER = Path(__file__).parents[1] / "transcripts"
TRANSCRIPTS = [transcript for path in sorted(FOLDER.glob("*/*.md")) for transcript in read(path)]


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=str)
@pytest.mark.parametrize("cut", [None, 1], ids=["whole", "bytewise"])
def test_transcript(transcript: Transcript, cut: int | None) -> None:
    options = dict(transcript.options)
    if options.get("module") == "none":
        stage.play(transcript, cut)
        return
    module = options.pop("module", "wipsoft-5.57")
    start = options.pop("start", "idle")
    echo = options.pop("echo", "off") == "on"
    policy = options.pop("policy", "lenient")
    sim = SimBridge(transcript.path.parent.name, module, switches=options, policy=policy)
    if start != "no":
        sim.start(connected=start == "connected")
    if not echo:
        sim.host(b"ATE0\r")
        sim.host_reads()
    for step in transcript.steps:
        place = f"{transcript.path.name}:{step.line}"
        match step.verb:
            case "host>" | "module<":
                assert sim.to_host == b"", f"{place}: the host read more before"
                assert sim.to_module == b"", f"{place}: the module heard more before"
                send = sim.host if step.verb == "host>" else sim.module
                size = cut or len(step.data) or 1
                for at in range(0, len(step.data), size):
                    send(step.data[at : at + size])
            case "wait":
                sim.wait(step.seconds)
            case "host<":
                read_now, sim.to_host = sim.to_host[: len(step.data)], sim.to_host[len(step.data) :]
                assert read_now == step.data, f"{place}: the host reads"
            case "module>":
                heard, sim.to_module = sim.to_module[: len(step.data)], sim.to_module[len(step.data) :]
                assert heard == step.data, f"{place}: the module hears"
    assert sim.to_host == b"", "the host read more at the end"
    assert sim.to_module == b"", "the module heard more at the end"
