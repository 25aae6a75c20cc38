"""``tcp-listen://`` and ``socket://``: the other side comes over the network, or we go to it (CONTRACT, Links)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from links.ears import EVERY, MIB, Ear, fill, listening, signalled
from support.rig import LIMIT_S, Server, abort, echo, hold, read_exactly, read_to_end, unused_port
from support.system import needs_ipv6

from gateway.errors import LinkError
from gateway.links.net import ListenLink


def call(port: int, host: str = "127.0.0.1") -> socket.socket:
    """The other side comes."""
    peer = socket.create_connection((host, port), LIMIT_S)
    peer.settimeout(LIMIT_S)
    return peer


class TestListening:
    async def test_a_peer_comes_goes_and_the_next_comes(self) -> None:
        """A port without a cable is open too: coming and going is the terminal's readiness, not the end of the link."""
        ear, port = await listening()
        assert ear.signals == []
        expected: list[bool] = []
        for number in range(3):
            with call(port) as peer:
                expected.append(True)
                await signalled(ear, *expected)
                peer.sendall(EVERY)
                assert await ear.take(256) == EVERY
                ear.link.write(b"to %d" % number + EVERY)
                assert await asyncio.to_thread(read_exactly, peer, 260) == b"to %d" % number + EVERY
            expected.append(False)
            await signalled(ear, *expected)
        assert ear.lost == 0
        ear.link.close()

    async def test_a_peer_that_resets(self) -> None:
        ear, port = await listening()
        peer = call(port)
        await signalled(ear, True)
        abort(peer)
        await signalled(ear, True, False)
        with call(port):
            await signalled(ear, True, False, True)
        ear.link.close()

    async def test_what_was_said_to_nobody_is_not_for_the_next(self) -> None:
        """A host that comes hears nothing of what was said before it came."""
        ear, port = await listening()
        ear.link.write(b"old")
        with call(port) as peer:
            await signalled(ear, True)
            ear.link.write(b"new")
            assert await asyncio.to_thread(peer.recv, 100) == b"new"
        await signalled(ear, True, False)
        ear.link.close()

    async def test_a_second_peer_is_turned_away(self) -> None:
        """The port is in use: the first is not disturbed, and nothing of the second is heard."""
        ear, port = await listening()
        with call(port) as first:
            await signalled(ear, True)
            with call(port) as second, suppress(ConnectionError):
                second.sendall(b"intruder")
                assert await asyncio.to_thread(second.recv, 100) == b""
            first.sendall(b"first")
            assert await ear.take(5) == b"first"
            ear.link.write(b"answer")
            assert await asyncio.to_thread(read_exactly, first, 6) == b"answer"
        await signalled(ear, True, False)
        with call(port) as third:
            await signalled(ear, True, False, True)
            third.sendall(b"third")
            assert await ear.take(5) == b"third"
        assert bytes(ear.heard) == b"firstthird"
        ear.link.close()

    async def test_everything_before_the_end_is_heard(self) -> None:
        """Bytes, and the end right behind them."""
        ear, port = await listening()
        data = EVERY * 1024
        with call(port) as peer:
            await asyncio.to_thread(peer.sendall, data)
        await signalled(ear, True, False)
        assert bytes(ear.heard) == data
        ear.link.close()

    async def test_a_slow_peer_loses_nothing(self) -> None:
        ear, port = await listening()
        data = EVERY * (16 * MIB // 256)
        with call(port) as peer:
            await signalled(ear, True)
            ear.link.write(data)
            assert ear.congestion == [True]
            assert await asyncio.to_thread(read_exactly, peer, len(data)) == data
            await ear.until(lambda: ear.congestion == [True, False])
            await ear.drained()
        ear.link.close()

    async def test_a_slow_peer_that_goes_leaves_no_congestion(self) -> None:
        ear, port = await listening()
        peer = call(port)
        await signalled(ear, True)
        ear.link.write(bytes(16 * MIB))
        assert ear.congestion == [True]
        abort(peer)
        await ear.until(lambda: ear.congestion == [True, False])
        await ear.drained()
        ear.link.close()

    async def test_a_fast_peer_is_held_back(self) -> None:
        ear, port = await listening()
        with call(port) as peer:
            await signalled(ear, True)
            ear.link.read(False)
            peer.setblocking(False)
            sent = await asyncio.to_thread(fill, peer.fileno(), EVERY * 256)
            assert sent < 64 * MIB, "nothing holds the peer back"
            assert not ear.heard
            ear.link.read(True)
            assert await ear.take(sent) == (EVERY * (sent // 256 + 1))[:sent]
        ear.link.close()

    async def test_holding_back_goes_on_for_the_next_peer(self) -> None:
        ear, port = await listening()
        ear.link.read(False)
        with call(port) as peer:
            await signalled(ear, True)
            peer.sendall(b"waits")
            ear.link.write(b"go")
            assert await asyncio.to_thread(read_exactly, peer, 2) == b"go"
            assert not ear.heard
            ear.link.read(True)
            assert await ear.take(5) == b"waits"
        ear.link.close()

    async def test_closed(self) -> None:
        """Neither the peer nor the port is kept, and nothing is called back."""
        ear, port = await listening()
        with call(port) as peer:
            await signalled(ear, True)
            ear.link.write(b"bye")
            ear.link.close()
            assert await asyncio.to_thread(read_to_end, peer) == b"bye"
            with pytest.raises(ConnectionRefusedError):
                await asyncio.to_thread(call, port)
        ear.link.close()
        assert (ear.signals, ear.lost) == ([True], 0)

    async def test_a_silent_peer_is_asked_after(self) -> None:
        """One that has lost its power would else occupy the port for ever: only one is let in at a time."""
        ear, port = await listening()
        with call(port):
            await signalled(ear, True)
            assert isinstance(ear.link, ListenLink) and ear.link.current is not None
            transport = ear.link.current.transport
            assert transport is not None
            sock = transport.get_extra_info("socket")
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
        await signalled(ear, True, False)
        ear.link.close()

    async def test_closed_with_bytes_that_wait(self) -> None:
        """They go out before the program ends; a peer that takes none of them does not hold it up."""
        ear, port = await listening()
        with call(port) as peer:
            await signalled(ear, True)
            ear.link.write(bytes(16 * MIB))
            ear.link.close()
            heard = asyncio.ensure_future(asyncio.to_thread(read_to_end, peer))
            await ear.link.closed()
            assert len(await heard) == 16 * MIB
        assert ear.link.undelivered_bytes == 0

    async def test_closed_with_bytes_that_nobody_takes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gateway.links.net.FLUSH_S", 0.05)
        ear, port = await listening()
        with call(port):
            await signalled(ear, True)
            ear.link.write(bytes(16 * MIB))
            ear.link.close()
            await ear.link.closed()
            assert 0 < ear.link.undelivered_bytes < 16 * MIB
        await asyncio.sleep(0)

    @needs_ipv6
    async def test_ipv6(self) -> None:
        ear, port = await listening("tcp-listen://[::1]:0")
        with call(port, "::1") as peer:
            peer.sendall(b"six")
            assert await ear.take(3) == b"six"
        ear.link.close()

    async def test_a_port_in_use(self) -> None:
        ear, port = await listening()
        with pytest.raises(LinkError, match=f"cannot listen on 127.0.0.1:{port}"):
            await listening(f"tcp-listen://127.0.0.1:{port}")
        ear.link.close()
        again, _ = await listening(f"tcp-listen://127.0.0.1:{port}")
        again.link.close()

    async def test_an_address_of_another_computer(self) -> None:
        with pytest.raises(LinkError, match=r"cannot listen on 192\.0\.2\.1:0"):
            await listening("tcp-listen://192.0.2.1:0")

    @pytest.mark.parametrize("text", ["tcp-listen://a..b:0", f"tcp-listen://{'a' * 64}.example:0", "socket://a..b:1"])
    async def test_a_name_that_cannot_be(self, text: str) -> None:
        """A mistake of the user's never shows a traceback."""
        with pytest.raises(LinkError):
            await Ear(text).link.open()


class TestConnecting:
    async def test_both_ways(self) -> None:
        server = Server(echo)
        ear = Ear(f"socket://127.0.0.1:{server.port}")
        await ear.link.open()
        for _ in range(3):
            ear.link.write(EVERY)
            assert await ear.take(256) == EVERY
        ear.link.close()
        server.close()
        assert ear.lost == 0

    async def test_by_name(self) -> None:
        server = Server(echo)
        ear = Ear(f"socket://localhost:{server.port}?baudrate=9600")
        await ear.link.open()
        ear.link.write(b"named")
        assert await ear.take(5) == b"named"
        ear.link.close()
        server.close()

    async def test_refused(self) -> None:
        port = unused_port()
        with pytest.raises(LinkError, match=f"127.0.0.1:{port}"):
            await Ear(f"socket://127.0.0.1:{port}").link.open()

    async def test_unknown(self) -> None:
        with pytest.raises(LinkError, match=r"nowhere\.invalid"):
            await Ear("socket://nowhere.invalid:1").link.open()

    async def test_lost_and_opened_again(self) -> None:
        server = Server(hold)
        ear = Ear(f"socket://127.0.0.1:{server.port}")
        for number in range(3):
            await ear.link.open()
            peer = await asyncio.to_thread(server.arrived)
            ear.link.write(b"number %d" % number)
            assert await asyncio.to_thread(read_exactly, peer, 8) == b"number %d" % number
            peer.sendall(b"last words")
            peer.close()
            assert await ear.take(10) == b"last words"
            await ear.until(lambda wanted=number + 1: ear.lost == wanted)
            ear.link.write(b"to nobody")
            ear.link.close()
        server.close()
        assert (ear.lost, ear.link.undelivered_bytes) == (3, 27)

    async def test_lost_while_congested(self) -> None:
        """A line that comes back is not congested: who was held back must be let go."""
        server = Server(hold)
        ear = Ear(f"socket://127.0.0.1:{server.port}")
        await ear.link.open()
        peer = await asyncio.to_thread(server.arrived)
        ear.link.write(bytes(16 * MIB))
        assert ear.congestion == [True]
        abort(peer)
        await ear.until(lambda: ear.lost == 1)
        assert ear.congestion == [True, False]
        ear.link.close()
        server.close()

    async def test_nothing_is_called_back_after_closing(self) -> None:
        server = Server(hold)
        ear = Ear(f"socket://127.0.0.1:{server.port}")
        await ear.link.open()
        peer = await asyncio.to_thread(server.arrived)
        ear.link.write(b"last words")
        ear.link.close()
        assert await asyncio.to_thread(read_to_end, peer) == b"last words"
        assert (ear.lost, ear.congestion) == (0, [])
        server.close()
