"""TLS over whatever carries bytes: this computer's sockets, or a module's."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import functools
import ssl

from gateway.model.causes import Cause
from gateway.native.network import NetworkFailure
from gateway.native.relay import Relay
from gateway.native.tunnel import Tunnel, ends

HANDSHAKE_LIMIT_S = 60


@functools.cache
def context(verify: bool = True) -> ssl.SSLContext:
    """How to speak TLS as a client: servers must prove who they are by the system's certificates, unless told not to."""
    made = ssl.create_default_context()
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


async def secure(tunnel: Tunnel, protocol: asyncio.BaseProtocol, trust: ssl.SSLContext, server_name: str) -> None:
    """Speak TLS through the tunnel from now on; ``protocol`` is given its end when that is up.

    asyncio's own TLS protocol is used, not the loop's ``start_tls``: another loop than asyncio's takes no transport but
    its own there. Raises :class:`NetworkFailure`.
    """
    loop = asyncio.get_running_loop()
    up = loop.create_future()
    between = asyncio.sslproto.SSLProtocol(
        loop, protocol, trust, up, server_side=False, server_hostname=server_name, ssl_handshake_timeout=HANDSHAKE_LIMIT_S
    )
    try:
        tunnel.start(between)
        await up
    except (OSError, EOFError) as error:
        tunnel.abort()
        raise NetworkFailure(Cause.OPEN_FAILED, f"no TLS with {server_name}: {error}") from error
    except BaseException:
        tunnel.abort()
        raise


async def upgrade(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trust: ssl.SSLContext, server_name: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Speak TLS on a connection from now on. Raises :class:`NetworkFailure`; the connection is closed then."""
    inner, protocol, outer = ends()
    await secure(Relay(reader, writer).tunnel, protocol, trust, server_name)
    return inner, outer()
