"""Files of a server: there and back, what the server refuses, and how transfers break."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from support.files import FAILS, GOES
from support.rig import read_exactly

from matrix.edsoft import EdsoftHost
from matrix.edsoft_files import EdsoftFiles
from matrix.files import FileServer, FilesProgram
from matrix.host import fails
from matrix.scenario import scenario
from matrix.scenarios.streams import EVERY, noise
from matrix.stage import HOLD, HOLD_PORT, NOBODY, REFUSED, SERVER, UNREACHABLE, Stage
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_files import WipsoftFiles

MUCH_BYTES = 5 << 20
MIDDLE_BYTES = 100_000
"""More than a server reads at once."""
READ_BYTES = 65536
"""So much the server reads at once."""

LATE = "logged in with each transfer"
"""A loss of modules whose sessions are their transfers: the host hears what is wrong with the server by the first one."""


def program(stage: Stage) -> FilesProgram:
    """What the host has for files."""
    host = stage.host
    return EdsoftFiles(host) if isinstance(host, EdsoftHost) else WipsoftFiles(host)  # type: ignore[arg-type]


@contextmanager
def logged_in(
    stage: Stage, *, binary: bool = True, passive: bool | None = None
) -> Iterator[tuple[FilesProgram, FileServer]]:
    """A session with the pair's server, which has told nothing yet."""
    files, server = program(stage), stage.servers.of(FileServer)
    files.log_in(SERVER, server.place.port, binary=binary, passive=passive)
    server.commands.clear()
    yield files, server
    files.log_out()


@scenario("FTP")
def files_there_and_back(stage: Stage, _: str) -> None:
    """Every byte, ETX and DLE among them, in each way that the host has; and nothing at all."""
    with logged_in(stage) as (files, server):
        for form in files.put_forms:
            files.put("up", EVERY * 2, form)
            assert (server.folder / "up").read_bytes() == EVERY * 2
        for form in files.get_forms:
            files.get("up", EVERY * 2, form)
        files.put("empty", b"")
        assert (server.folder / "empty").read_bytes() == b""
        for form in files.get_forms:
            files.get("empty", b"", form)


@scenario("FTP")
def a_long_file(stage: Stage, _: str) -> None:
    data = noise(MUCH_BYTES)
    with stage.unrecorded() as place, logged_in(place) as (files, server):
        files.put("long", data)
        assert (server.folder / "long").read_bytes() == data
        files.get("long", data)


@scenario("FTP")
def files_in_folders(stage: Stage, _: str) -> None:
    with logged_in(stage) as (files, server):
        (server.folder / "in").mkdir(exist_ok=True)
        files.put("in/a file", b"here")
        assert (server.folder / "in" / "a file").read_bytes() == b"here"
        files.get("in/a file", b"here")


@scenario("FTP", "wipsoft")
def more_is_added(stage: Stage, _: str) -> None:
    """Where the module cannot, it is refused and the file is as it was."""
    with logged_in(stage) as (files, server):
        if not files.appends:
            return
        assert isinstance(files, WipsoftFiles)
        for form in ("continuous", "offline"):
            (server.folder / "log").write_bytes(b"one")
            if "nothing is added" in stage.pair.lost("FTP"):
                with fails(files.codes["no append"]):
                    files.put("log", b"two", form, append=True)
                assert (server.folder / "log").read_bytes() == b"one"
            else:
                files.put("log", b"two", form, append=True)
                assert (server.folder / "log").read_bytes() == b"onetwo"


@scenario("FTP")
def what_a_server_refuses(stage: Stage, _: str) -> None:
    """Each with its number, and the session goes on."""
    lost = stage.pair.lost("FTP")
    with logged_in(stage) as (files, server):
        folder = files.codes["file" if "folder and file" in lost else "folder"]
        (server.folder / "there").write_bytes(b"there")
        with fails(files.codes["file"]):
            files.get("not there", b"")
        with fails(folder):
            files.get("no folder/file", b"")
        with fails(folder):
            files.put("no folder/file", b"never")
        files.get("there", b"there")
    code = files.codes["refused" if "why a session is refused" in lost else "password"]
    with fails(files.codes["password later"] if LATE in lost else code):
        files.log_in(SERVER, server.place.port, "wrong")
        files.get("there", b"")
    files.log_out()


@scenario("FTP")
def servers_that_are_not_there(stage: Stage, _: str) -> None:
    files = program(stage)
    for what, name, port in (
        ("refused", REFUSED, stage.servers.refused_port),
        ("unreachable", UNREACHABLE, 21),
        ("unknown name", NOBODY, 21),
    ):
        with fails(files.codes[f"{what} later" if LATE in stage.pair.lost("FTP") else what]):
            files.log_in(name, port)
            files.get("file", b"")
        files.log_out()


@scenario("FTP")
def text(stage: Stage, _: str) -> None:
    """The line ends of the host's text are CR LF, whatever the server's are."""
    with logged_in(stage, binary=False) as (files, server):
        files.put("text", b"one\r\ntwo\r\n")
        assert (server.folder / "text").read_bytes() == b"one\ntwo\n"
        files.get("text", b"one\r\ntwo\r\n")
        assert "TYPE A" in server.commands
        assert "TYPE I" not in server.commands


@scenario("FTP")
def active_and_passive(stage: Stage, _: str) -> None:
    """Who calls whom is as the host wants it; what the module cannot is told to whoever looks after it."""
    only_active = "active mode alone" in stage.pair.lost("FTP")
    for passive in program(stage).modes:
        with logged_in(stage, passive=passive) as (files, server):
            files.put("any", EVERY)
            files.get("any", EVERY)
            active = "PORT" in server.commands
            assert active is (only_active or not passive), server.commands
            assert "PASV" in server.commands or "EPSV" in server.commands or active
    told = "FTP in passive mode" in stage.recorded()
    assert told is (only_active and True in program(stage).modes)


@scenario("FTP")
def a_server_that_breaks_a_transfer(stage: Stage, _: str) -> None:
    """It goes without a word, or says that it cannot: behind what it has sent, or in the middle of what it takes."""
    for name in (FAILS, GOES):
        with logged_in(stage) as (files, server):
            (server.folder / name).write_bytes(noise(MIDDLE_BYTES))
            with fails(files.codes["gone"]):
                files.get(name, noise(MIDDLE_BYTES)[:READ_BYTES])
            with fails(files.codes["gone"]):
                files.put_in_vain(name, EVERY)
            (server.folder / "there").write_bytes(b"there")
            files.get("there", b"there")


@scenario("FTP", "wipsoft")
def the_server_ends_a_session(stage: Stage, _: str) -> None:
    """Nobody knows where there is none but for transfers."""
    files, server = program(stage), stage.servers.of(FileServer)
    assert isinstance(files, WipsoftFiles)
    files.log_in(SERVER, server.place.port)
    stage.servers.gone(FileServer)
    if LATE not in stage.pair.lost("FTP"):
        files.gone()
        with fails(files.codes["no session"]):
            files.get("there", b"")
    files.log_out()


@scenario("FTP", "wipsoft")
def one_session_at_a_time(stage: Stage, _: str) -> None:
    with logged_in(stage) as (files, server):
        with fails(files.codes["second session"]):
            files.log_in(SERVER, server.place.port)
        files.put("still", b"here")


@scenario("FTP", "wipsoft")
def the_host_breaks_off(stage: Stage, _: str) -> None:
    with logged_in(stage) as (files, server):
        assert isinstance(files, WipsoftFiles)
        (server.folder / "large").write_bytes(bytes(3_000_000))
        (server.folder / "small").write_bytes(b"here")
        files.breaks_off("large", 1000)
        files.get("small", b"here")


@scenario("FTP", "wipsoft")
def a_socket_beside_a_session(stage: Stage, _: str) -> None:
    host = stage.host
    assert isinstance(host, WipsoftHost)
    connection = host.connect(HOLD, HOLD_PORT, aside=True)
    peer = stage.servers.hold.arrived()
    if stage.pair.clients == 1:
        with fails(host.codes["no free socket"]):
            program(stage).log_in(SERVER, stage.servers.of(FileServer).place.port)
        connection.close()
        assert peer.recv(1) == b""
        return
    with logged_in(stage) as (files, server):
        files.put("beside", EVERY)
        assert (server.folder / "beside").read_bytes() == EVERY
        connection.select()
        connection.send(EVERY)
        assert read_exactly(peer, 256) == EVERY
        connection.release()
        files.get("beside", EVERY)
    connection.close()
    assert peer.recv(1) == b""


@scenario("FTP", "edsoft")
def one_service_at_a_time(stage: Stage, _: str) -> None:
    """U35: the line carries one data mode."""
    with logged_in(stage) as (files, server):
        assert isinstance(files, EdsoftFiles)
        (server.folder / "there").write_bytes(b"there")
        files.name("GET", "there")
        listening = stage.host.listen(stage.servers.free_port())
        with fails("37122"):
            stage.host.command("AT#FTPGET")
        listening.stop()
        files.get("there", b"there")
