"""What a session keeps over a restart of the gateway (SEMANTICS 1.7; CONTRACT, ``--state``)."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.rig import Rig
from support.user import ordinary_user

from gateway.dialect import registry
from gateway.dialect.quirks import firmware_of
from gateway.errors import InputError
from gateway.links.link import Link
from gateway.links.native_runner import NativeRunner
from gateway.service.state import StateStore
from gateway.session.host import HostSide

VALUES: dict[str, str | int] = {"APNSERV": "internet", "TCPPORT:1": 31000, "SUBJ1": "äöü \x00\x7f\xff", "EMPTY": ""}

HOLD = """
import sys
from pathlib import Path
from gateway.service.state import StateStore
store = StateStore(Path(sys.argv[1]), "bridge-x-1.0")
store.save({"who": "the other"})
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A state folder that does not exist yet."""
    return tmp_path / "deep" / "state"


def store(folder: Path | None, name: str = "bridge-x-1.0") -> StateStore:
    return StateStore(folder, name)


def reopened(folder: Path) -> dict[str, str | int]:
    """What the next gateway finds."""
    again = store(folder)
    try:
        return again.load()
    finally:
        again.close()


class TestKeeping:
    def test_nothing_yet(self, folder: Path) -> None:
        assert reopened(folder) == {}
        assert folder.is_dir(), "the folder is made"

    def test_over_a_restart(self, folder: Path) -> None:
        first = store(folder)
        first.save(VALUES)
        first.close()
        assert reopened(folder) == VALUES

    def test_at_once(self, folder: Path) -> None:
        """eDSoft's parameters are kept when they are set, not when the gateway ends."""
        first = store(folder)
        first.save({"a": 1})
        assert first.load() == {"a": 1}
        first.save({"b": 2})
        assert first.load() == {"b": 2}, "the whole is replaced"
        first.close()

    def test_sessions_have_files_of_their_own(self, folder: Path) -> None:
        one, two = store(folder, "bridge-x-1.0"), store(folder, "module-x-1.0")
        one.save({"who": "one"})
        two.save({"who": "two"})
        assert (one.load(), two.load()) == ({"who": "one"}, {"who": "two"})
        one.close()
        two.close()

    def test_without_a_folder_nothing_is_kept(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        memory = store(None)
        memory.save(VALUES)
        assert memory.load() == {}
        memory.close()
        memory.close()
        assert list(tmp_path.iterdir()) == []

    def test_only_its_owner_may_read_it(self, folder: Path) -> None:
        """It has the passwords of the access point and the mail box in it (SEMANTICS 1.8)."""
        old = os.umask(0)
        try:
            first = store(folder)
            first.save(VALUES)
            first.close()
        finally:
            os.umask(old)
        for path in folder.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path.name


class TestAtomic:
    """A power failure in the middle leaves the old values or the new ones."""

    def test_the_old_values_are_there_until_the_new_ones_are_complete(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = store(folder)
        first.save({"state": "old"})
        seen: list[object] = []
        replace = Path.replace

        def watched(path: Path, target: Path) -> Path:
            seen.append((json.loads(path.read_text()), json.loads(Path(target).read_text())))
            return replace(path, target)

        monkeypatch.setattr(Path, "replace", watched)
        first.save({"state": "new"})
        first.close()
        assert seen == [({"state": "new"}, {"state": "old"})]

    def test_what_an_interrupted_write_has_left_does_no_harm(self, folder: Path) -> None:
        first = store(folder)
        first.save({"state": "old"})
        first.close()
        for path in list(folder.glob("*.json")):
            path.with_suffix(".new").write_text('{"state": "ne')
        assert reopened(folder) == {"state": "old"}
        again = store(folder)
        again.save({"state": "new"})
        again.close()
        assert reopened(folder) == {"state": "new"}
        assert not list(folder.glob("*.new"))

    def test_killed_while_it_writes(self, folder: Path) -> None:
        """Whenever a gateway is killed, the next one reads values that were whole."""
        busy = (
            "import sys\nfrom pathlib import Path\nfrom gateway.service.state import StateStore\n"
            "store = StateStore(Path(sys.argv[1]), 'bridge-x-1.0')\nprint('begun', flush=True)\nnumber = 0\n"
            "while True:\n    store.save({str(key): number for key in range(500)})\n    number += 1\n"
        )
        for _ in range(3):
            with subprocess.Popen([sys.executable, "-c", busy, str(folder)], stdout=subprocess.PIPE) as writer:
                assert writer.stdout is not None and writer.stdout.readline() == b"begun\n"
                while not list(folder.glob("*.json")):
                    assert writer.poll() is None
                writer.kill()
            assert len(set(reopened(folder).values())) == 1
            assert len(reopened(folder)) == 500


class TestLock:
    """Two gateways with one state would overwrite each other's values."""

    def test_a_second_one(self, folder: Path) -> None:
        first = store(folder)
        with pytest.raises(InputError, match="in use by another at-gateway") as caught:
            store(folder)
        assert str(folder) in str(caught.value) and "\n" not in str(caught.value)
        first.save({"still": "fine"})
        first.close()
        assert reopened(folder) == {"still": "fine"}

    def test_a_second_process(self, folder: Path) -> None:
        """Until it ends, also when it is killed: a lock never needs a hand to remove it."""
        with subprocess.Popen(
            [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as other:
            assert other.stdout is not None and other.stdout.readline() == b"held\n"
            with pytest.raises(InputError, match="in use"):
                store(folder)
            other.kill()
        assert reopened(folder) == {"who": "the other"}

    def test_by_the_program(self, tmp_path: Path) -> None:
        """Exit code 2 and one sentence; the first gateway is not disturbed."""
        with Rig(tmp_path) as rig:
            first = rig.module("--state", rig.path("state"))
            second = rig.start(
                "module", "--dialect", "wipsoft", "--link", f"pty:{rig.path('second')}", "--state", rig.path("state"),
                ready=False,
            )  # fmt: skip
            assert second.wait() == 2
            assert second.complaint().startswith("at-gateway: ")
            assert "in use" in second.complaint() and len(second.complaint().splitlines()) == 1
            assert not os.path.lexists(rig.path("second"))
            assert rig.terminal("module").answer("AT").endswith("OK")
            assert first.stop() == 0


class TestDamage:
    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b'{"APNSERV": "inter',
            b"nonsense",
            b"[1, 2]",
            b'"text"',
            b"17",
            b"null",
            b"\xff\xfe\x00",
            b"\x00" * 100,
            b"[" * 100_000,
        ],
    )
    def test_put_aside_and_told(self, folder: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
        """The session begins with the defaults; what was damaged is not thrown away."""
        first = store(folder)
        first.save(VALUES)
        first.close()
        (path,) = folder.glob("*.json")
        path.write_bytes(content)
        assert reopened(folder) == {}
        (warning,) = caplog.records
        assert warning.levelno == logging.WARNING and str(path) in warning.getMessage()
        assert [other.read_bytes() for other in folder.iterdir() if other.name in warning.getMessage().split()] == [
            content
        ]
        again = store(folder)
        again.save({"new": 1})
        again.close()
        assert reopened(folder) == {"new": 1}

    def test_that_cannot_be_put_aside(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """The session begins all the same."""
        first = store(folder)
        first.save(VALUES)
        first.close()
        (path,) = folder.glob("*.json")
        path.write_bytes(b"nonsense")
        path.with_suffix(".broken").mkdir()
        assert reopened(folder) == {}
        (error,) = caplog.records
        assert error.levelno == logging.ERROR and str(path) in error.getMessage()

    def test_values_that_nobody_wrote(self, folder: Path) -> None:
        """Somebody has edited the file: what is neither text nor a number is left out."""
        first = store(folder)
        first.save({})
        first.close()
        (path,) = folder.glob("*.json")
        path.write_text('{"a": "text", "b": 2, "c": 1.5, "d": null, "e": ["x"], "f": {"g": 1}}')
        assert reopened(folder) == {"a": "text", "b": 2}

    def test_a_disk_that_cannot_be_written(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        """It is told, the session goes on, and the old values stay."""
        first = store(folder)
        first.save({"state": "old"})
        (path,) = folder.glob("*.json")
        path.with_suffix(".new").mkdir()
        first.save({"state": "new"})
        (error,) = caplog.records
        assert error.levelno == logging.ERROR and str(path) in error.getMessage()
        assert first.load() == {"state": "old"}
        path.with_suffix(".new").rmdir()
        first.save({"state": "new"})
        assert first.load() == {"state": "new"}
        first.close()


class TestFolder:
    @pytest.mark.parametrize("inside", ["file", "file/state"])
    def test_a_file_is_in_the_way(self, tmp_path: Path, inside: str) -> None:
        (tmp_path / "file").write_text("precious")
        with pytest.raises(InputError, match="state folder") as caught:
            store(tmp_path / inside)
        assert str(tmp_path / inside) in str(caught.value) and "\n" not in str(caught.value)
        assert (tmp_path / "file").read_text() == "precious"

    @pytest.mark.parametrize("inside", [".", "state"])
    def test_one_that_may_not_be_written(self, inside: str) -> None:
        with ordinary_user() as folder:
            folder.chmod(0o500)
            with pytest.raises(InputError, match="Permission denied"):
                store(folder / inside)

    @pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="this system has no /proc")
    def test_one_that_nobody_can_make(self) -> None:
        """Also for the superuser."""
        with pytest.raises(InputError, match="state folder /proc/at-gateway"):
            store(Path("/proc/at-gateway"))

    def test_the_lock_cannot_be_made(self, folder: Path) -> None:
        first = store(folder)
        first.close()
        for path in folder.glob("*.lock"):
            path.unlink()
            path.mkdir()
        with pytest.raises(InputError, match="state folder"):
            store(folder)


class Line(Link):
    """A host's link without a line: the test says and hears."""

    def __init__(self, happened: list[str]) -> None:
        super().__init__("line")
        self._happened = happened

    async def open(self) -> None:
        pass

    def write(self, data: bytes) -> None:
        self._happened.append(data.decode())

    def read(self, reading: bool) -> None:
        pass

    def drained(self, then: Callable[[], None]) -> None:
        then()

    def close(self) -> None:
        pass


class TestOrder:
    def test_kept_before_it_is_said(self) -> None:
        """'At once': a host that has read OK may cut the power."""
        happened: list[str] = []

        async def scenario() -> None:
            line = Line(happened)
            dialect = registry.load("edsoft-3.02")
            side = HostSide(dialect, firmware_of(dialect))
            runner = NativeRunner(side, line, keep=lambda values: happened.append(f"kept {values['APNSERV']}"))
            await runner.open()
            line.on_data(b'ATE0;#APNSERV="internet"\r')
            await runner.close()

        asyncio.run(scenario())
        (kept,) = [at for at, what in enumerate(happened) if what == "kept internet"]
        (said,) = [at for at, what in enumerate(happened) if what.endswith("OK\r\n")]
        assert kept < said


class TestRestart:
    """The whole program: what the old module kept in flash."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_a_module(self, tmp_path: Path, number: int) -> None:
        with Rig(tmp_path) as rig:
            state = ("--state", rig.path("state"))
            module = rig.module(*state, dialect="edsoft-3.02")
            terminal = rig.terminal("module")
            assert terminal.answer('ATE0;#APNSERV="kept";#APNPW="s3cret";#TCPPORT=2,4242').endswith("OK")
            assert terminal.answer("AT") == "OK"
            module.stop(number)
            again = rig.module(*state, dialect="edsoft-3.02", link=f"pty:{rig.path('again')}")
            terminal = rig.terminal("again")
            shown = terminal.answer("ATE0;#VGPRS")
            assert '#APNSERV: "kept"' in shown and '#APNPW: "s3cret"' in shown
            assert "4242" in terminal.answer("AT#VTCP")
            assert again.stop() == 0
            assert again.complaint() == ""

    def test_wipsoft_keeps_what_it_is_told_to_keep(self, tmp_path: Path) -> None:
        """Only after +WIPCFG=4,1 (5.57 guide, 4.1.4)."""
        with Rig(tmp_path) as rig:
            state = ("--state", rig.path("state"))
            for stored, shown in (("", "+WIPCFG: 0,64"), ("AT+WIPCFG=4,1", "+WIPCFG: 0,77")):
                module = rig.module(*state)
                terminal = rig.terminal("module")
                for command in ("ATE0", "AT+WIPCFG=1", "AT+WIPCFG=2,0,77", stored or "AT"):
                    assert terminal.answer(command).endswith("OK"), command
                assert module.stop() == 0
                module = rig.module(*state)
                terminal = rig.terminal("module")
                for command in ("ATE0", "AT+WIPCFG=1"):
                    assert terminal.answer(command).endswith("OK"), command
                assert shown in terminal.answer("AT+WIPCFG?")
                assert module.stop() == 0

    def test_an_other_folder_knows_nothing(self, tmp_path: Path) -> None:
        with Rig(tmp_path) as rig:
            for name in ("one", "two"):
                module = rig.module("--state", rig.path(name), dialect="edsoft-3.02")
                terminal = rig.terminal("module")
                assert '#APNSERV: ""' in terminal.answer("ATE0;#VGPRS")
                assert terminal.answer('AT#APNSERV="kept"') == "OK"
                assert module.stop() == 0
