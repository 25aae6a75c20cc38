"""The WIPSoft family, towards a host and as a module."""

from gateway.dialect.quirks.wipsoft.driver import WipsoftDriver as DRIVER
from gateway.dialect.quirks.wipsoft.firmware import WipsoftFirmware as FIRMWARE

__all__ = ["DRIVER", "FIRMWARE"]
