"""The rights of an ordinary user, also where the tests are the superuser's: to him nothing is forbidden."""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ordinary_user() -> Iterator[Path]:
    """A folder of an ordinary user's, and his rights as long as it lasts."""
    superuser = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if superuser:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            os.seteuid(nobody.pw_uid)
        try:
            yield folder
        finally:
            folder.chmod(0o700)
            if superuser:
                os.seteuid(0)
