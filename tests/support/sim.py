"""A bridge without links or clock: bytes in, bytes out, time by hand."""

from __future__ import annotations

from gateway.dialect import registry
from gateway.dialect.quirks import driver_of, firmware_of
from gateway.session.bridge import Bridge
from gateway.session.effects import Carrier, Drain, Keep, Note, SetPort, ToHost, ToModule
from gateway.session.host import HostSide
from gateway.session.module import ModuleSide

CONNECTED = {
    b"AT+WIPBR?": b"\r\n6,1\r\n",
    b"AT+WIPBR=3,6,15": b'\r\n+WIPBR: 6,15,"10.0.0.1"\r\n',
    b"AT+MIPCALL?": b"\r\n+MIPCALL: 1,10.0.0.1\r\n",
    b"AT+MIPOPEN?": b"\r\n+MIPOPEN: 1,2,3,4,5,6\r\n",
    b"AT#VSTATE": b'\r\n#STATE: "CONNECTED"\r\n',
    b"AT#DISPLAYIP": b"\r\nMY IP: 10.0.0.1\r\nGateway IP: 10.0.0.2\r\n",
}
"""What a module of any dialect answers, before its OK, to the questions of a gateway that finds it with IP up."""
IDLE = {b"AT+MIPCALL?": b"\r\n+MIPCALL: 0\r\n"}


class SimBridge:
    """A bridge between a host and a module that are both the test."""

    def __init__(
        self,
        host: str = "edsoft-3.02",
        module: str = "wipsoft-5.57",
        *,
        switches: dict[str, str] | None = None,
        stored: dict[str, str | int] | None = None,
        policy: str = "lenient",
        limits_s: dict[str, float] | None = None,
    ) -> None:
        self.now = 100.0
        host_dialect = registry.load(host).with_switches(switches or {})
        module_dialect = registry.load(module)
        host_side = HostSide(host_dialect, firmware_of(host_dialect), stored=stored, policy=policy, tracing=True)
        module_side = ModuleSide(module_dialect, driver_of(module_dialect), limits_s=limits_s, tracing=True)
        self.bridge = Bridge(host_side, module_side)
        self.to_host = b""
        self.to_module = b""
        self.notes: list[Note] = []
        self.kept: dict[str, str | int] | None = None
        self.ports: list[SetPort] = []
        self.carrier = False

    def start(self, *, connected: bool = False) -> None:
        """Let the gateway find a module that is new and idle, or one whose bearer is started already."""
        self.tick()
        said = CONNECTED if connected else IDLE
        while (asked := self.module_hears()) is not None:
            self.module(said.get(asked, b"") + b"\r\nOK\r\n")

    def module_hears(self) -> bytes | None:
        """The next command that the module was sent; None when there is none."""
        if b"\r" not in self.to_module:
            return None
        line, _, self.to_module = self.to_module.partition(b"\r")
        return line

    def host(self, data: bytes) -> None:
        """The host sends."""
        self.bridge.host_receive(data, self.now)
        self._collect()

    def module(self, data: bytes) -> None:
        """The module sends."""
        self.bridge.module_receive(data, self.now)
        self._collect()

    def tick(self) -> None:
        self.bridge.tick(self.now)
        self._collect()

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at every deadline on the way."""
        end = self.now + seconds
        for _ in range(100000):
            due = self.bridge.deadline
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.tick()
        else:
            raise AssertionError("the session asks for the same time again and again")
        self.now = end

    def host_reads(self) -> bytes:
        """What the host has got since the last call."""
        data, self.to_host = self.to_host, b""
        return data

    def module_reads(self) -> bytes:
        """What the module has got since the last call."""
        data, self.to_module = self.to_module, b""
        return data

    def _collect(self) -> None:
        while self.bridge.effects:
            effects, self.bridge.effects = self.bridge.effects, []
            for effect in effects:
                match effect:
                    case ToHost(data):
                        self.to_host += data
                    case ToModule(data):
                        self.to_module += data
                    case Drain():
                        self.bridge.module_drained(self.now, just_now=False)
                    case Keep(values):
                        self.kept = values
                    case SetPort():
                        self.ports.append(effect)
                    case Carrier(on):
                        self.carrier = on
                    case Note():
                        self.notes.append(effect)
