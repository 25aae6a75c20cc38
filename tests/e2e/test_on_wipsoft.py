"""A host's files where a WIPSoft module's own FTP is not to be had: the gateway speaks it over the module's sockets, and
needs two of them at once."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.files import USER, Files
from support.rig import Rig

BARE = """\
id: bare
extends: {module}
title: 'the same, without FTP'
roles: [module]
remove: [module.abilities.OpenFtp, module.abilities.SetFtp, module.abilities.GetFile, module.abilities.PutFile]
"""
OK = b"\r\nOK\r\n"
NOISE = bytes(range(256)) + random.Random(9).randbytes(20_000)


def escape(data: bytes) -> bytes:
    """DLE in front of DLE and ETX (eDSoft manual, App. B)."""
    return data.replace(b"\x10", b"\x10\x10").replace(b"\x03", b"\x10\x03")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path / "shelf")
    try:
        yield files
    finally:
        files.close()


@pytest.mark.parametrize("module", ["wipsoft-5.57", "wipsoft-2.01"])
def test_a_file_there_and_back(module: str, rig: Rig, shelf: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Login, listing of the port, the file, its end: each waits for the other connection."""
    dialects = rig.folder / "dialects"
    dialects.mkdir()
    (dialects / "bare.yaml").write_text(BARE.format(module=module))
    monkeypatch.setenv("AT_GATEWAY_DIALECTS", str(dialects))
    rig.module("--map", "files.example:*=127.0.0.1", dialect=module)
    rig.bridge("--trace", rig.path("trace"), module_dialect="bare")
    host = rig.terminal("host")
    assert host.answer("ATE0") == "OK"
    host.say(b"AT#CONNECTIONSTART\r")
    host.until(b"Ok_Info_GprsActivation\r\n")
    place = f'AT#FTPSERV="files.example";#FTPPORT={shelf.place.port};#FTPUN="{USER}";#FTPPW="secret";#FTPMODE=1'
    assert host.answer(place) == "OK"
    assert host.answer('AT#FTPTYPE=I;#FTPPUTPATH=".";#FTPPUTFILENAME="f";#FTPGETPATH=".";#FTPGETFILENAME="f"') == "OK"
    host.say(b"AT#FTPPUT\r")
    assert host.until(b"WaitingForData\r\n", b"ERROR: ", limit_s=40) == b"\r\nOk_Info_WaitingForData\r\n"
    host.say(escape(NOISE) + b"\x03")
    assert host.until(OK, b"ERROR: ", limit_s=40) == OK
    assert (shelf.folder / "f").read_bytes() == NOISE
    host.say(b"AT#FTPGET\r")
    assert host.until(b"DataBegin\r\n", b"ERROR: ", limit_s=40) == b"\r\nOk_Info_DataBegin\r\n"
    back = escape(NOISE) + b"\x03" + OK
    assert host.take(len(back), limit_s=60) == back
    trace = Path(rig.path("trace")).read_text()
    choices = set(re.findall(r'"what": "(hexadecimal|continuous for a while)"', trace))
    assert choices == (
        {"hexadecimal", "continuous for a while"} if module == "wipsoft-5.57" else {"continuous for a while"}
    )
