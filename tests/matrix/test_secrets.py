"""The search that is behind every pair finds what it is for."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from matrix.secrets import APN_PASSWORD, left_behind

DATA = APN_PASSWORD.encode()


@pytest.mark.parametrize(
    "written",
    [
        lambda: DATA,
        lambda: DATA.hex().encode(),
        lambda: DATA.hex().upper().encode(),
        *(lambda before=before: b64encode(b"\0" * before + DATA + b"behind") for before in range(4)),
        lambda: b64encode(b"\0meter\0" + DATA).hex().upper().encode(),
    ],
)
@pytest.mark.parametrize("name", ["bridge.jsonl", "stderr-bridge-1", "state/bridge.new"])
def test_found(tmp_path: Path, written: Callable[[], bytes], name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"something before " + written() + b" and behind")
    path.chmod(0o600)
    (found,) = left_behind(tmp_path)
    assert name in found and repr(APN_PASSWORD) in found


def test_the_store_is_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "bridge.json"
    path.parent.mkdir()
    path.write_bytes(DATA)
    path.chmod(0o600)
    assert left_behind(tmp_path) == []
    path.chmod(0o640)
    (found,) = left_behind(tmp_path)
    assert "others may read" in found
