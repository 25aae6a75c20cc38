"""What must not be told to anybody else: every way to say it, before the programs' traces and logs are searched."""

from __future__ import annotations

from support.rig import Terminal

from gateway.dialect import registry
from matrix.scenario import scenario
from matrix.secrets import OTHER_PIN, PIN, STORED
from matrix.stage import Stage

ENDS = (b"\r\nOK\r\n", b"ERROR\r\n", b"ERROR: ")


def _said(line: Terminal, command: bytes) -> None:
    line.say(command)
    if line.until(*ENDS, limit_s=30).endswith(b"ERROR: "):
        line.until(b"\r\n")


@scenario("", bearer=False)
def secrets_are_told(stage: Stage, _: str) -> None:
    """What is not of the dialect passes through; whether the module likes it does not matter here."""
    line = stage.line
    for command in (
        f'AT+CPIN="{PIN}"', f"at+cpin = {PIN}", f'AT+CPIN="{PIN}","{OTHER_PIN}"', f'AT+CPWD="SC","{PIN}","{OTHER_PIN}"',
        f'AT+CLCK="SC",1,"{PIN}"', f'AT+CMEE=1;+CPIN="{PIN}";+CREG?', f'AT+CPIN="{PIN}', f'AT+CPIN="{PIN}";+NONSENSE=1',
        f'AT+CPIN="{OTHER_PIN}x\b"', f"AT+CPIN={PIN}" + " " * 3000,
    ):  # fmt: skip
        _said(line, command.encode() + b"\r")
    for byte in f'AT+CPIN="{PIN}"'.encode():
        line.say(bytes([byte]))
    _said(line, b"\r")
    _said(line, b"A/")


@scenario("", "edsoft", bearer=False)
def secrets_are_stored_and_shown(stage: Stage, _: str) -> None:
    """Every parameter that is one: the host itself may see it (ch. 2)."""
    line, tables = stage.line, registry.load(stage.pair.host).tables
    secret = [name for name, parameter in tables.parameters.items() if parameter.secret]
    assert secret
    before = {name: line.ask(f"AT#{name}?") for name in secret}
    for name in secret:
        _said(line, f'AT#{name}="{STORED}{name}"\r'.encode())
        assert f"{STORED}{name}".encode() in line.ask(f"AT#{name}?")
        _said(line, f'AT#{name}="{STORED}{"x" * 600}"\r'.encode())
    for name, shown in before.items():
        value = shown.decode("latin-1").partition('"')[2].partition('"')[0]
        _said(line, f'AT#{name}="{value}"\r'.encode("latin-1"))
