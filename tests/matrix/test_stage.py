"""A stage is there for every scenario of its pair, in any order and as often as they want."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from matrix.pair import NATIVE, Pair
from matrix.stage import ECHO, Stage


def test_unrecorded_as_often_as_it_is_wanted(tmp_path: Path) -> None:
    with closing(Stage(Pair("edsoft-2.10", NATIVE), tmp_path, 0)) as stage:
        for _ in range(2):
            with stage.unrecorded() as other:
                connection = other.host.connect(ECHO, other.servers.echo.port)
                connection.exchange(b"unrecorded")
                connection.close()
        assert "unrecorded" not in stage.recorded()
