"""The gateway is the modem: what is not of the dialect, what is wrong in it, and the end."""

from __future__ import annotations

import re

from matrix.host import OK
from matrix.scenario import scenario
from matrix.stage import Stage


@scenario("")
def what_is_not_of_the_dialect(stage: Stage, _: str) -> None:
    """SEMANTICS 1.3: it passes through, also with a prompt, its answer in the host's framing."""
    line = stage.line
    assert re.fullmatch(rb"\r\n\+CSQ: \d+,99\r\n\r\nOK\r\n", line.ask("AT+CSQ"))
    assert re.fullmatch(rb"\r\n\+CREG: \d,\d\r\n\r\nOK\r\n", line.ask("AT+CREG?"))
    line.say(b'AT+CMGS="0123456789"\r')
    assert line.until(b"> ") == b"\r\n> "
    line.say(b"some text\x1a")
    assert re.fullmatch(rb"\r\n\+CMGS: \d+\r\n\r\nOK\r\n", line.until(OK))
    line.say(b'AT+CMGS="0123456789"\r')
    assert line.until(b"> ") == b"\r\n> "
    line.say(b"given up\x1b")
    assert line.until(OK) == OK


@scenario("bearer")
def mistakes(stage: Stage, _: str) -> None:
    stage.host.makes_mistakes(stage.servers.free_port())


@scenario("", bearer=False)
def the_end(stage: Stage, _: str) -> None:
    """CONTRACT, Ready: they end cleanly, and nothing went wrong unsaid."""
    stage.stop()
