"""Addresses of names, asked of the name servers that a host has named itself (RFC 1035, RFC 3596)."""

from __future__ import annotations

import asyncio

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from gateway.model.causes import Cause
from gateway.model.values import Endpoint, Family, is_six
from gateway.native.dialer import Dialer
from gateway.native.network import NetworkFailure

PORT = 53
TRY_S = 5.0
"""How long a server may take before the next one is asked."""
TRIES = 2
"""How often each server is asked."""
_NO_NETWORK = (Cause.BEARER_LOST, Cause.NO_BEARER)
"""Nobody else can be asked either."""


async def resolve(
    dialer: Dialer, name: str, servers: tuple[str, ...], family: Family = Family.FOUR, *, try_s: float = TRY_S
) -> str:
    """The first address of ``name`` by the first of ``servers`` (addresses) that knows whether it has one.

    Raises :class:`NetworkFailure`: ``name not resolved`` when a server says so, or when none of them answers; that there
    is no bearer where that is why.
    """
    try:
        question = dns.message.make_query(name, dns.rdatatype.AAAA if family is Family.SIX else dns.rdatatype.A)
    except dns.exception.DNSException as error:
        raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name} is no name: {error}") from None
    reasons: dict[str, str] = {}
    for server in servers * TRIES:
        try:
            return _address(await _ask(dialer, Endpoint(server, PORT), question, try_s))
        except (_NotKnown, NetworkFailure) as failure:
            if isinstance(failure, _NotKnown) and failure.final:
                raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name}: {server} says {failure}") from None
            if isinstance(failure, NetworkFailure) and failure.cause in _NO_NETWORK:
                raise
            reasons[server] = str(failure)
    told = "; ".join(f"{server}: {reason}" for server, reason in reasons.items())
    raise NetworkFailure(Cause.NAME_NOT_RESOLVED, f"{name}: {told}")


class _NotKnown(Exception):
    """A server gives no address; ``final``: and no other will."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


async def _ask(dialer: Dialer, server: Endpoint, question: dns.message.Message, limit_s: float) -> dns.message.Message:
    """By a datagram; by a connection where the answer does not fit into one (RFC 7766, 5)."""
    family = Family.SIX if is_six(server.host) else Family.FOUR
    answer = _read(await dialer.ask(server, question.to_wire(), limit_s, family), question)
    if not answer.flags & dns.flags.TC:
        return answer
    reader, writer = await dialer.open(server, family=family)
    try:
        async with asyncio.timeout(limit_s):
            writer.write(question.to_wire(prepend_length=True))
            size = int.from_bytes(await reader.readexactly(2))
            return _read(await reader.readexactly(size), question)
    except TimeoutError:
        raise _NotKnown("no answer by TCP") from None
    except (asyncio.IncompleteReadError, OSError):
        raise _NotKnown("the connection ended before the answer") from None
    finally:
        writer.close()


def _read(data: bytes, question: dns.message.Message) -> dns.message.Message:
    try:
        answer = dns.message.from_wire(data)
    except dns.exception.DNSException as error:
        raise _NotKnown(f"no answer of a name server ({error})") from None
    cut_off = answer.id == question.id and answer.flags & dns.flags.TC  # some servers leave out even the question
    if not (cut_off or question.is_response(answer)):
        raise _NotKnown("an answer to another question")
    return answer


def _address(answer: dns.message.Message) -> str:
    """The address at the end of the chain of other names."""
    code = answer.rcode()
    if code == dns.rcode.NXDOMAIN:
        raise _NotKnown("there is no such name", final=True)
    if code != dns.rcode.NOERROR:
        raise _NotKnown(dns.rcode.to_text(code))
    try:
        addresses = answer.resolve_chaining().answer if isinstance(answer, dns.message.QueryMessage) else None
    except dns.exception.DNSException as error:
        raise _NotKnown(str(error)) from None
    if addresses is None:
        raise _NotKnown("the name has no such address", final=True)
    return str(addresses[0])
