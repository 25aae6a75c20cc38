"""The MIP family, towards a host."""

from gateway.dialect.quirks.mip.firmware import MipFirmware as FIRMWARE

__all__ = ["FIRMWARE"]
