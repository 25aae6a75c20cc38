"""``tls-listen://``: with a certificate and, if asked, client certificates (CONTRACT, Links)."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from links.ears import EVERY, listening, signalled
from support.rig import LIMIT_S, Rig, read_exactly

from gateway.errors import LinkError

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="certificates are made with openssl")


@dataclass(frozen=True)
class Papers:
    """Certificates: an authority's, a server's and a client's that it has signed, and those of a stranger."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Made once for all tests."""
    folder = tmp_path_factory.mktemp("papers")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ca", "stranger"):
        own = ("-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")
        constraints = ("-addext", "keyUsage=critical,keyCertSign,digitalSignature")
        _openssl(folder, "req", "-x509", *key, *own, *constraints)
    for name, usage in (("server", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(usage)
        _openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", f"{name}.ext")
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    (folder / "both.pem").write_text((folder / "server.key").read_text() + (folder / "server.pem").read_text())
    (folder / "nonsense.pem").write_text("this is no certificate")
    return Papers(folder)


def trusting(papers: Papers, client: str = "") -> ssl.SSLContext:
    """A peer's side, that checks who it talks to."""
    context = ssl.create_default_context(cafile=papers["ca.pem"])
    if client:
        context.load_cert_chain(papers[f"{client}.pem"], papers[f"{client}.key"])
    return context


def call(port: int, context: ssl.SSLContext) -> ssl.SSLSocket:
    """The other side comes."""
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), LIMIT_S), server_hostname="127.0.0.1")


def refused(port: int, context: ssl.SSLContext) -> bool:
    """Whether a peer is turned away: with TLS 1.3 it learns so when it reads."""
    try:
        with call(port, context) as peer:
            peer.sendall(b"intruder")
            return peer.recv(1) == b""
    except (ssl.SSLError, ConnectionError):
        return True


class TestServerCertificate:
    @pytest.mark.parametrize("files", ["cert={server.pem}&key={server.key}", "cert={both.pem}"])
    async def test_a_peer_comes_goes_and_the_next_comes(self, papers: Papers, files: str) -> None:
        for name in ("server.pem", "server.key", "both.pem"):
            files = files.replace(f"{{{name}}}", papers[name])
        ear, port = await listening(f"tls-listen://127.0.0.1:0?{files}")
        expected: list[bool] = []
        for _ in range(2):
            peer = await asyncio.to_thread(call, port, trusting(papers))
            expected.append(True)
            await signalled(ear, *expected)
            await asyncio.to_thread(peer.sendall, EVERY)
            assert await ear.take(256) == EVERY
            ear.link.write(EVERY * 400)
            assert await asyncio.to_thread(read_exactly, peer, 102400) == EVERY * 400
            peer.close()
            expected.append(False)
            await signalled(ear, *expected)
        assert ear.lost == 0
        ear.link.close()

    async def test_what_does_not_speak_tls_harms_nobody(self, papers: Papers) -> None:
        ear, port = await listening(f"tls-listen://127.0.0.1:0?cert={papers['both.pem']}")
        with socket.create_connection(("127.0.0.1", port), LIMIT_S) as plain:
            plain.settimeout(LIMIT_S)
            plain.sendall(b"AT\r\n" * 100)
            while await asyncio.to_thread(plain.recv, 4096):
                pass
        idle = socket.create_connection(("127.0.0.1", port), LIMIT_S)  # never says a word
        peer = await asyncio.to_thread(call, port, trusting(papers))
        await asyncio.to_thread(peer.sendall, b"AT")
        assert await ear.take(2) == b"AT"
        assert bytes(ear.heard) == b"AT"
        assert ear.signals == [True]
        peer.close()
        await signalled(ear, True, False)
        idle.close()
        ear.link.close()

    async def test_a_peer_needs_no_certificate_unless_asked(self, papers: Papers) -> None:
        ear, port = await listening(f"tls-listen://127.0.0.1:0?cert={papers['both.pem']}")
        peer = await asyncio.to_thread(call, port, trusting(papers, "client"))
        await asyncio.to_thread(peer.sendall, b"AT")
        assert await ear.take(2) == b"AT"
        peer.close()
        await signalled(ear, True, False)
        ear.link.close()

    async def test_the_end_of_the_program(self, papers: Papers, tmp_path: Path) -> None:
        """A peer is told goodbye, and nothing is left open (warnings are errors there)."""
        with Rig(tmp_path) as rig:
            link = f"tls-listen://127.0.0.1:0?cert={papers['both.pem']}"
            module = rig.start("module", "--dialect", "wipsoft", "--link", link, ready=False)
            port = int(module.line().partition("127.0.0.1:")[2].partition("?")[0])
            context = trusting(papers)
            plain = socket.create_connection(("127.0.0.1", port), LIMIT_S)
            with context.wrap_socket(plain, server_hostname="127.0.0.1", suppress_ragged_eofs=False) as peer:
                peer.sendall(b"AT\r")
                assert peer.recv(1) == b"A"
                module.process.terminate()
                while peer.recv(100):
                    pass
            assert module.wait() == 0
            assert "Warning" not in module.complaint()


class TestClientCertificate:
    async def test_only_with_one_of_the_authority(self, papers: Papers) -> None:
        """Nobody without a certificate, and nobody with a stranger's, ever reaches the line."""
        text = f"tls-listen://127.0.0.1:0?cert={papers['server.pem']}&key={papers['server.key']}"
        ear, port = await listening(f"{text}&client_ca={papers['ca.pem']}")
        assert await asyncio.to_thread(refused, port, trusting(papers))
        assert await asyncio.to_thread(refused, port, trusting(papers, "stranger"))
        assert (ear.signals, bytes(ear.heard)) == ([], b"")
        peer = await asyncio.to_thread(call, port, trusting(papers, "client"))
        await asyncio.to_thread(peer.sendall, b"AT")
        assert await ear.take(2) == b"AT"
        ear.link.write(b"OK")
        assert await asyncio.to_thread(read_exactly, peer, 2) == b"OK"
        peer.close()
        await signalled(ear, True, False)
        ear.link.close()


class TestMistakes:
    @pytest.mark.parametrize(
        "files",
        [
            "cert=nowhere.pem",
            "cert={nonsense.pem}",
            "cert={server.pem}",
            "cert={server.pem}&key={client.key}",
            "cert={both.pem}&client_ca=nowhere.pem",
            "cert={both.pem}&client_ca={nonsense.pem}",
        ],
    )
    async def test_a_certificate_that_cannot_be_used(self, papers: Papers, files: str) -> None:
        """A missing file, no certificate in it, no key, a key of another: told when the link is opened."""
        for path in papers.folder.iterdir():
            files = files.replace(f"{{{path.name}}}", str(path))
        with pytest.raises(LinkError, match="certificate") as caught:
            await listening(f"tls-listen://127.0.0.1:0?{files}")
        assert "\n" not in str(caught.value)

    async def test_a_key_with_a_password(self, papers: Papers) -> None:
        """A service has nobody to ask: it must not wait at a terminal for an answer."""
        _openssl(papers.folder, "pkcs8", "-topk8", "-in", "server.key", "-passout", "pass:secret", "-out", "locked.key")
        with pytest.raises(LinkError, match="password"):
            await listening(f"tls-listen://127.0.0.1:0?cert={papers['server.pem']}&key={papers['locked.key']}")
