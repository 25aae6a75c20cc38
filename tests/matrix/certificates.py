"""What servers of a pair that speak TLS prove themselves by, and what the pair's programs trust by."""

from __future__ import annotations

import ssl
from pathlib import Path

from support import certificate

from matrix.stage import SERVER, TRUSTED


def trusted(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, by the one certificate of a pair that its programs trust."""
    own = folder / "trusted"
    if not own.exists():
        own.mkdir()
        certificate.make(own, f"DNS:{SERVER}")
        (folder / TRUSTED).write_bytes((own / "certificate.pem").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own / "certificate.pem", own / "key.pem")
    return context
