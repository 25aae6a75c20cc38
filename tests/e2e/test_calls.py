"""A telephone rings, and the host is called back: real programs, the network of this computer."""

from __future__ import annotations

import re

import pytest
from support.rig import Rig

CALLER = "0860000001"


@pytest.mark.parametrize("module", ["wipsoft-5.57", "edsoft-3.02", "fibocom-l610"])
def test_called_back_by_gprs(rig: Rig, module: str) -> None:
    """S000333 ch. 2 #ANSWERMODE 2: not answered, and when it is quiet a connection as of #CONNECTIONSTART."""
    rig.module("--fault", f"call=+CSCS:{CALLER}:1", dialect=module)
    rig.bridge(module_dialect=module)
    host = rig.terminal("host")
    assert host.answer("ATE0").endswith("OK")
    assert host.answer(f'AT+CLIP=1;#ANSWERMODE=2;#RINGCOUNT=1;#CALLSCREENNUM="{CALLER}";#GPRSMODE=1') == "OK"
    host.say(b'AT+CSCS="GSM"\r')
    said = host.until(b"Ok_Info_GprsActivation\r\n", limit_s=40)
    begin = f'\r\nOK\r\n\r\nRING\r\n\r\n+CLIP: "{CALLER}",129\r\n'.encode()
    assert re.fullmatch(re.escape(begin) + rb"\r\n[\d.]+\r\n\r\nOk_Info_GprsActivation\r\n", said), said
    assert host.answer("AT#VSTATE").startswith('#STATE: "CONNECTED"')


@pytest.mark.parametrize("module", ["wipsoft-5.57", "edsoft-3.02"])
def test_the_caller_is_called_back(rig: Rig, module: str) -> None:
    """#ANSWERMODE 3: who called is dialled."""
    rig.module("--fault", f"call=+CSCS:{CALLER}:1", dialect=module)
    rig.bridge(module_dialect=module)
    host = rig.terminal("host")
    assert host.answer("ATE0").endswith("OK")
    assert host.answer('AT+CLIP=1;#ANSWERMODE=3;#RINGCOUNT=1;#CALLSCREENNUM="*"') == "OK"
    host.say(b'AT+CSCS="GSM"\r')
    said = host.until(b"Ok_Info_PPP\r\n", limit_s=40)
    assert f"\r\nDIALING\r\n\r\n{CALLER}\r\n".encode() in said


def test_nobody_calls_without_a_module(rig: Rig) -> None:
    """A setting for calls that cannot come is no silent OK where the policy is strict."""
    rig.native("--policy", "strict")
    host = rig.terminal("host")
    assert host.answer("ATE0").endswith("OK")
    assert host.answer("AT#ANSWERMODE=1").endswith("#CME ERROR: 36872")
    assert host.answer("AT#ACCEPT").endswith("#CME ERROR: 36872")
