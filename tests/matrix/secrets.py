"""Secrets that host programs tell, and the search for them in everything that a pair's programs leave behind.

SEMANTICS 1.8: they are in no log, trace or error, except where the host itself asks for them by a command that displays
them: those go to the host's line, which is not searched.
"""

from __future__ import annotations

import json
import stat
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from support import office, pages, postbox

APN_USER, APN_PASSWORD = "apn-us3r-Qz", "apn-pa55-Qz"
PPP_USER, PPP_PASSWORD = "ppp-us3r-Qz", "ppp-pa55-Qz"
PIN, OTHER_PIN = "83514729", "60927418"
STORED = "st0red-Qz-"
"""The begin of what every parameter that is a secret is set to, once."""
TOLD = frozenset(
    {
        APN_USER, APN_PASSWORD, PPP_USER, PPP_PASSWORD, PIN, OTHER_PIN, STORED, office.PASSWORD, postbox.PASSWORD,
        pages.PASSWORD,
    }
)  # fmt: skip


def forms(secret: str) -> Iterator[bytes]:
    """How a secret may stand in a file: as it is, in hexadecimal digits, and in base 64 wherever it begins there."""
    data = secret.encode()
    encoded = [json.dumps(secret)[1:-1].encode(), *(_inside(data, before) for before in range(3))]
    for text in (data, *encoded):
        yield text
        yield text.hex().encode()
        yield text.hex().upper().encode()


def _inside(data: bytes, before: int) -> bytes:
    """The base 64 of bytes behind others, without the signs that those and the next ones have a part in."""
    whole = b64encode(bytes(before) + data)
    return whole[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]


def left_behind(folder: Path) -> list[str]:
    """Which secrets stand in which files of a folder; the store of parameters may have them, and nobody else read it."""
    found = []
    known = {form: secret for secret in TOLD for form in forms(secret)}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if path.parent.name == "state":
            if stat.S_IMODE(path.stat().st_mode) & 0o077:
                found.append(f"others may read {path}")
            if path.suffix == ".json":
                continue
        if path.suffix != ".jsonl" and not path.name.startswith("stderr") and path.parent.name != "state":
            continue  # of the servers
        data = path.read_bytes()
        for form, secret in known.items():
            at = data.find(form)
            if at >= 0:
                found.append(f"{secret!r} in {path}: {data[max(0, at - 300) : at + 100]!r}")
    return found
