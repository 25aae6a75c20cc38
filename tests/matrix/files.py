"""What a host program can do with the files of a server, whatever dialect it was written for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from support.files import Files
from support.office import PASSWORD

PIECE_BYTES = 65536
"""Of a long file: so much is written in one go."""


class FileServer(Files):
    """The server of a pair."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "files", PASSWORD)


class FilesProgram(ABC):
    """The part of a host program that moves files. What fails raises :class:`matrix.host.Failure`."""

    codes: dict[str, str]
    """What is heard when something goes wrong, as the manual numbers it."""
    get_forms: tuple[str, ...] = ("continuous",)
    """Ways to download, the usual one first."""
    put_forms: tuple[str, ...] = ("continuous",)
    """Ways to upload."""
    modes: tuple[bool, ...] = (False, True)
    """Whether data connections can be passive, or active, as the host wants it."""
    session = False
    """Whether the host logs in by a command of its own."""
    appends = False
    """Whether it can add to a file."""

    @abstractmethod
    def log_in(
        self, host: str, port: int, password: str = PASSWORD, *, binary: bool = True, passive: bool | None = None
    ) -> None:
        """Which server, and how; ``passive``: as the dialect has it where nothing is said."""

    @abstractmethod
    def log_out(self) -> None:
        """Done with the server; nothing where that is so already."""

    @abstractmethod
    def get(self, path: str, data: bytes, form: str = "") -> None:
        """Download a file that is expected to be ``data``; what fails later is told behind exactly those bytes."""

    @abstractmethod
    def put(self, path: str, data: bytes, form: str = "", *, append: bool = False) -> None:
        """Upload a file."""

    @abstractmethod
    def put_in_vain(self, path: str, data: bytes) -> None:
        """Begin to upload a file: some of it is sent, and the module ends that with an error."""
