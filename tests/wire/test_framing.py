"""What a host reads under ATV and ATQ (S000333 App. B; V.250 section 5.7)."""

from __future__ import annotations

import pytest

from gateway.wire.framing import Framing, result, text_block
from gateway.wire.settings import LineSettings

WORDS = {"OK": "0", "ERROR": "4", "Ok_Info_WaitingForData": "1028"}


@pytest.mark.parametrize(
    ("verbose", "form", "text", "expected"),
    [
        (True, "{code}\r", "OK", b"\r\nOK\r\n"),
        (False, "{code}\r", "OK", b"0\r"),
        (False, "\r{code}\r", "OK", b"\r0\r"),
        (False, "\r{code}\r", "Ok_Info_WaitingForData", b"\r1028\r"),
        (False, "\r{code}\r", "#CME ERROR: 34817", b"\r\n#CME ERROR: 34817\r\n"),
    ],
)
def test_results(verbose: bool, form: str, text: str, expected: bytes) -> None:
    assert result(text, LineSettings(verbose=verbose), Framing(form, WORDS)) == expected


def test_quiet_says_nothing() -> None:
    assert result("OK", LineSettings(quiet=True), Framing()) == b""


def test_a_value_keeps_its_ok_in_words() -> None:
    framing = Framing(numeric=WORDS, numeric_after_text=False)
    assert result("OK", LineSettings(verbose=False), framing, after_text=True) == b"\r\nOK\r\n"


def test_information_text() -> None:
    assert text_block(("a", "b"), LineSettings()) == b"\r\na\r\nb\r\n"
    assert text_block(("a", "b"), LineSettings(verbose=False)) == b"a\r\nb\r\n"
    assert text_block((), LineSettings()) == b""


def test_the_line_end_is_the_hosts() -> None:
    settings = LineSettings()
    settings.registers[3], settings.registers[4] = 0x21, 0x3F
    assert result("OK", settings, Framing(numeric=WORDS)) == b"!?OK!?"
