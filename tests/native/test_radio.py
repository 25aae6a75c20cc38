"""The pretended radio and card of a virtual module, and its short messages (3GPP TS 27.005, 3.5 and 4.3)."""

from __future__ import annotations

import pytest

from gateway.dialect import registry
from gateway.dialect.schema import LocalAnswer
from gateway.model.results import PassedThrough, Prompted
from gateway.native.radio import Radio

OK = PassedThrough((), "OK")


@pytest.fixture
def radio() -> Radio:
    """That of a virtual WIPSoft 5.57."""
    return Radio(registry.load("wipsoft-5.57").tables.virtual_answers)


class TestAnswers:
    def test_as_the_table_says(self) -> None:
        radio = Radio({"+CSQ": LocalAnswer(lines=("+CSQ: 17,99",)), "+CREG=*": LocalAnswer(), "+X": LocalAnswer("BUSY")})
        assert radio.answer("AT+CSQ") == PassedThrough(("+CSQ: 17,99",), "OK")
        assert radio.answer("at +csq") == PassedThrough(("+CSQ: 17,99",), "OK")
        assert radio.answer("AT+CREG=2") == OK
        assert radio.answer("AT+X") == PassedThrough((), "BUSY")

    def test_what_it_does_not_know_is_an_error(self, radio: Radio) -> None:
        assert radio.answer("AT+NONSENSE=1") == PassedThrough((), "ERROR")

    @pytest.mark.parametrize("command", ["+CGMI", "+CGMM", "+CGMR", "+CGSN", "+CIMI", "+CSQ", "+CREG?", "+COPS?"])
    def test_what_hosts_ask_first(self, radio: Radio, command: str) -> None:
        answer = radio.answer("AT" + command)
        assert isinstance(answer, PassedThrough)
        assert answer.lines and answer.final == "OK"

    def test_a_card_that_is_ready_answers_without_ok(self, radio: Radio) -> None:
        """5.57 guide, 2.2."""
        assert radio.answer("AT+CPIN?") == PassedThrough(("+CPIN: READY",), "")

    @pytest.mark.parametrize("dialect", ["wipsoft-5.57", "wipsoft-2.01", "edsoft-3.02"])
    def test_the_rings_before_it_answers_of_itself(self, dialect: str) -> None:
        """ATS0 (V.250, 6.3.8; eDSoft's ch. 2 #ANSWERMODE names it): it never does, and promises nothing else."""
        radio = Radio(registry.load(dialect).tables.virtual_answers)
        assert radio.answer("ATS0=0") == OK
        assert radio.answer("ATS0?") == PassedThrough(("000",), "OK")
        assert radio.answer("ATS0=1") == PassedThrough((), "ERROR")

    def test_patterns_of_the_table_are_no_regular_expressions(self) -> None:
        radio = Radio({"+A.B": LocalAnswer(lines=("yes",))})
        assert radio.answer("AT+AXB") == PassedThrough((), "ERROR")


class TestShortMessages:
    def test_prompt_text_and_number(self, radio: Radio) -> None:
        """``+CMGS: <mr>``: a reference that counts on."""
        for number in (1, 2, 3):
            assert radio.answer('AT+CMGS="+4912345"') == Prompted()
            assert radio.text(b"some text\x1a") == PassedThrough((f"+CMGS: {number}",), "OK")

    @pytest.mark.parametrize("command", ['+CMGS="123"', "+cmgs=24", '+CMGS="123",145', "+CMGW", '+CMGW="123"'])
    def test_what_prompts(self, radio: Radio, command: str) -> None:
        assert radio.answer("AT" + command) == Prompted()

    def test_given_up(self, radio: Radio) -> None:
        """ESC: OK, nothing is sent, and no reference is used up."""
        assert radio.answer('AT+CMGS="123"') == Prompted()
        assert radio.text(b"some te\x1b") == OK
        assert radio.answer('AT+CMGS="123"') == Prompted()
        assert radio.text(b"\x1a") == PassedThrough(("+CMGS: 1",), "OK")

    def test_the_reference_is_a_byte(self, radio: Radio) -> None:
        """3GPP TS 23.040, 9.2.3.6."""
        answers = [radio.text(b"x\x1a") for _ in range(300)]
        numbers = [int(answer.lines[0].removeprefix("+CMGS: ")) for answer in answers]
        assert all(0 <= number <= 255 for number in numbers)

    @pytest.mark.parametrize("command", ["+CMGS=?", "+CMGW=?"])
    def test_the_test_form_does_not_prompt(self, radio: Radio, command: str) -> None:
        """27.005, 3.5.1 and 3.5.3: ``+CMGS=?`` answers OK; a host that only asks would hang in the prompt."""
        assert radio.answer("AT" + command) == OK
        assert radio.answer(f"at {command.lower()}") == OK

    def test_a_message_that_is_stored(self, radio: Radio) -> None:
        """27.005, 3.5.3: ``+CMGW: <index>``."""
        assert radio.answer('AT+CMGW="123"') == Prompted()
        answer = radio.text(b"some text\x1a")
        assert answer.final == "OK"
        assert answer.lines[0].startswith("+CMGW: ")
        assert radio.answer('AT+CMGS="123"') == Prompted()
        assert radio.text(b"some text\x1a").lines == ("+CMGS: 1",), "what is stored uses up no reference"


def test_its_clock_goes_on_from_what_it_is_set_to() -> None:
    for line in ('+CCLK: "26/01/01,00:00:00"', '+CCLK: "26/01/01,00:00:00+00"'):
        radio = Radio({"+CCLK?": LocalAnswer(lines=(line,))})
        assert radio.answer("AT+CCLK?") == PassedThrough((line,), "OK")
        for wrong in ("AT+CCLK=", 'AT+CCLK="31/02/30,00:00:00"', "AT+CCLK=31/05/06,07:08:09"):
            assert radio.answer(wrong) == PassedThrough((), "ERROR")
        assert radio.answer('AT+CCLK="31/05/06,07:08:00+00"') == PassedThrough((), "OK")
        shown = radio.answer("at+cclk?")
        assert isinstance(shown, PassedThrough)
        assert shown.lines[0].startswith('+CCLK: "31/05/06,07:08:0')
        assert shown.lines[0][25:] == line[25:]
