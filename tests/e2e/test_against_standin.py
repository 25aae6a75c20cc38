"""Hosts' days on a real bridge, with the stand-in modules of :mod:`standin` in each of their habits.

Most of a play is silence around ``+++``, so all plays that were asked for run side by side; a test waits for its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from standin import mip_plays, plays, wip_plays
from standin.habits import Habits
from standin.mip import acts
from standin.mip.habits import MipHabits
from standin.mip.run import MipStandIn
from standin.site import Site
from standin.sockets import Network

SIDE_BY_SIDE = 12

Act = Callable[[Site], None]

LOST_TRACK = ("+ as the first byte", "a line without AT", "b'")
"""What the gateway cannot help saying to a module that has restarted in a data mode, or that still works on something
behind its limit: it does not know yet."""


@dataclass(frozen=True)
class Play:
    """Some acts on one site, from power-up to the end."""

    name: str
    habits: dict[str, object] = field(default_factory=dict)
    acts: tuple[Act, ...] = plays.DAY
    host_dialect: str = "edsoft-3.02"
    bridge: tuple[str, ...] = ()
    lenient: tuple[str, ...] = ()

    def run(self, folder: Path) -> None:
        """Everything that is expected is an assertion."""
        with self.site(folder, Network(echoes={"10.0.0.9": [5, None, 30]})) as site:
            if self.host_dialect.startswith("edsoft"):
                site.start()
            for act in self.acts:
                act(site)
            site.alive()

    def site(self, folder: Path, network: Network) -> Site:
        """Where it is played."""
        habits = Habits(**self.habits)  # type: ignore[arg-type]
        return Site(folder, habits, *self.bridge, network=network, host_dialect=self.host_dialect, lenient=self.lenient)


@dataclass(frozen=True)
class MipPlay(Play):
    """The same on a Fibocom module; ``direct``: without a gateway between."""

    direct: bool = False

    def site(self, folder: Path, network: Network) -> Site:
        network.names["meter.example"] = "127.0.0.1"
        module = MipStandIn(MipHabits(**self.habits), network)  # type: ignore[arg-type]
        return Site(
            folder, None, *self.bridge, host_dialect=self.host_dialect, lenient=self.lenient, module=module,
            module_dialect="fibocom-l610", direct=self.direct,
        )  # fmt: skip


COMMANDS = (plays.line, plays.bearer, plays.tcp_failures, plays.ping)
STREAMS = (plays.tcp_escaped, plays.tcp_transparent, plays.early_end)
SHORT = tuple(f"--limit={command}=1" for command in ("*", "+WIPBR", "+WIPBR=4", "+WIPCREATE"))

PLAYS = (
    Play("commands", acts=(*COMMANDS, plays.gsm)),
    Play("streams", acts=STREAMS),
    Play("listeners", acts=(plays.listener, plays.udp_listener)),
    Play("datagrams", acts=(plays.udp,)),
    Play("refusals", acts=(plays.refusals,)),
    Play("edsoft-2.10", acts=(plays.bearer, plays.tcp_escaped, plays.udp, plays.ping), host_dialect="edsoft-2.10"),
    Play("edsoft-2.10-listener", acts=(plays.listener, plays.tcp_transparent), host_dialect="edsoft-2.10"),
    Play("restart-in-data", acts=(plays.restart_in_data,), lenient=LOST_TRACK),
    Play("restart-unnoticed", acts=(plays.restart_unnoticed,)),
    Play("silence", acts=(plays.silence,), bridge=SHORT, lenient=LOST_TRACK),
    # -- layout
    Play("bare-lines", {"bare_lines": True}, COMMANDS),
    Play("blank-between", {"blank_between": True}, COMMANDS),
    Play("no-blanks", {"after_colon": "", "ping_blank": False, "code_blank": False}, (*COMMANDS, plays.listener)),
    Play("blanks", {"after_comma": " "}, (*COMMANDS, plays.udp_listener)),
    Play("unquoted", {"quoted_values": False, "option_index": True}, (plays.bearer, plays.listener)),
    Play("bytewise", {"piece_bytes": 1}, (plays.line, plays.bearer, plays.tcp_escaped)),
    Play("in-sevens", {"piece_bytes": 7}, (plays.tcp_transparent, plays.udp)),
    Play("rate", {"connect_rate": True}, (plays.tcp_transparent, plays.udp)),
    Play("terse-at-power-up", {"profile": "E0V0Q0"}, COMMANDS),
    Play("quiet-at-power-up", {"profile": "E1V1Q1"}, COMMANDS, lenient=LOST_TRACK),
    # -- answers
    Play("named-bearers", {"bearer_lines": "named"}, (*COMMANDS, plays.restart_unnoticed)),
    Play("test-none", {"test_answer": "NONE", "cpin_result": True}, COMMANDS),
    Play("few-options", {"gprs_peer": False, "tells_peer": False}, (plays.bearer, plays.listener)),
    Play("no-offline", {"reads_offline": False}, (plays.udp_listener,)),
    # -- sockets
    Play("ready-first", {"ready_first": True}, (plays.tcp_failures, plays.udp)),
    Play("late-code", {"failure": "late_code"}, (plays.tcp_failures, plays.refusals)),
    Play("late-line", {"failure": "late_line"}, (plays.tcp_failures,)),
    Play("peer-close", {"failure": "peer_close"}, (plays.tcp_failures,)),
    Play("code-839", {"failure_code": 839}, (plays.tcp_failures,)),
    Play("local-close", {"local_close_told": True}, (plays.tcp_escaped, plays.udp_listener)),
    Play("index-kept", {"freed_index_kept": True}, (plays.listener,)),
    Play("unread-close", {"unread_close_told": True}, (plays.early_end, plays.tcp_escaped)),
    # -- data mode
    Play("shutdown-etx", {"shutdown": "etx"}, STREAMS),
    Play("shutdown-etx-text", {"shutdown": "etx_text"}, STREAMS),
    Play("shutdown-text-etx", {"shutdown": "text_etx"}, STREAMS),
    Play("reset-text", {"reset": "text"}, (plays.tcp_escaped,)),
    Play("reset-etx", {"reset": "etx"}, (plays.tcp_escaped,)),
    Play("close-before-ok", {"close_before_ok": True}, STREAMS),
    Play("udp-leaves", {"udp_etx_leaves": True}, (plays.udp, plays.udp_listener)),
)


TWO_ROUNDS = (plays.tcp_escaped, plays.tcp_transparent, plays.early_end, plays.listener)
DATAGRAMS = (plays.udp, plays.udp_listener)
SHORT_MIP = tuple(f"--limit={command}=1" for command in ("*", "+MIPCALL", "+MIPOPEN"))
AS_EMITTED = {"lost_kept": False, "prompt": b"\r\n>\r\n", "blank_between": True}

MIP_PLAYS = (
    MipPlay("mip-commands", acts=COMMANDS),
    MipPlay("mip-faults", acts=(acts.refusals, acts.garbage), lenient=LOST_TRACK),
    MipPlay("mip-loss", acts=(acts.loss, plays.restart_unnoticed, plays.restart_in_data), lenient=LOST_TRACK),
    MipPlay("mip-silence", acts=(acts.silence, acts.slow), bridge=SHORT_MIP, lenient=LOST_TRACK),
    MipPlay("mip-files-and-mail", acts=(acts.files, acts.mail)),
    MipPlay("mip-edsoft-2.10", acts=(plays.bearer, *TWO_ROUNDS, *DATAGRAMS), host_dialect="edsoft-2.10"),
    MipPlay("mip-wipsoft", acts=wip_plays.DAY, host_dialect="wipsoft-5.57"),
    MipPlay("mip-wipsoft-2006", acts=wip_plays.DAY, host_dialect="wipsoft-2.01"),
    MipPlay("mip-fibocom", acts=mip_plays.DAY, host_dialect="fibocom-l610"),
    MipPlay("mip-itself", AS_EMITTED, mip_plays.DAY, host_dialect="fibocom-l610", direct=True, lenient=("no digits",)),
    # -- layout
    MipPlay("mip-equals", {"after_colon": "=", "bare_lines": True, "line_end": b"\r"}, (*COMMANDS, *TWO_ROUNDS)),
    MipPlay("mip-blanks", {"after_comma": " ", "brackets": True, "ping_quotes": True}, (*COMMANDS, *DATAGRAMS)),
    MipPlay("mip-plain", {"errors": "plain", "blank_between": True}, (*COMMANDS, acts.refusals), lenient=LOST_TRACK),
    MipPlay("mip-tcpip", {"errors": "tcpip", "failure": "code", "call_failure": "code"}, COMMANDS),
    MipPlay("mip-chatter", {"chatter": True, "piece_bytes": 3}, (plays.bearer, plays.tcp_failures, plays.ping)),
    # -- orders
    MipPlay(
        "mip-line-first",
        {"call_order": "line_first", "open_order": "line_first", "close_order": "line_first", "call_twice": "again"},
        (*COMMANDS, *TWO_ROUNDS, acts.loss),
    ),
    MipPlay(
        "mip-together",
        {"call_order": "together", "open_order": "together", "close_order": "together", "close_bytes": True},
        (*COMMANDS, *TWO_ROUNDS, *DATAGRAMS),
    ),
    MipPlay("mip-late", {"open_delay_s": 0.4, "call_delay_s": 0.8, "listen_told": True}, (plays.bearer, *TWO_ROUNDS)),
    MipPlay("mip-slow-close", {"close_delay_s": 1.0}, (acts.quick,)),
    MipPlay("mip-state-0", {"failure": "state0", "failed_kept": True, "stop_stats": True}, COMMANDS),
    MipPlay("mip-stat-2", {"failure": "stat2", "peer_close": "stat2", "lost_kept": False}, (*COMMANDS, *TWO_ROUNDS)),
    MipPlay("mip-closes", {"peer_close": "close", "call_loss": "stats_first"}, (*TWO_ROUNDS, acts.loss)),
    # -- payload
    MipPlay("mip-cuts", {"upper": False, "cuts": (1, 7, 100, 3), "left_told": False, "piece_bytes": 50}, TWO_ROUNDS),
    MipPlay("mip-xoff", {"xoff_every": 2, "push_length": True, "acknowledges": True}, (*TWO_ROUNDS, *DATAGRAMS)),
    MipPlay("mip-small-stack", {"stack_bytes": 2048, "pushes_at_watermark": False}, (acts.files, *TWO_ROUNDS)),
)


EVERY: tuple[Play, ...] = (*PLAYS, *MIP_PLAYS)


@pytest.fixture(scope="module")
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The plays of this session's tests, under way."""
    chosen = [
        item.callspec.params["play"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module is request.module
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        yield {play.name: pool.submit(play.run, tmp_path_factory.mktemp(play.name)) for play in chosen}


@pytest.mark.parametrize("play", EVERY, ids=lambda play: play.name)
def test_play(play: Play, running: dict[str, Future[None]]) -> None:
    running[play.name].result()
