"""A module without a data mode, and a host, that say anything at any time: nothing raises, and all comes to an end."""

from __future__ import annotations

import random

import pytest
from support.sim import CONNECTED, SimBridge

OK = b"\r\nOK\r\n"
ANSWERS = [
    "OK", "ERROR", "+CME ERROR: 3", "+CME ERROR: 2017", "+TCPIP ERROR: 5", "ERROR: 4", "RDY", "+MIPCALL: 0",
    "+MIPCALL: 10.0.0.1", "+MIPCALL: 1,10.0.0.1", "+MIPCALL: 2", "+MIPOPEN: 1,1", "+MIPOPEN: 2,0", "+MIPOPEN: 0",
    '+MIPOPEN: 1,1,"1.2.3.4",5', "+MIPOPEN: 1,2,3", "+MIPSTAT: 1,1", "+MIPSTAT: 2,2", "+MIPSTAT: 1,0,5", "+MIPCLOSE: 1,0",
    "+MIPCLOSE: 2,5,0", "+MIPSEND: 1,0,2000", "+MIPSEND: 1,1,0", "+MIPSEND: 1,0,0", "+MIPSEND: 1,2048", "+MIPPUSH: 1,0",
    "+MIPPUSH: 1,1", "+MIPPUSH: 1,2", "+MIPXOFF: 1", "+MIPXON: 1", "+MIPRTCP: 1,0,4142", "+MIPRTCP: 2,0," + "41" * 500,
    "+MIPRUDP: 1.2.3.4,5,1,0,4142", "+MIPRUDP: 1.2.3.4,5,1,7," + "41" * 2048, "+MPING: 1.2.3.4,0,0,5", "+MPINGSTAT: 1",
    '+MPINGSTAT: 0,"1.2.3.4",1,1,5', "+MPINGSTAT: 2", '+MIPDNS: "a",1.2.3.4', "+MIPDNS: a", "> ", ">", "CONNECT",
    "+CREG: 0,1", "+MIPNTP: 1", '+CCLK: "26/13/01,00:00:00+00"', "+MIPSEND: x,y,z", "+MIPSTAT: 9,9", "+MIPREAD: 1,5",
]  # fmt: skip
HOSTS = {
    "edsoft-3.02": [
        'AT#TCPSERV=1,"1.2.3.4";#TCPPORT=1,80;#UDPSERV="1.2.3.4";#UDPPORT=5;#PINGREMOTE="a.b"\r', "AT#CONNECTIONSTART\r",
        "AT#CONNECTIONSTOP\r", "AT#OTCP=1\r", "AT#OUDP\r", "AT#LTCPSTART=1\r", "AT#LUDPSTART\r", "AT#PING\r", "data",
        "x" * 3000, "\x03", "+++", "AT+CSQ\r", "AT#LTCPSTOP\r",
    ],
    "wipsoft-5.57": [
        "AT+WIPCFG=1\r", "AT+WIPBR=1,6\r", "AT+WIPBR=4,6,0\r", "AT+WIPBR=5,6\r", 'AT+WIPCREATE=2,1,"a.b",80\r',
        'AT+WIPCREATE=2,2,"1.2.3.4",80\r', "AT+WIPCREATE=1,1,5000\r", 'AT+WIPCREATE=1,2,"1.2.3.4",5\r',
        "AT+WIPCREATE=3,1,5000,3,4\r", "AT+WIPDATA=2,1,1\r", "AT+WIPDATA=1,1,1\r", "AT+WIPDATA=2,3,1\r", "data",
        "x" * 3000, "\x03", "+++", "AT+WIPCLOSE=2,1\r", "AT+WIPCLOSE=3,1\r", 'AT+WIPPING="a.b",2,100,100\r', "AT+CSQ\r",
        "AT+WIPDATA=2,1,3\r", 'AT+WIPDATARW=1,1,"4142"\r',
    ],
}  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("seed", range(25))
def test_nothing_that_is_said_harms(host: str, seed: int) -> None:
    chance = random.Random(seed)
    sim = SimBridge(host, "fibocom-l610")
    sim.start(connected=chance.random() < 0.6)
    for text in HOSTS[host][:2]:
        sim.host(text.encode("latin-1"))
    for _ in range(chance.randrange(20, 200)):
        _something(sim, chance, HOSTS[host])
    sim.bridge.finish(sim.now)
    sim._collect()
    for _ in range(150):
        while sim.module_hears() is not None:
            sim.module(OK)
        sim.wait(1)
    assert sim.bridge.finished


def _something(sim: SimBridge, chance: random.Random, commands: list[str]) -> None:
    match chance.randrange(20):
        case 0 | 1 | 2 | 3 | 4:
            sim.host(chance.choice(commands).encode("latin-1"))
        case 5 | 6 | 7 | 8 | 9:
            asked = sim.module_hears()
            sim.module(CONNECTED.get(asked or b"", b"") + OK)
        case 10 | 11 | 12 | 13 | 14:
            sim.module_hears()
            sim.module(b"\r\n%s\r\n" % chance.choice(ANSWERS).encode("latin-1"))
        case 15:
            sim.module(chance.randbytes(chance.randrange(30)))
        case 16 if chance.random() < 0.3:
            for there in (False, True):
                sim.bridge.module_link(there, sim.now)
                sim._collect()
        case _:
            sim.wait(chance.choice([0.05, 0.3, 1.2, 5, 40]))
