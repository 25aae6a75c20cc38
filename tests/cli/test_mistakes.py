"""A mistake of the user's: an exit code, one clear sentence, never a traceback (CONTRACT, Exit codes)."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.rig import LIMIT_S, Program, Rig, unused_port

from gateway.cli.main import main
from gateway.dialect import registry


@dataclass(frozen=True)
class Said:
    """How the program ended."""

    code: int
    sentence: str
    """Without the name of the program in front."""
    out: str


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the program in this process; an exception that it lets through fails the test."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def run(*arguments: str | Path) -> Said:
        monkeypatch.setattr(sys, "argv", ["at-gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        lines = captured.err.splitlines()
        assert lines, "nothing was said"
        assert lines[-1].startswith("at-gateway: "), captured.err
        log = re.compile(r"\d\d:\d\d:\d\d (INFO|WARNING) ")
        assert all(log.match(line) for line in lines[:-1]), captured.err
        return Said(ended.value.code, lines[-1].removeprefix("at-gateway: "), captured.out)

    yield run
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def module(run: Run, tmp_path: Path) -> Run:
    """``module`` with its two required options, and something else."""
    return lambda *more, link=f"pty:{tmp_path}/link", dialect="wipsoft-5.57": run(
        "module", "--dialect", dialect, "--link", link, *more
    )


@pytest.fixture
def bridge(run: Run, tmp_path: Path) -> Run:
    """``bridge`` from a host's pseudo-terminal, and something else."""
    return lambda *more, host=f"pty:{tmp_path}/host", dialect="edsoft-3.02": run(
        "bridge", "--host", host, "--host-dialect", dialect, *more
    )


@pytest.fixture
def behind(bridge: Run, tmp_path: Path) -> Run:
    """``bridge`` to a module that is not there, and something else."""
    return lambda *more: bridge("--module", f"{tmp_path}/nowhere", "--module-dialect", "wipsoft-5.57", *more)


class Refused:
    """The program as a process: for mistakes that it might not notice, and run."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.program = Program(folder, *arguments)
        try:
            line = self.program.line()
            assert not line, f"it runs: {line}"
            self.code = self.program.wait()
            self.said = self.program.complaint()
        finally:
            self.program.close()


class TestVerbs:
    @pytest.mark.parametrize("verb", ["brigde", "modul", "nonsense"])
    def test_unknown(self, run: Run, verb: str) -> None:
        said = run(verb)
        assert said.code == 2 and repr(verb) in said.sentence

    @pytest.mark.parametrize("verb", ["--nonsense", "-x"])
    def test_unknown_option(self, run: Run, verb: str) -> None:
        said = run(verb)
        assert said.code == 2 and verb in said.sentence

    def test_the_nearest_verb(self, run: Run) -> None:
        """DESIGN 5: what was seen, what was expected, the nearest right name."""
        assert "did you mean 'bridge'" in run("brigde").sentence
        assert "did you mean 'show'" in run("trace", "shwo").sentence
        assert "show" in run("trace", "zzz").sentence

    @pytest.mark.parametrize("word", ["nonsense", "--nonsense"])
    def test_the_hint_works(self, run: Run, word: str) -> None:
        """'see at-gateway ... --help' must be a command that helps."""
        assert "(see at-gateway --help)" in run(word).sentence
        assert "(see at-gateway trace --help)" in run("trace", word).sentence
        assert "(see at-gateway trace show --help)" in run("trace", "show", "x", "--nonsense").sentence

    @pytest.mark.parametrize(("verb", "missing"), [("module", "--dialect"), ("bridge", "--host")])
    def test_a_missing_option(self, run: Run, verb: str, missing: str) -> None:
        said = run(verb)
        assert said.code == 2 and missing in said.sentence

    def test_a_misspelt_option(self, module: Run) -> None:
        said = module("--stat", "x")
        assert said.code == 2 and "--stat" in said.sentence and "--state" in said.sentence

    def test_an_argument_too_many(self, module: Run) -> None:
        said = module("more")
        assert said.code == 2 and "more" in said.sentence

    @pytest.mark.parametrize(("option", "value"), [("--log-level", "loud"), ("--log-format", "xml")])
    def test_a_choice(self, module: Run, option: str, value: str) -> None:
        said = module(option, value)
        assert said.code == 2 and option in said.sentence and value in said.sentence

    def test_a_policy(self, bridge: Run) -> None:
        said = bridge("--native", "--policy", "severe")
        assert said.code == 2 and "strict" in said.sentence and "lenient" in said.sentence


def a_hosts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialect in which no module speaks."""
    load, changed = registry.load, registry.load("edsoft-3.02").replace_tables(roles=("host",))
    monkeypatch.setattr(registry, "load", lambda name: changed if name == changed.id else load(name))


class TestDialects:
    def test_unknown(self, module: Run) -> None:
        said = module(dialect="wipsof")
        assert said.code == 2 and "did you mean 'wipsoft'" in said.sentence
        assert all(name in said.sentence for name in registry.ids())

    def test_like_no_other(self, module: Run) -> None:
        said = module(dialect="zzzzz")
        assert said.code == 2 and all(name in said.sentence for name in registry.ids())

    def test_of_the_module(self, bridge: Run) -> None:
        said = bridge("--module", "/dev/null", "--module-dialect", "edsof")
        assert said.code == 2 and "'edsof'" in said.sentence

    def test_one_that_cannot_be_a_modules(self, bridge: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        a_hosts_only(monkeypatch)
        said = bridge("--module", "/dev/nowhere", "--module-dialect", "edsoft-3.02")
        assert said.code == 2 and "edsoft-3.02" in said.sentence and "wipsoft-5.57" in said.sentence

    @pytest.mark.parametrize("option", ["--from", "--to"])
    def test_of_the_demonstration(self, run: Run, option: str) -> None:
        said = run("demo", option, "nonsense")
        assert said.code == 2 and "nonsense" in said.sentence

    def test_one_that_cannot_play_in_the_demonstration(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        a_hosts_only(monkeypatch)
        said = run("demo", "--to", "edsoft-3.02")
        assert said.code == 2 and "edsoft-3.02" in said.sentence


class TestLinks:
    """2 for a text that is none, 3 for a link that cannot be opened."""

    @pytest.mark.parametrize(
        ("link", "wanted"),
        [
            ("", "must not be empty"),
            ("pty:", "path"),
            ("sockt://h:1", "socket://"),
            ("socket://h", "HOST:PORT"),
            ("tcp-listen://h:99999", "HOST:PORT"),
            ("tls-listen://h:1", "cert=FILE"),
            ("/dev/ttyS0?baudrate=fast", "baudrate"),
            ("/dev/ttyS0?partiy=N", "parity"),
        ],
    )
    def test_no_link(self, module: Run, bridge: Run, link: str, wanted: str) -> None:
        for said in (
            module(link=link),
            bridge("--native", host=link),
            bridge("--module", link or "?", "--module-dialect", "wipsoft"),
        ):
            assert said.code == 2 and wanted in said.sentence, said

    @pytest.mark.parametrize(
        ("link", "wanted"),
        [
            ("{folder}/ttyUSB0", "{folder}/ttyUSB0"),
            ("{folder}", "{folder}"),
            ("{folder}/file", "{folder}/file"),
            ("pty:{folder}/file", "{folder}/file"),
            ("pty:{folder}/nowhere/link", "{folder}/nowhere/link"),
            ("socket://127.0.0.1:{port}", "127.0.0.1:{port}"),
            ("socket://nowhere.invalid:1", "nowhere.invalid"),
            ("tcp-listen://127.0.0.1:{used}", "127.0.0.1:{used}"),
            ("tls-listen://127.0.0.1:0?cert={folder}/nowhere.pem", "certificate"),
            ("tls-listen://127.0.0.1:0?cert={folder}/file", "certificate"),
            ("spy://{folder}/ttyUSB0", "{folder}/ttyUSB0"),
            ("rfc2217://127.0.0.1:{port}", "127.0.0.1:{port}"),
        ],
    )
    def test_one_that_cannot_be_opened(self, module: Run, tmp_path: Path, link: str, wanted: str) -> None:
        (tmp_path / "file").write_text("precious")
        with socket.create_server(("127.0.0.1", 0)) as busy:
            places = {"folder": tmp_path, "port": unused_port(), "used": busy.getsockname()[1]}
            said = module(link=link.format(**places))
        assert said.code == 3
        assert wanted.format(**places) in said.sentence
        assert said.out == "", "it was never ready"
        assert (tmp_path / "file").read_text() == "precious"

    def test_of_the_module_leaves_nothing_of_the_hosts(self, behind: Run, tmp_path: Path) -> None:
        said = behind()
        assert said.code == 3 and f"{tmp_path}/nowhere" in said.sentence and said.out == ""
        assert not os.path.lexists(tmp_path / "host")

    @pytest.mark.parametrize(
        "module", ["pty:{folder}/host", "{folder}/host", "pty:{folder}/host?baudrate=9600"]
    )  # fmt: skip
    def test_the_same_twice(self, bridge: Run, tmp_path: Path, module: str) -> None:
        said = bridge("--module", module.format(folder=tmp_path), "--module-dialect", "wipsoft-5.57")
        assert said.code == 2 and "same link" in said.sentence

    def test_the_same_twice_in_other_words(self, tmp_path: Path) -> None:
        """Else the second symbolic link replaces the first, and the host's line leads nowhere."""
        said = Refused(
            tmp_path, "bridge", "--host", f"pty:{tmp_path}/x", "--host-dialect", "edsoft",
            "--module", f"pty:{tmp_path}/../{tmp_path.name}/x", "--module-dialect", "wipsoft",
        )  # fmt: skip
        assert said.code == 2 and "same link" in said.said

    @pytest.mark.parametrize("link", ["socket://a..b:80", "tcp-listen://a..b:80", "loop://?logging=loud", "hwgrep://["])
    def test_one_that_raises_something_else(self, module: Run, link: str) -> None:
        assert module(link=link).code == 3

    @pytest.mark.parametrize("link", ["loop://?colour=yes", "socket://127.0.0.1:80/path", "tcp-listen://h:1?cert=x"])
    def test_one_with_something_that_it_has_not(self, module: Run, link: str) -> None:
        """Known without opening anything: the text is wrong."""
        assert module(link=link).code == 2


class TestBridge:
    @pytest.mark.parametrize(
        "more",
        [
            (),
            ("--module", "/dev/null"),
            ("--module-dialect", "wipsoft"),
            ("--native", "--module", "/dev/null", "--module-dialect", "wipsoft"),
        ],
    )
    def test_neither_or_both(self, bridge: Run, more: tuple[str, ...]) -> None:
        said = bridge(*more)
        assert said.code == 2 and "--native" in said.sentence and "--module" in said.sentence

    def test_a_map_for_a_module(self, behind: Run) -> None:
        said = behind("--map", "a:80=b:80")
        assert said.code == 2 and "--map" in said.sentence and "--native" in said.sentence
        said = behind("--address", "127.0.0.1")
        assert said.code == 2 and "--address" in said.sentence and "--native" in said.sentence

    @pytest.mark.parametrize(
        "more", [("--module-dialect", "wipsoft"), ("--limit", "+WIPCREATE=5"), ("--module-switch", "a=b")]
    )
    def test_options_of_a_module_without_one(self, tmp_path: Path, more: tuple[str, ...]) -> None:
        """Like ``--map`` without ``--native``: an option without effect is a mistake."""
        said = Refused(tmp_path, "bridge", "--host", f"pty:{tmp_path}/h", "--host-dialect", "edsoft", "--native", *more)
        assert said.code == 2

    @pytest.mark.parametrize("limit", ["", "=", "=5", "+WIPCREATE", "+WIPCREATE=", "+X=soon", "+X=0", "+X=-5"])
    def test_a_limit(self, behind: Run, limit: str) -> None:
        said = behind("--limit", limit)
        assert said.code == 2 and "COMMAND=SECONDS" in said.sentence and repr(limit) in said.sentence

    @pytest.mark.parametrize("limit", ["+X=nan", "+X=inf"])
    def test_a_limit_that_is_no_time(self, behind: Run, limit: str) -> None:
        assert behind("--limit", limit).code == 2

    @pytest.mark.parametrize("answer", ["", "::", "::+XYZ: 1", "AT"])
    def test_an_answer_to_nothing(self, bridge: Run, answer: str) -> None:
        said = bridge("--native", "--answer", answer)
        assert said.code == 2 and "PATTERN::LINE" in said.sentence


class TestSwitches:
    @pytest.mark.parametrize("text", ["peer_shutdown", "=etx", "="])
    def test_no_pair(self, module: Run, text: str) -> None:
        said = module("--switch", text)
        assert said.code == 2 and "NAME=VALUE" in said.sentence

    def test_an_unknown_name(self, module: Run) -> None:
        said = module("--switch", "peer_shutdwn=etx")
        assert said.code == 2 and "did you mean 'peer_shutdown'" in said.sentence
        said = module("--switch", "zzz=etx")
        assert said.code == 2 and "peer_shutdown" in said.sentence

    def test_an_unknown_value(self, module: Run) -> None:
        said = module("--switch", "peer_shutdown=maybe")
        assert said.code == 2 and all(value in said.sentence for value in ("shutdown", "etx", "both", "maybe"))

    def test_each_side_has_its_own(self, behind: Run) -> None:
        said = behind("--switch", "peer_shutdown=etx")
        assert said.code == 2 and "edsoft-3.02" in said.sentence
        said = behind("--module-switch", "information_spelling=OK")
        assert said.code == 2 and "wipsoft-5.57" in said.sentence


class TestNetwork:
    @pytest.mark.parametrize("text", ["", "nonsense", "a:80", "a=b:80", "a:80=b:99999"])
    def test_a_map(self, module: Run, bridge: Run, text: str) -> None:
        for said in (module("--map", text), bridge("--native", "--map", text)):
            assert said.code == 2 and "example.com:80=127.0.0.1:8080" in said.sentence

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [("bearer-los=1", "bearer-lost"), ("zzzzz", "bearer-refused"), ("slow=fast", "SECONDS"), ("noise", "COUNT")],
    )
    def test_a_fault(self, module: Run, text: str, wanted: str) -> None:
        said = module("--fault", text)
        assert said.code == 2 and repr(text) in said.sentence and wanted in said.sentence

    @pytest.mark.parametrize("address", ["nonsense", "300.1.1.1", "127.0.0.1:80", ""])
    def test_an_address(self, tmp_path: Path, address: str) -> None:
        said = Refused(tmp_path, "module", "--dialect", "wipsoft", "--link", f"pty:{tmp_path}/m", "--address", address)
        assert said.code == 2 and "--address" in said.said

    @pytest.mark.parametrize(("option", "address"), [("--address", "192.0.2.1"), ("--address6", "2001:db8::1")])
    def test_an_address_of_another_computer(self, module: Run, bridge: Run, option: str, address: str) -> None:
        """Nothing could be listened at, or sent from, such a one: it is said before anything is begun."""
        for said in (module(option, address), bridge("--native", option, address)):
            assert said.code == 2 and option in said.sentence and address in said.sentence
            assert "no address of this computer" in said.sentence

    @pytest.mark.parametrize("address", ["nonsense", "127.0.0.1", "::1%lo", "[::1]"])
    def test_an_address_of_ipv6(self, module: Run, address: str) -> None:
        said = module("--address6", address)
        assert said.code == 2 and "--address6" in said.sentence and "::1" in said.sentence


class TestCertificates:
    """``--ca`` and ``--no-verify``: SEMANTICS 7.6, servers are verified unless the user says otherwise."""

    @pytest.mark.parametrize("where", ["nowhere.pem", "words.pem", "."])
    def test_an_authority_that_is_none(self, module: Run, bridge: Run, tmp_path: Path, where: str) -> None:
        (tmp_path / "words.pem").write_text("these are words\n")
        wanted = "BEGIN CERTIFICATE" if where == "words.pem" else "cannot read certificates"
        for said in (module("--ca", tmp_path / where), bridge("--native", "--ca", tmp_path / where)):
            assert said.code == 2 and str(tmp_path / where) in said.sentence and wanted in said.sentence
        assert not os.path.lexists(tmp_path / "link") and not os.path.lexists(tmp_path / "host")

    def test_both(self, module: Run, tmp_path: Path) -> None:
        said = module("--ca", tmp_path / "nowhere.pem", "--no-verify")
        assert said.code == 2 and "--ca" in said.sentence and "--no-verify" in said.sentence


class TestFiles:
    @pytest.mark.parametrize("where", ["nowhere/trace", "file/trace"])
    def test_a_trace_that_cannot_be_written(self, module: Run, bridge: Run, tmp_path: Path, where: str) -> None:
        (tmp_path / "file").write_text("precious")
        for said in (module("--trace", tmp_path / where), bridge("--native", "--trace", tmp_path / where)):
            assert said.code == 2 and str(tmp_path / where) in said.sentence
        assert not os.path.lexists(tmp_path / "link")

    def test_a_trace_that_is_a_folder(self, module: Run, tmp_path: Path) -> None:
        said = module("--trace", tmp_path)
        assert said.code == 2 and "--trace" in said.sentence and str(tmp_path) in said.sentence

    @pytest.mark.parametrize("where", ["file", "file/state"])
    def test_a_state_folder_that_cannot_be_made(self, module: Run, bridge: Run, tmp_path: Path, where: str) -> None:
        (tmp_path / "file").write_text("precious")
        for said in (module("--state", tmp_path / where), bridge("--native", "--state", tmp_path / where)):
            assert said.code == 2 and str(tmp_path / where) in said.sentence
        assert (tmp_path / "file").read_text() == "precious"

    @pytest.mark.parametrize("where", ["nowhere.jsonl", "."])
    def test_a_trace_to_show(self, run: Run, tmp_path: Path, where: str) -> None:
        said = run("trace", "show", tmp_path / where)
        assert said.code == 2 and str(tmp_path) in said.sentence
        assert said.out == ""

    def test_a_dialect_of_the_users_own(self, tmp_path: Path) -> None:
        """File, line, column, and the nearest right name."""
        (tmp_path / "own-1.0.yaml").write_text("id: own-1.0\nfamily: own\ntitle: mine\ncomands: {}\n")
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "module", "--dialect", "own-1.0", "--link", "pty:x"],
            env=os.environ | {"AT_GATEWAY_DIALECTS": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 2
        assert f"{tmp_path}/own-1.0.yaml:4:" in done.stderr and "'commands'" in done.stderr
        assert len(done.stderr.splitlines()) == 1


class TestGoodOnes:
    """0: done. One real process of each kind, with every warning an error."""

    def test_ready_and_ended(self, tmp_path: Path) -> None:
        """Standard output has the line that begins with ready, and nothing else."""
        with Rig(tmp_path) as rig:
            module = rig.start("module", "--dialect", "wipsoft", "--link", f"pty:{rig.path('module')}", ready=False)
            assert module.line() == f"ready module pty:{rig.path('module')} (wipsoft-5.57)\n"
            bridge = rig.start(
                "bridge", "--host", f"pty:{rig.path('host')}", "--host-dialect", "edsoft", "--module", rig.path("module"),
                "--module-dialect", "wipsoft", "--log-level", "warning", ready=False,
            )  # fmt: skip
            assert bridge.line().startswith(f"ready bridge pty:{rig.path('host')} (edsoft-3.02) {rig.path('module')}")
            native = rig.native(host_dialect="edsoft-2.10")
            for program in (native, bridge, module):
                assert program.stop() == 0
                assert program.line() == ""
                assert "Traceback" not in program.complaint() and "ResourceWarning" not in program.complaint()
            assert bridge.complaint() == module.complaint() == ""

    def test_ready_names_the_port(self, tmp_path: Path) -> None:
        """``tcp-listen://HOST:0``: any free port, and the user must learn which."""
        with Rig(tmp_path) as rig:
            module = rig.start("module", "--dialect", "wipsoft", "--link", "tcp-listen://127.0.0.1:0", ready=False)
            found = re.fullmatch(r"ready module tcp-listen://127\.0\.0\.1:(\d+) \(wipsoft-5\.57\)\n", module.line())
            assert found is not None
            with socket.create_connection(("127.0.0.1", int(found[1])), LIMIT_S) as host:
                host.settimeout(LIMIT_S)
                host.sendall(b"AT\r")
                assert host.recv(100).startswith(b"AT\r")
            assert module.stop() == 0

    def test_a_link_whose_name_is_no_text(self, tmp_path: Path) -> None:
        """A file's name may have any bytes; it is a good one all the same."""
        with Rig(tmp_path) as rig:
            path = tmp_path / "odd\udcff"
            module = rig.start("module", "--dialect", "wipsoft", "--link", f"pty:{path}", ready=False)
            assert module.line() == f"ready module pty:{tmp_path}/odd\\udcff (wipsoft-5.57)\n"
            assert path.is_symlink()
            assert module.stop() == 0

    def test_without_standard_files(self, tmp_path: Path) -> None:
        """A starter that has closed them: no link is taken for one of them, and it ends in good order."""
        path = tmp_path / "host"
        arguments = ("bridge", "--host", f"pty:{path}", "--host-dialect", "edsoft", "--native")
        closed = 'exec "$@" <&- >&- 2>&-'
        process = subprocess.Popen(["sh", "-c", closed, "sh", sys.executable, "-m", "gateway", *arguments])
        try:
            due = time.monotonic() + LIMIT_S
            while not path.is_symlink():
                assert process.poll() is None and time.monotonic() < due
                time.sleep(0.01)
            process.terminate()
            assert process.wait(LIMIT_S) == 0
        finally:
            process.kill()
            process.wait()
        assert not os.path.lexists(path)

    def test_the_log_as_json(self, tmp_path: Path) -> None:
        """``--log-format json``: an object a line, for programs that read logs."""
        with Rig(tmp_path) as rig:
            native = rig.native("--log-format", "json", "--log-level", "debug")
            assert native.stop() == 0
            records = [json.loads(line) for line in native.complaint().splitlines()]
        assert records
        for record in records:
            assert {"at", "level", "logger", "message"} <= set(record)
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["at"])

    def test_a_second_signal_ends_it_at_once(self, tmp_path: Path) -> None:
        """CONTRACT: the first is waiting for a module that says nothing."""
        with Rig(tmp_path) as rig:
            rig.start("module", "--dialect", "wipsoft", "--link", f"pty:{rig.path('module')}", "--fault", "silent=E")
            bridge = rig.bridge()
            bridge.process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                bridge.process.wait(0.3)
            bridge.process.terminate()
            assert bridge.wait(2.0) != 0
