"""A virtual WIPSoft 5.57 module: states, indices, errors, data modes as the guide 4111846 has them."""

from __future__ import annotations

import pytest
from support.fake import CLOSED, UNKNOWN, SimModule

from gateway.model.causes import Cause
from gateway.model.events import BearerLost, DataWaiting, Incoming, PeerClosed, Received, SocketLost
from gateway.model.requests import AcceptTcp, ListenTcp, OpenUdp, RefuseTcp, ShutdownTcp, StartBearer
from gateway.model.values import BearerKind, Endpoint


class TestStackAndBearers:
    """§4.1 and §4.2."""

    def test_each_step_has_its_state(self) -> None:
        sim = SimModule()
        assert sim.ask("AT+WIPBR=1,6") == "ERROR"
        sim.ask("AT+CMEE=1")
        for command, answer in [
            ("AT+WIPCFG=0", "+CME ERROR: 852"),
            ("AT+WIPBR=1,6", "+CME ERROR: 803"),
            ("AT+WIPCFG=1", "OK"),
            ("AT+WIPCFG=1", "+CME ERROR: 844"),
            ("AT+WIPBR?", "OK"),
            ("AT+WIPBR=4,6,0", "+CME ERROR: 803"),
            ("AT+WIPBR=1,6", "OK"),
            ("AT+WIPBR=1,6", "+CME ERROR: 804"),
            ("AT+WIPBR=1,3", "+CME ERROR: 800"),
            ("AT+WIPBR?", "6,0 | OK"),
            ("AT+WIPBR=5,6", "+CME ERROR: 803"),
            ('AT+WIPCREATE=2,1,"h",80', "+CME ERROR: 803"),
            ("AT+WIPBR=4,6,1", "+CME ERROR: 801"),
            ("AT+WIPBR=4,6", "+CME ERROR: 851"),
            ("AT+WIPBR=4,6,0", "OK"),
            ("AT+WIPBR=4,6,0", "+CME ERROR: 803"),
            ("AT+WIPBR?", "6,1 | OK"),
            ("AT+WIPBR=1,5", "OK"),
            ("AT+WIPBR=4,5,0", "+CME ERROR: 803"),
            ("AT+WIPBR=5,6", "OK"),
            ("AT+WIPBR=0,6", "OK"),
            ("AT+WIPBR=0,6", "+CME ERROR: 803"),
            ("AT+WIPCFG=0", "OK"),
        ]:
            assert sim.ask(command) == answer, command

    def test_options_of_a_bearer(self) -> None:
        sim = SimModule()
        sim.ask("AT+CMEE=1;+WIPCFG=1;+WIPBR=1,6")
        for command, answer in [
            ('AT+WIPBR=2,6,11,"APN name"', "OK"),
            ("AT+WIPBR=3,6,11", '+WIPBR: 6,11,"APN name" | OK'),
            ("AT+WIPBR=2,6,11,internet", "OK"),
            ("AT+WIPBR=2,6,12,5", "+CME ERROR: 801"),
            ('AT+WIPBR=2,6,12,"2"', "OK"),
            ("AT+WIPBR=3,6,12", "+WIPBR: 6,12,2 | OK"),
            ("AT+WIPBR=2,6,3,1", "+CME ERROR: 800"),
            ("AT+WIPBR=2,6,99,1", "+CME ERROR: 800"),
            ("AT+WIPBR=2,6,24,1", "+CME ERROR: 800"),
            ("AT+WIPBR=2,6,21,299", "+CME ERROR: 801"),
            (f'AT+WIPBR=2,6,0,"{"x" * 51}"', "+CME ERROR: 801"),
            ("AT+WIPBR=3,6,15", '+WIPBR: 6,15,"0.0.0.0" | OK'),
        ]:
            assert sim.ask(command) == answer, command
        assert sim.ask("AT+WIPBR=4,6,0") == "OK"
        assert sim.ask("AT+WIPBR=3,6,15") == '+WIPBR: 6,15,"10.0.0.1" | OK'
        request = next(request for request in sim.requests if isinstance(request, StartBearer))
        assert (request.kind, request.access_point, request.context_id) == (BearerKind.GPRS, "internet", 2)

    @pytest.mark.parametrize(
        ("cause", "code"), [(Cause.BEARER_FAILED, 848), (Cause.SIM_NOT_READY, 811), (Cause.LINE_BUSY, 807)]
    )
    def test_a_refused_bearer_has_its_code(self, cause: Cause, code: int) -> None:
        sim = SimModule()
        sim.refuse[StartBearer] = cause
        sim.ask("AT+CMEE=1;+WIPCFG=1;+WIPBR=1,6")
        assert sim.ask("AT+WIPBR=4,6,0") == f"+CME ERROR: {code}"

    def test_options_of_the_stack(self) -> None:
        sim = SimModule()
        assert sim.ask("AT+WIPCFG=2,0,10") == "ERROR"
        sim.ask("AT+CMEE=1;+WIPCFG=1")
        listing = sim.ask("AT+WIPCFG?").split(" | ")
        assert listing[:7] == ["+WIPCFG: 0,64", "+WIPCFG: 1,0", "+WIPCFG: 2,60", "+WIPCFG: 3,0", "+WIPCFG: 4,536",
                               "+WIPCFG: 5,0", "+WIPCFG: 6,20"]  # fmt: skip
        assert "+WIPCFG: 22,0.0.0.0" in listing
        for command, answer in [
            ("AT+WIPCFG=2,0,10", "OK"),
            ("AT+WIPCFG=2,0,256", "+CME ERROR: 801"),
            ("AT+WIPCFG=2,18,1", "+CME ERROR: 800"),
            ("AT+WIPCFG=2,40,1", "+CME ERROR: 800"),
            ("AT+WIPCFG=3", "WIP Soft v553 on Open AT OS v640 | Nov 29 2011 17:26:28 | OK"),
            ("AT+WIPCFG=5", "+CME ERROR: 801"),
            ("AT+WIPCFG=?", "OK"),
        ]:
            assert sim.ask(command) == answer, command

    def test_what_is_stored_comes_back_with_the_next_start(self) -> None:
        sim = SimModule()
        sim.ask("AT+WIPCFG=1;+WIPBR=1,6")
        sim.ask('AT+WIPCFG=2,0,10;+WIPBR=2,6,11,"kept"')
        assert sim.ask("AT+WIPCFG=4,1;+WIPBR=6,6,1") == "OK"
        sim.ask("AT+WIPCFG=2,0,11")
        again = SimModule(stored=sim.kept)
        again.ask("AT+WIPCFG=1;+WIPBR=1,6")
        assert again.ask("AT+WIPBR=3,6,11") == '+WIPBR: 6,11,"kept" | OK'
        assert again.ask("AT+WIPCFG?").startswith("+WIPCFG: 0,10")

    def test_sock_max_counts_from_the_next_start(self) -> None:
        """The worked example of §9.14."""
        sim = SimModule().up()
        assert sim.ask("AT+WIPCFG=2,6,3") == "OK"
        assert sim.ask("AT+WIPCFG=4,1;+WIPCFG=0;+WIPCFG=1;+WIPBR=1,6;+WIPBR=4,6,0") == "OK"
        for index in (1, 2, 3):
            assert sim.ask(f'AT+WIPCREATE=1,{index},{54 + index},"192.168.0.1",{74 + index}').startswith("OK")
        assert sim.ask('AT+WIPCREATE=1,4,58,"192.168.0.1",78') == "+CME ERROR: 838"


class TestSockets:
    def test_an_own_port_that_somebody_else_has(self) -> None:
        sim = SimModule().up()
        sim.refuse[OpenUdp] = Cause.OPEN_FAILED
        assert sim.ask("AT+WIPCREATE=1,1,80") == "OK | +CME ERROR: 832"
        sim.refuse[OpenUdp] = Cause.NAME_NOT_RESOLVED
        assert sim.ask('AT+WIPCREATE=1,1,80,"nobody.example",80') == "OK | +CME ERROR: 842"

    """§5.1 and §5.2."""

    def test_all_sockets_at_once(self) -> None:
        """The worked example of §9.13."""
        sim = SimModule().up()
        for i in range(1, 9):
            assert sim.ask(f'AT+WIPCREATE=1,{i},{54 + i},"192.168.0.1",{74 + i}') == f"OK | +WIPREADY: 1,{i}"
        assert sim.ask('AT+WIPCREATE=1,9,63,"192.168.0.1",83') == "+CME ERROR: 830"
        for i in range(1, 5):
            assert sim.ask(f"AT+WIPCREATE=3,{i},{79 + i},{i},{i}") == "OK"
        assert sim.ask("AT+WIPCREATE=3,5,84,5,5") == "+CME ERROR: 830"
        assert sim.ask('AT+WIPCREATE=2,1,"192.168.0.1",80') == "+CME ERROR: 845"
        servers = [request.listener for request in sim.requests if isinstance(request, ListenTcp)]
        for i, listener in enumerate(servers, 1):
            said = sim.happens(Incoming(listener, i, Endpoint("10.0.0.9", 1000 + i)))
            assert said == f"\r\n+WIPACCEPT: {i},{i}\r\n".encode()
        for i in range(5, 9):
            assert sim.ask(f'AT+WIPCREATE=2,{i},"192.168.0.1",80') == f"OK | +WIPREADY: 2,{i}"
        assert sim.ask('AT+WIPCREATE=2,8,"192.168.0.1",80') == "+CME ERROR: 840"
        assert sim.ask('AT+WIPCREATE=2,9,"192.168.0.1",80') == "+CME ERROR: 830"

    def test_a_range_stays_reserved_until_all_is_closed(self) -> None:
        sim = SimModule().up()
        assert sim.ask("AT+WIPCREATE=3,2,80,1,2") == "OK"
        listener = sim.sockets[-1]
        sim.happens(Incoming(listener, 1, Endpoint("10.0.0.9", 1)))
        assert sim.ask('AT+WIPCREATE=2,3,"198.168.0.1",80') == "OK | +WIPREADY: 2,3"
        assert sim.ask("AT+WIPCLOSE=3,1") == "OK"
        assert sim.ask("AT+WIPCREATE=3,1,81,2,3") == "+CME ERROR: 845"
        assert sim.ask("AT+WIPCLOSE=3,2") == "OK"
        assert sim.ask('AT+WIPCREATE=2,2,"h",80') == "+CME ERROR: 845"
        assert sim.ask("AT+WIPCLOSE=2,1") == "OK"
        assert sim.ask('AT+WIPCREATE=2,2,"h",80') == "OK | +WIPREADY: 2,2"

    def test_a_peer_beyond_the_range_is_shut_down_at_once(self) -> None:
        sim = SimModule().up()
        sim.ask("AT+WIPCREATE=3,1,80,5,6")
        listener = sim.sockets[-1]
        for connection in (1, 2, 3):
            sim.happens(Incoming(listener, connection, Endpoint("10.0.0.9", connection)))
        assert [type(request) for request in sim.requests[-3:]] == [AcceptTcp, AcceptTcp, RefuseTcp]
        sim.ask("AT+WIPCLOSE=2,5")
        assert sim.happens(Incoming(listener, 4, Endpoint("10.0.0.9", 4))) == b"\r\n+WIPACCEPT: 1,5\r\n"

    @pytest.mark.parametrize(
        ("form", "local_port", "peer"),
        [
            ("AT+WIPCREATE=1,1", None, None),
            ("AT+WIPCREATE=1,1,80", 80, None),
            ('AT+WIPCREATE=1,1,"h",90', None, Endpoint("h", 90)),
            ('AT+WIPCREATE=1,1,,"h",90', None, Endpoint("h", 90)),
            ('AT+WIPCREATE=1,1,80,"h",90', 80, Endpoint("h", 90)),
            ('AT+WIPCREATE=1,1, ,"h",90', None, Endpoint("h", 90)),
        ],
    )
    def test_forms_of_a_udp_socket(self, form: str, local_port: int | None, peer: Endpoint | None) -> None:
        sim = SimModule().up()
        assert sim.ask(form) == "OK | +WIPREADY: 1,1"
        request = sim.requests[-1]
        assert (request.local_port, request.peer) == (local_port, peer)  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("AT+WIPCREATE", "ERROR"),
            ("AT+WIPCREATE=", "+CME ERROR: 837"),
            ("AT+WIPCREATE=10,1", "+CME ERROR: 837"),
            ('AT+WIPCREATE=2,1,"h"', "+CME ERROR: 851"),
            ('AT+WIPCREATE=2,1,"h",80,1', "+CME ERROR: 851"),
            ('AT+WIPCREATE=2,1,"h",0', "+CME ERROR: 832"),
            ('AT+WIPCREATE=2,1,"h",65536', "+CME ERROR: 832"),
            ('AT+WIPCREATE=2,1,"h,80', "ERROR"),
            ('AT+WIPCREATE=2,0,"h",80', "+CME ERROR: 830"),
            ("AT+WIPCREATE=3,1,80,6,5", "+CME ERROR: 830"),
            ("AT+WIPCREATE=3,1,80,5,9", "+CME ERROR: 830"),
            ('AT+WIPCREATE=4,1,"ftp",,"u"', "+CME ERROR: 851"),
            ('AT+WIPCREATE=9,1,"h"', "+CME ERROR: 851"),
            ("AT+WIPNONSENSE=1", "ERROR"),
            ("AT+WIPCLOSE", "ERROR"),
            ("AT+WIPCLOSE=2,5", "OK"),
            ("AT+WIPCLOSE=4,1", "+CME ERROR: 831"),
            ("AT+WIPCLOSE=2,9", "+CME ERROR: 830"),
            ("AT+WIPCLOSE=10,1", "+CME ERROR: 837"),
            ("AT+WIPDATA=2,1,1", "+CME ERROR: 831"),
            ("AT+WIPDATA=3,1,1", "+CME ERROR: 837"),
            ("AT+WIPDATARW=0,1", "+CME ERROR: 831"),
            ("AT+WIPOPT=2,1,1,8", "+CME ERROR: 830"),
            ('AT+WIPFILE=4,1,1,"f"', "+CME ERROR: 831"),
        ],
    )
    def test_refusals(self, command: str, answer: str) -> None:
        assert SimModule().up().ask(command) == answer

    def test_how_a_failed_open_is_told(self) -> None:
        for name in (UNKNOWN, CLOSED):
            sim = SimModule().up()
            assert sim.ask(f'AT+WIPCREATE=2,1,"{name}",80') == "OK | +CME ERROR: 842"
            assert sim.ask('AT+WIPCREATE=2,1,"h",80') == "OK | +WIPREADY: 2,1"
        line = SimModule(switches={"connect_failure": "error_line"}).up()
        assert line.ask(f'AT+WIPCREATE=2,1,"{CLOSED}",80') == "OK | +WIPERROR: 2,1,842"
        close = SimModule(switches={"connect_failure": "peer_close"}).up()
        assert close.ask(f'AT+WIPCREATE=2,1,"{CLOSED}",80') == "OK | +WIPPEERCLOSE: 2,1"

    def test_the_list_of_sockets(self) -> None:
        sim = SimModule().up()
        sim.ask("AT+WIPCREATE=3,1,80,3,4")
        sim.happens(Incoming(sim.sockets[-1], 1, Endpoint("192.168.0.2", 9)))
        sim.ask('AT+WIPCREATE=1,1,1234;+WIPCREATE=1,2,"h",80')
        assert sim.ask("AT+WIPCREATE?") == (
            '+WIPSERV: 1,1,1234 | +WIPREADY: 1,2,"h" | +WIPREADY: 2,3,"192.168.0.2" | +WIPSERV: 3,1,80,3,4 | OK'
        )

    def test_options_of_a_socket(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"10.1.1.1",80;+WIPCREATE=1,1,1234;+WIPCREATE=3,1,81,5,5')
        for command, answer in [
            ("AT+WIPOPT=2,1,2,8,20", "OK"),
            ("AT+WIPOPT=2,1,1,8", "+WIPOPT: 2,8,20 | OK"),
            ("AT+WIPOPT=2,1,1,0", "+WIPOPT: 2,0,40000 | OK"),
            ("AT+WIPOPT=2,1,1,1", "+WIPOPT: 2,1,80 | OK"),
            ("AT+WIPOPT=2,1,1,2", '+WIPOPT: 2,2,"10.1.1.1" | OK'),
            ("AT+WIPOPT=1,1,1,3", "+WIPOPT: 1,3,0 | OK"),
            ("AT+WIPOPT=1,1,2,1,80", "+CME ERROR: 800"),
            ("AT+WIPOPT=3,1,1,0", "+WIPOPT: 3,0,81 | OK"),
            ("AT+WIPOPT=3,1,1,1", "+CME ERROR: 800"),
            ("AT+WIPOPT=2,1,2,8,256", "+CME ERROR: 801"),
            ("AT+WIPOPT=2,1,1,5", "+CME ERROR: 800"),
            ("AT+WIPOPT=2,1,3,8", "+CME ERROR: 801"),
        ]:
            assert sim.ask(command) == answer, command


def mapped(sim: SimModule, command: str = "AT+WIPDATA=2,1,1") -> SimModule:
    assert sim.ask('AT+WIPCREATE=2,1,"h",80').startswith("OK")
    assert sim.ask(command) == "CONNECT"
    return sim


class TestData:
    """§6.2."""

    def test_continuous_both_ways_and_back(self) -> None:
        sim = mapped(SimModule().up())
        sim.say(b"a\x10\x03b\x10\x10c")
        assert sim.sent == [(1, b"a\x03b\x10c")]
        assert sim.happens(Received(sim.sockets[0], b"x\x03\x10")) == b"x\x10\x03\x10\x10"
        sim.wait(1.5)
        sim.say(b"+++")
        assert sim.wait(0.9) == b""
        assert sim.wait(0.2) == b"\r\nOK\r\n"
        assert sim.sent[-1] == (1, b"+++")  # option 13 is 0: the signs go to the peer too (§6.2.4)
        assert sim.ask("AT+WIPDATA=2,1,2") == "CONNECT"

    def test_the_signs_are_not_sent_with_option_13(self) -> None:
        sim = SimModule().up()
        assert sim.ask("AT+WIPCFG=2,13,1") == "OK"
        mapped(sim)
        sim.wait(1.5)
        sim.say(b"+++")
        assert sim.wait(1.1) == b"\r\nOK\r\n"
        assert sim.sent == []

    def test_an_etx_ends_the_sending_alone(self) -> None:
        sim = mapped(SimModule().up())
        sim.say(b"last\x03")
        assert sim.sent == [(1, b"last")]
        assert isinstance(sim.requests[-1], ShutdownTcp)
        assert sim.happens(Received(sim.sockets[0], b"answer")) == b"answer"

    @pytest.mark.parametrize(
        ("reading", "text"), [("shutdown", b"\r\nSHUTDOWN\r\n"), ("etx", b"\x03"), ("both", b"\r\nSHUTDOWN\r\n\x03")]
    )
    def test_the_peers_end(self, reading: str, text: bytes) -> None:
        sim = mapped(SimModule(switches={"peer_shutdown": reading}).up())
        assert sim.happens(PeerClosed(sim.sockets[0])) == text
        sim.say(b"+++")  # at once, without the guard time
        assert sim.read() == b"\r\nOK\r\n\r\n+WIPPEERCLOSE: 2,1\r\n"
        assert sim.ask("AT+WIPCLOSE=2,1") == "OK"

    @pytest.mark.parametrize(("reading", "text"), [("shutdown", b"\r\nSHUTDOWN\r\n"), ("etx", b"\x03")])
    def test_the_peers_end_ends_the_data_mode_with_option_14(self, reading: str, text: bytes) -> None:
        sim = SimModule(switches={"peer_shutdown": reading}).up()
        assert sim.ask("AT+WIPCFG=2,14,1") == "OK"
        mapped(sim)
        assert sim.happens(PeerClosed(sim.sockets[0])) == text + b"\r\nOK\r\n\r\n+WIPPEERCLOSE: 2,1\r\n"
        assert sim.ask("AT+WIPCLOSE=2,1") == "OK"

    def test_a_reset(self) -> None:
        sim = mapped(SimModule().up())
        assert sim.happens(SocketLost(sim.sockets[0], Cause.RESET)) == b"\x03\r\n+CME ERROR: 843\r\n"
        assert sim.ask("AT+WIPDATA=2,1,1") == "+CME ERROR: 831"

    def test_transparent(self) -> None:
        sim = mapped(SimModule().up(), "AT+WIPDATA=2,1,2")
        every = bytes(range(256))
        sim.say(every)
        assert sim.sent == [(1, every)]
        assert sim.happens(Received(sim.sockets[0], every)) == every

    def test_segments(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"h",80;+WIPCREATE=1,1,"h",80')
        assert sim.ask("AT+WIPDATA=2,1,1,1100,5") == "+CME ERROR: 847"
        assert sim.ask("AT+WIPDATA=1,1,1,20,5") == "ERROR"
        assert sim.ask("AT+WIPDATA=2,1,0,20,5") == "ERROR"
        assert sim.ask("AT+WIPDATA=2,1,4") == "+CME ERROR: 801"  # no such mode, not one value too many
        assert sim.ask("AT+WIPDATA=2,1,1,20,5") == "CONNECT"
        sim.say(b"x" * 50)
        assert [len(data) for _, data in sim.sent] == [40]
        sim.wait(0.5)
        assert [len(data) for _, data in sim.sent] == [40, 10]

    def test_datagrams(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=1,1,"h",80')
        assert sim.ask("AT+WIPDATA=1,1,1") == "CONNECT"
        sim.say(b"one\x03two\x10\x03\x03th")
        assert [data for _, data in sim.sent] == [b"one", b"two\x03"]
        assert sim.happens(Received(sim.sockets[0], b"r\x03", Endpoint("h", 80))) == b"r\x10\x03\x03"
        sim.wait(1.5)
        sim.say(b"+++")
        assert sim.wait(1.1) == b"\r\nOK\r\n"
        assert sim.sent[-1][1] == b"th+++"

    def test_a_command_with_lf_and_payload_in_one_go(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"h",80')
        sim.say(b"AT+WIPDATA=2,1,1\r\npayload")
        assert sim.read() == b"\r\nCONNECT\r\n"
        assert sim.sent == [(1, b"payload")]

    def test_what_waits_is_told_once(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"h",80;+WIPCREATE=1,1,1234')
        tcp, udp = sim.sockets
        assert sim.happens(DataWaiting(tcp, 10)) == b"\r\n+WIPDATA: 2,1,10\r\n"
        assert sim.happens(DataWaiting(tcp, 20)) == b""
        assert sim.happens(DataWaiting(udp, 25, Endpoint("192.168.0.2", 2397))) == (
            b'\r\n+WIPDATA: 1,1,25,"192.168.0.2",2397\r\n'
        )
        assert sim.happens(PeerClosed(tcp)) == b""  # not before the data were read (§6.2.6)
        assert sim.ask("AT+WIPDATA=2,1,1").startswith("CONNECT")

    def test_nothing_is_said_inside_an_answer_or_a_typed_line(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"h",80')
        sim.say(b"AT+WIP")
        assert sim.happens(DataWaiting(sim.sockets[0], 10)) == b""
        sim.say(b"BR?\r")
        assert sim.read() == b"\r\n6,1\r\n\r\nOK\r\n\r\n+WIPDATA: 2,1,10\r\n"

    def test_a_lost_bearer_ends_everything(self) -> None:
        sim = mapped(SimModule().up())
        sim.happens(BearerLost())
        assert sim.happens(SocketLost(sim.sockets[0], Cause.BEARER_LOST)) == b"\x03\r\n+CME ERROR: 843\r\n"
        assert sim.ask("AT+WIPBR?") == "6,0 | OK"
        assert sim.ask("AT+WIPBR=4,6,0") == "OK"


class TestOffline:
    """§6.3."""

    def test_the_worked_example(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=1,1,80,"192.168.1.2",1357')
        assert sim.ask("AT+WIPDATA=1,1,3") == "+WIPDATARW: 1,1 | OK"
        assert sim.ask('AT+WIPDATARW=1,1,"30313233343536373839"') == "+WIPDATARW: 3,1,10 | OK"
        assert sim.sent == [(1, b"0123456789")]
        said = sim.happens(Received(sim.sockets[0], b"12345678", Endpoint("192.168.1.2", 1357)))
        assert said == b'\r\n+WIPDATA: 1,1,8,"192.168.1.2",1357\r\n\r\n+WIPDATARW: 2,1,1,1,"3132333435363738"\r\n'
        block = "30" * 200
        assert sim.ask(f'AT+WIPDATARW=2,1,"{block}"') == "OK"
        assert sim.ask(f'AT+WIPDATARW=2,1,"{block}"') == "OK"
        assert sim.ask('AT+WIPDATARW=1,1,"3039"') == "+WIPDATARW: 3,1,402 | OK"
        assert sim.ask("AT+WIPDATARW=0,1") == "+WIPDATARW: 0,1 | OK"
        assert sim.ask('AT+WIPDATARW=1,1,"30"') == "+CME ERROR: 831"

    def test_blocks_limits_and_one_session(self) -> None:
        sim = SimModule().up()
        sim.ask('AT+WIPCREATE=2,1,"h",80;+WIPCREATE=2,2,"h",80')
        assert sim.ask("AT+WIPDATA=2,1,3") == "+WIPDATARW: 1,1 | OK"
        assert sim.ask("AT+WIPDATA=2,2,3") == "+CME ERROR: 831"
        assert sim.ask('AT+WIPDATARW=1,2,"30"') == "+CME ERROR: 831"
        assert sim.ask('AT+WIPDATARW=1,1,"3"') == "+CME ERROR: 801"
        assert sim.ask('AT+WIPDATARW=1,1,"' + "30" * 201 + '"') == "+CME ERROR: 801"
        said = sim.happens(Received(sim.sockets[0], b"z" * 300)).decode()
        assert said.count("+WIPDATARW: 2,1,2,") == 2
        for _ in range(10):
            assert sim.ask('AT+WIPDATARW=2,1,"' + "30" * 200 + '"') == "OK"
        assert sim.ask('AT+WIPDATARW=2,1,"' + "30" * 200 + '"') == "+CME ERROR: 853"
        assert sim.ask('AT+WIPDATARW=3,1,"30"') == "+WIPDATARW: 3,1,2001 | +WIPDATARW: 0,1 | OK"


class TestPing:
    """§7.1."""

    def test_answers_and_timeouts(self) -> None:
        sim = SimModule().up()
        assert sim.ask('AT+WIPPING="192.168.0.1",2,2000,1000') == "OK | +WIPPING: 0,0,200 | +WIPPING: 1,1,0"
        assert sim.ask('AT+WIPPING="h",') == "OK | +WIPPING: 0,0,200"
        assert sim.ask('AT+WIPPING="h",0') == "+CME ERROR: 801"
        assert sim.ask(f'AT+WIPPING="{UNKNOWN}"') == "+CME ERROR: 819"

    def test_without_a_bearer(self) -> None:
        sim = SimModule()
        sim.ask("AT+CMEE=1")
        assert sim.ask('AT+WIPPING="h"') == "+CME ERROR: 819"
