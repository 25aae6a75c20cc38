"""Peers that never answer, not even that nobody is there: each service that opens a connection, on every pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from unittest.mock import patch

from matrix.edsoft import EdsoftHost
from matrix.edsoft_files import EdsoftFiles
from matrix.edsoft_mail import EdsoftMail
from matrix.files import FilesProgram
from matrix.host import HostProgram, fails
from matrix.mail import Letter, MailProgram
from matrix.pair import Pair, every_pair
from matrix.scenarios.mms import write
from matrix.wipsoft import WipsoftHost
from matrix.wipsoft_files import WipsoftFiles
from matrix.wipsoft_mail import WipsoftMail
from matrix.wipsoft_mms import WipsoftMms
from matrix.wipsoft_web import WipsoftWeb

from gateway.native import tcp
from gateway.translate.plan import Way
from recovery.lab import Lab
from recovery.programs import PROGRAMS, family
from recovery.servers import DEAF, ECHO

SERVER = "server.example"
PATIENCE_S = 100.0
"""The host waits so long: the longest that a module or the gateway takes to give a peer up, and what is done behind."""
SOON_S = 20.0
"""A module that gives up before the gateway does."""
LATE = "logged in with each transfer"
"""A loss of modules whose sessions are their transfers."""
NETWORK = "894"
"""A centre that cannot be reached, whyever (WIPSoft 10.1)."""
UNTOLD = ("fibocom-l610", "wipsoft-2.01", "wipsoft-5.57")
"""Modules that have one word for a peer that refuses and for one that is silent (Fibocom F15; WIPSoft 10.1, 842)."""


@dataclass(frozen=True)
class Opening:
    """A service that begins with a connection, on a pair."""

    pair: Pair
    service: str

    def __str__(self) -> str:
        return f"{self.pair}:{self.service}".replace(" ", "-")


def openings() -> list[Opening]:
    """Every pair's."""
    return [Opening(pair, service) for pair in every_pair() for service in SERVICES if service in pair.services]


def play(opening: Opening, gives_up_s: float | None = None) -> float:
    """The host is told by its number, and a peer that is there is reached next; gives the seconds that it took.

    ``gives_up_s``: so long a module, or this computer, waits for a peer; else as long as it does.
    """
    pair = opening.pair
    limit_s = tcp.CONNECT_LIMIT_S if gives_up_s is None else gives_up_s
    with patch.object(tcp, "CONNECT_LIMIT_S", limit_s), Lab(pair.host, pair.module) as lab:
        lab.line.patience_s = PATIENCE_S
        host = PROGRAMS[family(pair.host)][1](lab.line, pair.host)
        host.start()
        host.up()
        begun = lab.now
        with fails(_code(opening, host, told=gives_up_s is not None)):
            SERVICES[opening.service](host)
        took = lab.now - begun
        connection = host.connect(SERVER, ECHO)
        connection.exchange(b"better")
        connection.close()
        host.quiet()
        return took


def _code(opening: Opening, host: HostProgram, *, told: bool) -> str:
    """The number of the host's own manual; ``told``: the module gives up first, and says it as it can."""
    pair, service = opening.pair, opening.service
    if service == "MMS":
        return NETWORK
    told |= service == "FTP" and pair.way(service) is Way.NATIVE  # who speaks it has given the server up
    what = "refused" if told and pair.module in UNTOLD else "silent"
    if service == "FTP":
        return files(host).codes[f"{what} later" if LATE in pair.lost(service) else what]
    return (mail(host) if service.startswith("mail") else host).codes[what]


def files(host: HostProgram) -> FilesProgram:
    """What the host has for files."""
    return EdsoftFiles(host) if isinstance(host, EdsoftHost) else WipsoftFiles(_wipsoft(host))


def mail(host: HostProgram) -> MailProgram:
    """What the host has for mail."""
    return EdsoftMail(host) if isinstance(host, EdsoftHost) else WipsoftMail(_wipsoft(host))


def _wipsoft(host: HostProgram) -> WipsoftHost:
    assert isinstance(host, WipsoftHost)
    return host


def _connects(host: HostProgram) -> None:
    host.connect(SERVER, DEAF)


def _gets_file(host: HostProgram) -> None:
    program = files(host)
    try:
        program.log_in(SERVER, DEAF)
        program.get("file", b"")
    finally:
        program.log_out()


def _puts_mail(host: HostProgram) -> None:
    with mail(host).outgoing(SERVER, DEAF) as way:
        way.begin(Letter())


def _gets_mail(host: HostProgram) -> None:
    with mail(host).incoming(SERVER, DEAF, "meter", "secret") as way:
        way.take()


def _gets_page(host: HostProgram) -> None:
    web = WipsoftWeb(_wipsoft(host))
    with web.session(""):
        web.ask(f"http://{SERVER}:{DEAF}/page")


def _sends_message(host: HostProgram) -> None:
    mms = WipsoftMms(_wipsoft(host))
    with mms.session(SERVER, DEAF, "http://mms.example/mms"):
        write(mms)
        mms.send()


SERVICES: dict[str, Callable[[HostProgram], None]] = {
    "TCP client": _connects,
    "FTP": _gets_file,
    "mail out": _puts_mail,
    "mail in": _gets_mail,
    "web": _gets_page,
    "MMS": _sends_message,
}
