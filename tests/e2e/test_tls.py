"""A host's TLS from end to end: whose certificates are believed, and the half-close of RFC 8446, 6.1."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import certificate
from support.rig import Program, Rig, Server, Terminal

HOST = "wipsoft-5.57"
NAME = "secure.example"


@dataclass
class Place:
    """A server whose certificate the user has, and nobody else."""

    server: Server
    authority: str

    @property
    def map(self) -> tuple[str, str]:
        return "--map", f"{NAME}:443=127.0.0.1:{self.server.port}"


@pytest.fixture
def place(rig: Rig, tmp_path: Path) -> Place:
    context, _ = certificate.make(tmp_path, f"DNS:{NAME}")
    server = rig.server(certificate.secured(context, certificate.answer_at_the_end))
    return Place(server, str(tmp_path / "certificate.pem"))


def ways(rig: Rig, place: Place, way: str, *options: str) -> Program:
    """What speaks TLS, and is told how: without a module; the virtual module; the gateway over a module's sockets."""
    if way == "native":
        return rig.native(*place.map, *options, host_dialect=HOST)
    if way == "module":
        module = rig.module(*place.map, *options)
        rig.bridge(host_dialect=HOST)
        return module
    rig.module(*place.map, dialect="wipsoft-2.01")
    return rig.bridge(*options, host_dialect=HOST, module_dialect="wipsoft-2.01")


WAYS = ("native", "module", "polyfilled")


def create(rig: Rig) -> tuple[Terminal, bytes]:
    """The host's way to a socket that speaks TLS, and what it hears of it."""
    host = rig.terminal("host")
    for command in ("AT+CMEE=1", "AT+WIPCFG=1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"):
        assert host.answer(command) == "OK"
    host.say(f'AT+WIPCREATE=9,1,"{NAME}",443\r'.encode())
    return host, host.until(b"+WIPREADY: 9,1\r\n", b"+CME ERROR: 842\r\n")


@pytest.mark.parametrize("way", WAYS)
def test_an_authority_of_the_users_own_and_a_half_close(rig: Rig, place: Place, way: str) -> None:
    """ETX ends the sending; the server then answers, and the answer is read (guide 4111846, 6.2)."""
    ways(rig, place, way, "--ca", place.authority)
    host, heard = create(rig)
    assert heard.endswith(b"+WIPREADY: 9,1\r\n")
    assert host.ask("AT+WIPDATA=9,1,1", b"\r\nCONNECT\r\n")
    host.say(b"reading 0815.4\x03")
    host.until(b"14:reading 0815.4")
    host.until(b"\r\nSHUTDOWN\r\n")
    host.say(b"+++")
    host.until(b"\r\nOK\r\n")
    assert "OK" in host.answer("AT+WIPCLOSE=9,1")


@pytest.mark.parametrize("way", WAYS)
def test_nobody_knows_the_authority(rig: Rig, place: Place, way: str) -> None:
    """The host hears its error, and the user the reason."""
    told = ways(rig, place, way)
    _, heard = create(rig)
    assert heard.endswith(b"+CME ERROR: 842\r\n")
    assert told.complaint().count(f"no TLS with {NAME}: its certificate is not accepted: self-signed certificate") == 1


@pytest.mark.parametrize("way", WAYS)
def test_nobody_need_prove_anything(rig: Rig, place: Place, way: str) -> None:
    told = ways(rig, place, way, "--no-verify")
    _, heard = create(rig)
    assert heard.endswith(b"+WIPREADY: 9,1\r\n")
    assert told.complaint().count("--no-verify") == 1


def test_the_end_is_kept_where_it_would_end_both_directions(rig: Rig, tmp_path: Path) -> None:
    """TLS 1.2: the server's answer to a question is read although the host has ended its sending before."""
    context, _ = certificate.make(tmp_path, f"DNS:{NAME}")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def serve(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"answer to " + connection.recv(100))

    place = Place(rig.server(certificate.secured(context, serve)), str(tmp_path / "certificate.pem"))
    told = ways(rig, place, "native", "--ca", place.authority)
    host, _ = create(rig)
    assert host.ask("AT+WIPDATA=9,1,1", b"\r\nCONNECT\r\n")
    host.say(b"question\x03")
    host.until(b"answer to question")
    host.until(b"\r\nSHUTDOWN\r\n")
    assert "TLS before 1.3 has no half-close" in told.complaint()
