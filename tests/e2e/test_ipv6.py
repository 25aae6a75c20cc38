"""A Fibocom host's IPv6 from end to end, on loopback (L610 manual 1.1.2, 1.1.14, 1.1.17, 1.1.21; F09, F60).

The other dialects' manuals know IPv4 alone.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import certificate
from support.rig import LIMIT_S, Rig, Terminal, read_exactly
from support.system import needs_ipv6

HOST = "fibocom-l610"
OK = b"\r\nOK\r\n"
LOOPBACK = "0:0:0:0:0:0:0:1"
LOCAL = ("--address", "127.0.0.1", "--address6", "::1")

pytestmark = needs_ipv6


@contextmanager
def peer(kind: int = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    """A peer's socket of IPv6, listening where it is TCP's."""
    with socket.socket(socket.AF_INET6, kind) as made:
        made.bind(("::1", 0))
        made.settimeout(LIMIT_S)
        if kind == socket.SOCK_STREAM:
            made.listen()
        yield made


def port_of(made: socket.socket) -> int:
    port: int = made.getsockname()[1]
    return port


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET6, kind) as probe:
        probe.bind(("::1", 0))
        return port_of(probe)


@pytest.fixture(params=["native", "module", "bridge"])
def host(request: pytest.FixtureRequest, rig: Rig) -> Terminal:
    """No module; the virtual module; a gateway with a module of the host's own dialect."""
    if request.param == "native":
        rig.native(*LOCAL, host_dialect=HOST)
    else:
        rig.module(*LOCAL, dialect=HOST)
    if request.param == "bridge":
        rig.bridge(host_dialect=HOST, module_dialect=HOST)
    terminal = rig.terminal("module" if request.param == "module" else "host")
    assert terminal.answer("ATE0;+CMEE=1").endswith("OK")
    return terminal


def up(host: Terminal, operation: int) -> str:
    """Bring the link up; the addresses that are told."""
    assert host.ask(f'AT+MIPCALL={operation},"apn"').endswith(OK)
    host.until(b"\r\n+MIPCALL: ")
    return host.until(b"\r\n").decode().strip()


def test_one_address_or_two(host: Terminal) -> None:
    own6 = up(host, 2)
    assert len(own6.split(":")) == 8
    assert host.answer("AT+MIPCALL?") == f"+MIPCALL: 1,{own6} | OK"
    assert host.ask("AT+MIPCALL=0") == OK
    host.until(b"\r\n+MIPCALL: 0\r\n")
    own4, _, also6 = up(host, 3).partition(",")
    assert own4.count(".") == 3 and also6 == own6


def test_tcp_and_udp(host: Terminal) -> None:
    up(host, 3)
    with peer() as server, peer(socket.SOCK_DGRAM) as far:
        assert host.ask(f'AT+MIPOPEN=1,,"::1",{port_of(server)},60') == OK
        host.until(b"\r\n+MIPOPEN: 1,1\r\n")
        connection, _ = server.accept()
        assert host.answer('AT+MIPSEND=1,"616263";+MIPPUSH=1').endswith("OK")
        assert read_exactly(connection, 3) == b"abc"
        connection.sendall(b"xyz")
        host.until(b"\r\n+MIPRTCP: 1,0,78797A\r\n")
        connection.close()
        host.until(b"\r\n+MIPSTAT: 1,1\r\n")
        assert host.ask(f'AT+MIPOPEN=2,,"{LOOPBACK}",{port_of(far)},61') == OK
        host.until(b"\r\n+MIPOPEN: 2,1\r\n")
        assert host.answer('AT+MIPSEND=2,"6869";+MIPPUSH=2').endswith("OK")
        data, sender = far.recvfrom(100)
        assert data == b"hi"
        far.sendto(b"ho", sender)
        host.until(f"\r\n+MIPRUDP: {LOOPBACK},{port_of(far)},2,0,686F\r\n".encode())


def test_who_calls(host: Terminal) -> None:
    """A listener of each kind; who called, and who sent, is told in all eight groups."""
    up(host, 2)
    tcp, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)
    assert host.ask(f'AT+MIPOPEN=1,{tcp},"::",0,60') == OK
    with socket.create_connection(("::1", tcp), LIMIT_S) as caller:
        own = caller.getsockname()[1]
        host.until(f"\r\n+MIPOPEN: 1,1,{LOOPBACK},{own}\r\n".encode())
        caller.sendall(b"call")
        host.until(b"\r\n+MIPRTCP: 1,0,63616C6C\r\n")
    host.until(b"\r\n+MIPSTAT: 1,1\r\n")
    assert host.ask(f'AT+MIPOPEN=2,{udp},"",0,61') == OK
    host.until(b"\r\n+MIPOPEN: 2,1\r\n")
    with peer(socket.SOCK_DGRAM) as far:
        far.sendto(b"who", ("::1", udp))
        host.until(f"\r\n+MIPRUDP: {LOOPBACK},{port_of(far)},2,0,77686F\r\n".encode())
        assert host.answer('AT+MIPSEND=2,"6D65";+MIPPUSH=2').endswith("OK")
        assert far.recv(100) == b"me"


def test_a_link_carries_what_it_was_asked_for(host: Terminal) -> None:
    """IPv6 over a link of IPv4 finds nobody, and the other way round (F15: +MIPSTAT for what the network says)."""
    with peer() as server:
        for operation, command in ((1, f'"::1",{port_of(server)},60'), (2, f'"127.0.0.1",{port_of(server)},0')):
            up(host, operation)
            assert host.ask(f"AT+MIPOPEN=1,,{command}") == OK
            host.until(b"\r\n+MIPSTAT: 1,1\r\n")
            assert host.ask("AT+MIPCALL=0") == OK
            host.until(b"\r\n+MIPCALL: 0\r\n")


def test_ping(host: Terminal) -> None:
    up(host, 2)
    assert host.ask('AT+MPING=2,"::1",1') == OK
    host.until(f"\r\n+MPING: {LOOPBACK},129,0,".encode())
    host.until(f'\r\n+MPINGSTAT: 0,"{LOOPBACK}",1,1,'.encode())


def test_names_and_tls(rig: Rig, tmp_path: Path) -> None:
    """A name that the user maps to an address of IPv6; its certificate is the name's."""
    context, _ = certificate.make(tmp_path, "DNS:six.example")
    with peer() as server:
        rig.native(
            *LOCAL, "--map", f"six.example:*=[::1]:{port_of(server)}", "--ca", str(tmp_path / "certificate.pem"),
            host_dialect=HOST,
        )  # fmt: skip
        host = rig.terminal("host")
        up(host, 2)
        assert host.answer('AT+MIPDNS="six.example",1').endswith(f'+MIPDNS: "six.example",{LOOPBACK} | OK')
        assert host.ask('AT+MIPOPEN=1,,"six.example",443,62').endswith(OK)
        connection, _ = server.accept()
        with context.wrap_socket(connection, server_side=True) as inner:
            inner.sendall(b"safe")
            host.until(b"\r\n+MIPRTCP: 1,0,73616665\r\n")


def test_a_name_server_of_the_hosts(rig: Rig) -> None:
    """+MSV6DNS: the server is asked, by IPv6."""
    with peer(socket.SOCK_DGRAM) as server:
        rig.native(*LOCAL, "--map", f"[2001:db8::53]:53=[::1]:{port_of(server)}", host_dialect=HOST)
        host = rig.terminal("host")
        assert host.answer('AT+MSV6DNS=7,"2001:db8:0:0:0:0:0:53"').endswith("OK")
        up(host, 3)
        host.say(b'AT+MIPDNS="name.example",1\r')
        question, sender = server.recvfrom(512)
        assert b"\x04name\x07example\x00\x00\x1c\x00\x01" in question
        head = question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0"
        record = b"\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10"
        server.sendto(head + question[12:] + record + socket.inet_pton(socket.AF_INET6, "2001:db8::7"), sender)
        host.until(b'+MIPDNS: "name.example",2001:DB8:0:0:0:0:0:7\r\n')


def test_a_module_that_has_none(rig: Rig) -> None:
    """Refused at once, with the host's own code for what is not supported."""
    rig.module("--address", "127.0.0.1")
    rig.bridge(host_dialect=HOST)
    host = rig.terminal("host")
    host.ask("AT+CMEE=1")
    assert host.answer('AT+MIPCALL=2,"apn"').endswith("+CME ERROR: 4")
    up(host, 1)
    for command in (
        '+MIPOPEN=1,,"::1",80,60', '+MIPOPEN=1,5000,,0,61', '+MIPODM=1,,"::1",80,60', '+MPING=2,"::1"',
        '+MIPDNS="a.example",1', '+MIPNTP="a.example",123,1',
    ):  # fmt: skip
        assert host.answer(f"AT{command}").endswith("+CME ERROR: 4"), command
    assert host.answer('AT+MIPOPEN=1,,"::1",80,0').endswith("+CME ERROR: 2000")


@pytest.mark.parametrize("way", ["native", "bridge"])
def test_a_host_whose_manual_knows_ipv4_alone(rig: Rig, way: str) -> None:
    """An address of IPv6 is to it a name that nobody has."""
    with peer() as server:
        if way == "native":
            rig.native(*LOCAL, host_dialect="wipsoft-5.57")
        else:
            rig.module(*LOCAL)
            rig.bridge(host_dialect="wipsoft-5.57")
        host = rig.terminal("host")
        for command in ("AT+CMEE=1", "AT+WIPCFG=1", "AT+WIPBR=1,6", "AT+WIPBR=4,6,0"):
            assert host.answer(command) == "OK"
        assert host.answer(f'AT+WIPCREATE=2,1,"::1",{port_of(server)}') == "OK"
        host.until(b"\r\n+CME ERROR: 842\r\n")
        assert host.answer('AT+WIPPING="::1"').endswith("+CME ERROR: 819")
