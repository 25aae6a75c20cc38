"""A strict stand-in of a Fibocom L610 module, written from its manual alone and sharing nothing with the gateway.

The second reading of that manual, as its parent package is of the WIPSoft guide. Names in brackets are errata (F05).
"""
