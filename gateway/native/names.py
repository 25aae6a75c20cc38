"""Names and ports of a host's world mapped to this computer's: ``name:port=host:port``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gateway.errors import InputError
from gateway.model.values import Endpoint, plain

LISTEN = "listen"
ANY = "*"
_RULE = re.compile(r"(?P<name>\[[^\]]+\]|[^=:\s]+):(?P<port>[0-9]+|\*)=(?P<host>\[[^\]]+\]|[^=:\s]*)(?::(?P<to>[0-9]+))?")


@dataclass(slots=True)
class NameMap:
    """What to connect to instead, and where to listen instead.

    ``example.com:80=127.0.0.1:8080`` maps one port, ``example.com:*=127.0.0.1`` every port of a name, ``*:80=...`` a
    port of every name, ``listen:80=127.0.0.1:8080`` a port that the host listens on, and ``example.com:*=`` makes a
    name unknown. An address of IPv6 stands in brackets.
    """

    rules: dict[tuple[str, str], tuple[str, int | None]] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: list[str]) -> NameMap:
        """Read rules. Raises :class:`InputError` with the rule that is wrong."""
        result = cls()
        for text in texts:
            match = _RULE.fullmatch(text.strip())
            if match is None or not all(_is_port(match[group]) for group in ("port", "to")):
                raise InputError(
                    f"--map {text!r}: expected name:port=host:port, for example example.com:80=127.0.0.1:8080"
                )
            name = plain(match["name"].lower().strip("[]"))
            useless = _without_effect(name, match["port"], match["host"])
            if useless:
                raise InputError(f"--map {text!r}: {useless}")
            port = match["port"] if match["port"] == ANY else str(int(match["port"]))
            to = int(match["to"]) if match["to"] else None
            result.rules[name, port] = (match["host"].strip("[]"), to)
        return result

    def outward(self, peer: Endpoint) -> Endpoint | None:
        """Where a connection to ``peer`` goes; None for a name that is made unknown."""
        host = plain(peer.host.lower())
        for key in ((host, str(peer.port)), (host, ANY), (ANY, str(peer.port))):
            rule = self.rules.get(key)
            if rule is not None:
                return Endpoint(rule[0], rule[1] or peer.port) if rule[0] else None
        return peer

    def name(self, name: str) -> str | None:
        """The host that a name stands for, whatever the port; None for one that is made unknown."""
        own = plain(name.lower())
        rule = self.rules.get((own, ANY)) or next((to for (host, _), to in self.rules.items() if host == own), None)
        if rule is None:
            return name
        return rule[0] or None

    def knows(self, name: str) -> bool:
        """Whether some rule is about a name."""
        return any(host == plain(name.lower()) for host, _ in self.rules)

    def inward(self, port: int, address: str) -> Endpoint:
        """Where to listen for a port of the host's."""
        rule = self.rules.get((LISTEN, str(port)))
        return Endpoint(rule[0] or address, rule[1] or port) if rule else Endpoint(address, port)


def _is_port(text: str | None) -> bool:
    return text is None or text == ANY or (len(text) <= 5 and 1 <= int(text) <= 65535)


def _without_effect(name: str, port: str, host: str) -> str:
    """Why a rule would never be looked up, or change nothing; empty when it is a good one."""
    if port == ANY and name in (ANY, LISTEN):
        kind = "a port that is listened on" if name == LISTEN else "every name"
        return f"expected a port: a rule for {kind} is for one port"
    if name == LISTEN and not host:
        return "expected the address to listen at, for example listen:80=127.0.0.1:8080"
    return ""
