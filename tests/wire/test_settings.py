"""What ``AT&W`` stores of the line, and what is made of it when it is read again."""

from __future__ import annotations

import pytest

from gateway.wire.settings import LineSettings


def test_a_profile_is_what_was_stored() -> None:
    stored = LineSettings(echo=False, quiet=True, error_detail=2, flow=(0, 2))
    stored.registers[3] = 30
    read = LineSettings()
    read.load(stored.profile())
    assert read == stored


@pytest.mark.parametrize(
    "profile", ["", "nonsense", "echo= flow=1,2,3 S=5 Sx=5 S5", "S3=999 S5=128 S12=256", "echo=² S²=1"]
)
def test_what_makes_no_sense_is_left_out(profile: str) -> None:
    """Somebody has edited the file: a register beyond its range would end every line with an exception."""
    settings = LineSettings()
    settings.load(profile)
    assert settings == LineSettings()
    assert settings.end == b"\r\n"
