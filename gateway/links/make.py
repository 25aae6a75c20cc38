"""From what a user typed to the link that does it."""

from __future__ import annotations

from gateway.links.handler import HandlerLink
from gateway.links.link import Link
from gateway.links.net import ConnectLink, ListenLink
from gateway.links.spec import LinkSpec
from gateway.links.tty import PtyLink, SerialLink


def make_link(spec: LinkSpec) -> Link:
    """A link that is not open yet."""
    match spec.kind:
        case "pty":
            return PtyLink(spec)
        case "device":
            return SerialLink(spec)
        case "tcp-listen" | "tls-listen":
            return ListenLink(spec)
        case _:
            return ConnectLink(spec) if spec.target.startswith("socket://") else HandlerLink(spec)
