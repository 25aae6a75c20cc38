"""What a session keeps over a restart of the gateway: one small JSON file, replaced as a whole."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from pathlib import Path

from gateway.errors import InputError

log = logging.getLogger("gateway.state")
Values = dict[str, str | int]


class StateStore:
    """A file in the state folder, for one session at a time; without a folder, memory only."""

    def __init__(self, folder: Path | None, name: str) -> None:
        self._path = folder / f"{name}.json" if folder is not None else None
        self._lock = -1
        if folder is None or self._path is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(f"the state in {self._path} is in use by another at-gateway") from None
        except OSError as error:
            raise InputError(f"cannot use the state folder {folder}: {error.strerror}") from error

    def load(self) -> Values:
        """What was kept; a file that cannot be read is put aside, and said."""
        if self._path is None or not self._path.exists():
            return {}
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(key): value for key, value in values.items() if isinstance(value, str | int)}
        except (OSError, ValueError, AttributeError, RecursionError) as error:
            self._put_aside(self._path, error)
            return {}

    def _put_aside(self, path: Path, reason: Exception) -> None:
        aside = path.with_suffix(".broken")
        try:
            path.replace(aside)
            log.warning("the state %s cannot be read (%s): it is put aside as %s", path, reason, aside.name)
        except OSError as error:
            log.error("the state %s cannot be read (%s), nor put aside: %s", path, reason, error.strerror)

    def save(self, values: Values) -> None:
        """Keep these values. A full disk is said, and does not end the session."""
        if self._path is None:
            return
        new = self._path.with_suffix(".new")
        try:
            descriptor = os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(values, file, ensure_ascii=False, sort_keys=True)
                file.flush()
                os.fsync(descriptor)  # what is kept "at once" must survive a cut of the power
            new.replace(self._path)
        except OSError as error:
            log.error("the state %s cannot be written: %s", self._path, error.strerror)

    def close(self) -> None:
        """Let another use it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
