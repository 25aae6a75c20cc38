"""Files of a real server, over this computer's sockets and through a tunnel (SEMANTICS 7.1; RFC 959)."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.client import EVERY, ONE, TWO, WAYS, client
from support.files import Files
from support.rig import Server, unused_port

from gateway.model.causes import Cause
from gateway.model.events import SocketLost
from gateway.model.findings import FindingKind
from gateway.model.requests import CloseSocket
from gateway.model.results import Done, Failed
from gateway.model.services import Begun, DeleteFile, GetFile, OpenFtp, PutFile, SetFtp
from gateway.model.values import Endpoint, Secret

MIB = 1 << 20
BIG = random.Random(7).randbytes(5 * MIB)


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    made = Files(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("data", [b"", EVERY * 40, BIG], ids=["0", "10 KiB", "5 MiB"])
async def test_a_file_goes_up_and_down_unchanged(files: Files, way: str, data: bytes) -> None:
    async with client(way) as host:
        await host.done(files.session())
        assert await host.send(PutFile(ONE, "up.bin"), data) == Done()
        assert (files.folder / "up.bin").read_bytes() == data
        ticket = host.submit(GetFile(ONE, "up.bin"))
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == data
        assert host.begun[ticket] == [Begun(len(data))]
        assert await host.ask(CloseSocket(ONE)) == Done()
    assert files.commands[-1] == "QUIT"


async def test_several_files_in_one_session(files: Files, way: str) -> None:
    async with client(way) as host:
        await host.done(files.session())
        for number in range(5):
            await host.send(PutFile(ONE, f"{number}.txt"), b"x" * number)
        await host.send(PutFile(ONE, "4.txt", append=True), b" and more")
        assert await host.fetch(GetFile(ONE, "4.txt")) == b"xxxx and more"
        await host.done(DeleteFile(ONE, "0.txt"))
        assert sorted(path.name for path in files.folder.iterdir()) == [f"{number}.txt" for number in range(1, 5)]
    assert files.commands.count("USER") == 1


async def test_files_in_folders_and_names_in_any_character_set(files: Files, way: str) -> None:
    (files.folder / "a" / "b").mkdir(parents=True)
    name = "Zürich".encode().decode("latin-1")
    async with client(way) as host:
        await host.done(files.session())
        await host.send(PutFile(ONE, f"/a/b/{name}"), b"deep")
        assert (files.folder / "a" / "b" / "Zürich").read_bytes() == b"deep"
        assert await host.fetch(GetFile(ONE, f"a/b/{name}")) == b"deep"


async def test_text_has_the_servers_line_ends_there_and_ours_here(files: Files, way: str) -> None:
    async with client(way) as host:
        await host.done(files.session(binary=False))
        ticket = host.submit(PutFile(ONE, "text"))
        host.engine.payload(ONE, b"one\r\ntwo\r\n")
        host.engine.shutdown(ONE)
        assert await host.result(ticket) == Done()
        assert (files.folder / "text").read_bytes() == b"one\ntwo\n"
        ticket = host.submit(GetFile(ONE, "text"))
        assert await host.result(ticket) == Done()
        assert bytes(host.data) == b"one\r\ntwo\r\n"
        assert host.begun[ticket] == [Begun(None)]
        await host.done(SetFtp(ONE, binary=True, passive=True))
        assert await host.fetch(GetFile(ONE, "text")) == b"one\ntwo\n"


async def test_active_mode(files: Files) -> None:
    async with client("computer") as host:
        await host.done(files.session(passive=False))
        assert await host.send(PutFile(ONE, "up.bin"), EVERY) == Done()
        assert await host.fetch(GetFile(ONE, "up.bin")) == EVERY
        assert "PORT" in files.commands and not {"PASV", "EPSV"} & set(files.commands)
        await host.done(SetFtp(ONE, binary=True, passive=True))
        assert await host.fetch(GetFile(ONE, "up.bin")) == EVERY
        assert "EPSV" in files.commands and not host.findings


async def test_where_nobody_can_call_active_mode_becomes_passive(files: Files) -> None:
    async with client("tunnel") as host:
        await host.done(files.session(passive=False))
        assert await host.send(PutFile(ONE, "up.bin"), EVERY) == Done()
        assert [finding.kind for finding in host.findings] == [FindingKind.CHANGED]
        assert "PORT" not in files.commands


async def test_a_server_without_extended_passive_mode(files: Files, way: str) -> None:
    files.handler.proto_cmds = {name: what for name, what in files.handler.proto_cmds.items() if name != "EPSV"}
    async with client(way) as host:
        await host.done(files.session())
        assert await host.send(PutFile(ONE, "up.bin"), EVERY) == Done()
    assert "PASV" in files.commands


@pytest.mark.parametrize(
    ("user", "password", "cause"),
    [("meter", "wrong", Cause.SERVER_PASSWORD), ("nobody", "secret", Cause.SERVER_PASSWORD)],
)
async def test_who_is_not_let_in(files: Files, way: str, user: str, password: str, cause: Cause) -> None:
    files.handler.auth_failed_timeout = 0
    async with client(way) as host:
        failed = await host.fails(OpenFtp(ONE, files.place, user, Secret(password)))
        assert failed.cause is cause
        assert failed.original.startswith("530")
        assert not host.engine.knows(ONE)
        assert await host.ask(files.session()) == Done()


async def test_a_server_that_wants_another_user() -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(b"220-Hello,\r\n this is\r\n220 it\r\n")
        link.recv(1000)
        link.sendall(b"530 Only root\r\n")
        link.recv(1000)

    server = Server(serve)
    async with client("computer") as host:
        failed = await host.fails(OpenFtp(ONE, Endpoint("127.0.0.1", server.port), "meter"))
        assert failed == Failed(Cause.SERVER_USER, "530 Only root")
    server.close()


async def test_what_is_not_there(files: Files, way: str) -> None:
    (files.folder / "is").mkdir()
    (files.folder / "file").write_bytes(b"12")
    async with client(way) as host:
        await host.done(files.session())
        assert (await host.fails(GetFile(ONE, "none"))).cause is Cause.SERVER_FILE
        assert (await host.fails(GetFile(ONE, "is/none"))).cause is Cause.SERVER_FILE
        assert (await host.fails(GetFile(ONE, "isnot/none"))).cause is Cause.SERVER_FOLDER
        assert (await host.fails(PutFile(ONE, "isnot/none"))).cause is Cause.SERVER_FOLDER
        assert (await host.fails(DeleteFile(ONE, "none"))).cause is Cause.SERVER_DELETE
        assert (await host.fails(GetFile(ONE, "bad\r\nDELE file"))).cause is Cause.BAD_VALUE
        assert await host.fetch(GetFile(ONE, "file")) == b"12", "the session goes on"
    assert files.commands.count("USER") == 1


async def test_nobody_listens(way: str) -> None:
    async with client(way) as host:
        failed = await host.fails(OpenFtp(ONE, Endpoint("127.0.0.1", unused_port())))
        assert failed.cause is Cause.REFUSED
        failed = await host.fails(OpenFtp(ONE, Endpoint("nowhere.invalid", 21)))
        assert failed.cause is Cause.NAME_NOT_RESOLVED
        assert (await host.fails(GetFile(ONE, "x"))).cause is Cause.BAD_STATE


@pytest.mark.parametrize("greeting", [b"421 Too many\r\n", b"500 No\r\n", b"garbage\xff\r\n220\r\n", b"", b"x" * 200000])
async def test_a_server_that_is_none(greeting: bytes) -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(greeting)
        link.shutdown(socket.SHUT_WR)
        link.recv(1)

    server = Server(serve)
    async with client("computer") as host:
        failed = await host.fails(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        assert failed.cause in (Cause.SERVER_NOT_READY, Cause.CLOSED_BY_PEER)
    server.close()


async def test_a_silent_server_has_a_time_limit(way: str) -> None:
    server = Server(lambda link: None)
    async with client(way, limit_s=0.05) as host:
        assert (await host.fails(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))).cause is Cause.TIMED_OUT
    server.close()


async def test_a_host_that_takes_no_more_holds_the_server(files: Files, way: str) -> None:
    (files.folder / "big").write_bytes(BIG[: 2 * MIB])
    async with client(way) as host:
        await host.done(files.session())
        host.engine.hold(True)
        ticket = host.submit(GetFile(ONE, "big"))
        await host.begins(ticket)
        assert not host.data
        host.engine.hold(False)
        await host.until(lambda: len(host.data) > 0)
        while ticket not in host.results:
            host.engine.hold(True)
            had = len(host.data)
            host.engine.hold(False)
            await host.until(lambda had=had: len(host.data) > had or ticket in host.results)  # type: ignore[misc]
        assert bytes(host.data) == BIG[: 2 * MIB]


async def test_a_server_that_takes_no_more_holds_the_host() -> None:
    data = Server(lambda link: None)
    asked = threading.Event()

    def serve(link: socket.socket) -> None:
        answers = {b"TYPE": b"200", b"EPSV": b"229 (|||%d|)" % data.port, b"STOR": b"150", b"QUIT": b"221"}
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(answers.get(line[:4], b"230") + b" yes\r\n")
                if line.startswith(b"STOR"):
                    asked.wait(10)
                    size = 0
                    taking = data.arrived()
                    while part := taking.recv(65536):
                        size += len(part)
                    link.sendall(b"226 %d\r\n" % size)

    server = Server(serve)
    async with client("computer") as host:
        await host.done(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        ticket = host.submit(PutFile(ONE, "x"))
        await host.begins(ticket)
        sent = 0
        while not host.engine.congested:
            host.engine.payload(ONE, bytes(65536))
            sent += 65536
            assert sent < 64 * MIB
        assert host.congestions[-1]
        asked.set()
        await host.until(lambda: not host.engine.congested)
        assert not host.congestions[-1]
        host.engine.shutdown(ONE)
        assert await host.result(ticket) == Done()
    server.close()
    data.close()


async def test_a_withdrawn_transfer_leaves_a_session_of_use(files: Files, way: str) -> None:
    (files.folder / "big").write_bytes(BIG)
    async with client(way) as host:
        await host.done(files.session())
        ticket = host.submit(GetFile(ONE, "big"))
        await host.until(lambda: len(host.data) > 0)
        host.engine.withdraw(ticket)
        upload = host.submit(PutFile(ONE, "half"))
        await host.begins(upload)
        host.engine.payload(ONE, b"half")
        host.engine.withdraw(upload)
        assert await host.send(PutFile(ONE, "small"), b"12") == Done()
        assert await host.fetch(GetFile(ONE, "small")) == b"12"
        assert not {ticket, upload} & set(host.results)
    assert files.commands.count("USER") == 3, "who was cut off logs in again"


async def test_closing_gives_up_what_is_not_finished(files: Files, way: str) -> None:
    async with client(way) as host:
        await host.done(files.session())
        upload = host.submit(PutFile(ONE, "half"))
        await host.begins(upload)
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert host.results[upload] == Failed(Cause.ABORTED)
        await host.done(files.session())
        whole = host.submit(PutFile(ONE, "whole"))
        host.engine.payload(ONE, b"all of it")
        host.engine.shutdown(ONE)
        assert await host.ask(CloseSocket(ONE)) == Done()
        assert host.results[whole] == Done()
        assert (files.folder / "whole").read_bytes() == b"all of it"


async def test_a_session_that_the_server_ends_is_told(way: str) -> None:
    def serve(link: socket.socket) -> None:
        link.sendall(b"220 here\r\n")
        link.recv(1000)
        link.sendall(b"230 in\r\n")
        link.recv(1)

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        server.connections[0].sendall(b"421 Idle for too long\r\n")
        await host.until(lambda: bool(host.events))
        assert host.events == [SocketLost(ONE, Cause.CLOSED_BY_PEER)]
        assert (await host.fails(GetFile(ONE, "x"))).cause is Cause.BAD_STATE
    server.close()


async def test_two_sessions_at_once(files: Files, way: str) -> None:
    async with client(way) as host:
        await host.done(files.session())
        await host.done(OpenFtp(TWO, files.place, "meter", Secret("secret")))
        assert (await host.fails(files.session())).cause is Cause.ALREADY_OPEN
        one = host.submit(PutFile(ONE, "one"))
        two = host.submit(PutFile(TWO, "two"))
        for session in (ONE, TWO):
            host.engine.payload(session, b"%d" % session)
            host.engine.shutdown(session)
        assert (await host.result(one), await host.result(two)) == (Done(), Done())
        assert ((files.folder / "one").read_bytes(), (files.folder / "two").read_bytes()) == (b"1", b"2")


async def test_when_the_network_goes_everything_ends(files: Files, way: str) -> None:
    async with client(way) as host:
        await host.done(files.session())
        ticket = host.submit(PutFile(ONE, "half"))
        await host.begins(ticket)
        assert host.engine.cut() == [ONE]
        assert host.results[ticket] == Failed(Cause.ABORTED)


async def test_a_file_of_which_a_part_is_missing_is_not_that_file(way: str) -> None:
    """Whatever the server says at the end: it has said before how long the file is."""

    def hand_out(link: socket.socket) -> None:
        link.sendall(b"a part")
        link.close()

    data = Server(hand_out)

    def serve(link: socket.socket) -> None:
        answers = {b"TYPE": b"200", b"SIZE": b"213 10", b"EPSV": b"229 (|||%d|)" % data.port, b"RETR": b"150"}
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(answers.get(line[:4], b"230") + b" \r\n")
                if line.startswith(b"RETR"):
                    link.sendall(b"226 all of it\r\n")

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        for _ in range(2):
            failed = await host.fails(GetFile(ONE, "x"))
            assert failed == Failed(Cause.CLOSED_BY_PEER, "the connection ended after 6 of 10 bytes")
        assert len(server.connections) == 1, "the session goes on"
    server.close()
    data.close()


def scripted(**answers: bytes) -> Server:
    """A server that answers commands by these, and by a yes."""

    def serve(link: socket.socket) -> None:
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                answer = answers.get(line[:4].decode(), b"230 yes\r\n")
                link.sendall(answer)
                if not answer.endswith(b"\n"):
                    link.shutdown(socket.SHUT_WR)

    return Server(serve)


@pytest.mark.parametrize("part", [b"2", b"23", b"230 log"])
async def test_a_part_of_an_answer_is_none(way: str, part: bytes) -> None:
    """The begin of a line may say something else than all of it."""
    server = scripted(USER=part)
    async with client(way) as host:
        assert (await host.fails(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))).cause is Cause.CLOSED_BY_PEER
    server.close()


@pytest.mark.parametrize("answer", [b"229 soon", b"229 (|||99999|)", b"227 nowhere", b"227 (127,0,0,1)", b"227 (a,b)"])
async def test_a_server_that_does_not_say_where_it_waits(way: str, answer: bytes) -> None:
    extended = answer if answer.startswith(b"229") else b"502 no"
    server = scripted(TYPE=b"200 yes\r\n", SIZE=b"550 no\r\n", EPSV=extended + b"\r\n", PASV=answer + b"\r\n")
    async with client(way) as host:
        await host.done(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        assert (await host.fails(GetFile(ONE, "x"))).cause is Cause.SERVER_NOT_READY
    server.close()


async def test_a_full_disk_is_told_in_the_middle(way: str) -> None:
    data = Server(lambda link: None)

    def serve(link: socket.socket) -> None:
        answers = {b"TYPE": b"200", b"EPSV": b"229 (|||%d|)" % data.port, b"STOR": b"150"}
        link.sendall(b"220 here\r\n")
        with link.makefile("rb") as lines:
            for line in lines:
                link.sendall(answers.get(line[:4], b"230") + b" yes\r\n")
                if line.startswith(b"STOR"):
                    data.arrived().recv(1)
                    link.sendall(b"452 Disk full\r\n")

    server = Server(serve)
    async with client(way) as host:
        await host.done(OpenFtp(ONE, Endpoint("127.0.0.1", server.port)))
        ticket = host.submit(PutFile(ONE, "x"))
        await host.begins(ticket)
        host.engine.payload(ONE, b"some")
        assert await host.result(ticket) == Failed(Cause.SERVER_FILE, "452 Disk full")
    server.close()
    data.close()
