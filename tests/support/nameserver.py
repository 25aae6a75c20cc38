"""A name server of the tests, by dnslib: UDP and TCP on one free port of 127.0.0.1."""

from __future__ import annotations

import threading
from contextlib import suppress

from dnslib import QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

ZONE = """
meter.example.      60 IN A     203.0.113.7
also.example.       60 IN CNAME meter.example.
six.example.        60 IN AAAA  2001:db8::7
"""
LARGE, BROKEN = "large.example", "broken.example"
"""A name with more addresses than a datagram holds; one at which the server fails."""


class _Handler(DNSHandler):  # type: ignore[misc]
    udplen = 512  # more does not fit into a datagram (RFC 1035, 4.2.1)


class NameServer(BaseResolver):  # type: ignore[misc]
    """Knows :data:`ZONE`."""

    def __init__(self, zone: str = ZONE) -> None:
        self._records = RR.fromZone(zone)
        self.asked: list[tuple[str, str]] = []
        """What was asked, and by what transport."""
        quiet = DNSLogger(log="-request,-reply,-truncated,-error,-recv,-send,-data", prefix=False)
        tries = 0
        while True:
            udp = DNSServer(self, address="127.0.0.1", port=0, handler=_Handler, logger=quiet)
            self.port: int = udp.server.server_address[1]
            try:
                tcp = DNSServer(self, address="127.0.0.1", port=self.port, tcp=True, logger=quiet)
                break
            except OSError:  # the port is somebody else's by TCP
                udp.server.server_close()
                tries += 1
                if tries > 20:
                    raise
        self._servers = (udp, tcp)
        self._threads = [
            threading.Thread(target=one.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for one in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        """Answer as an authoritative server does, other names followed."""
        name = str(request.q.qname).rstrip(".")
        self.asked.append((name, handler.protocol))
        reply = request.reply()
        if name == BROKEN:
            reply.header.rcode = RCODE.SERVFAIL
            return reply
        if name == LARGE:
            for number in range(60):
                reply.add_answer(RR(request.q.qname, QTYPE.A, rdata=A(f"203.0.113.{number + 1}"), ttl=60))
            return reply
        wanted, known = request.q.qname, False
        for record in self._records:
            if record.rname == wanted:
                known = True
                if record.rtype in (request.q.qtype, QTYPE.CNAME):
                    reply.add_answer(record)
                if record.rtype == QTYPE.CNAME:
                    wanted = record.rdata.label
        for record in self._records if reply.rr and wanted != request.q.qname else ():
            if record.rname == wanted and record.rtype == request.q.qtype and record not in reply.rr:
                reply.add_answer(record)
        if not known:
            reply.header.rcode = RCODE.NXDOMAIN
        return reply

    def close(self) -> None:
        """Stop."""
        for one, thread in zip(self._servers, self._threads, strict=True):
            with suppress(OSError):
                one.server.shutdown()
                one.server.server_close()
            thread.join()
