"""A certificate for loopback that nobody else trusts."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path


def make(
    folder: Path, names: str = "IP:127.0.0.1,DNS:localhost,DNS:example.com"
) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server has, and what a client that trusts it has."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    arguments = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    arguments += ["-days", "2", "-subj", "/CN=loopback", "-addext", f"subjectAltName={names}"]
    subprocess.run([*arguments, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def secured(context: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], None]) -> Callable[[socket.socket], None]:
    """A server's way of serving a connection, by TLS; ended as TLS ends."""

    def serve_secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as inner:
            serve(inner)
            inner.unwrap()

    return serve_secured


def answer_at_the_end(connection: socket.socket) -> None:
    """Say how much was heard, and all of it again, but only once the other side has ended its sending."""
    heard = b""
    while data := connection.recv(65536):
        heard += data
    connection.sendall(b"%d:" % len(heard) + heard)
