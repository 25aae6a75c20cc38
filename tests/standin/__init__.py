"""A strict stand-in of a WIPSoft 5.57 module, written from its guide alone and sharing nothing with the gateway.

The gateway's own virtual module shares its tables with the gateway's module side, so that a misreading can hide in
both. This one cannot hide it: it is a second reading of the same guide, it complains of everything that no guide
allows, and it has a habit (:mod:`standin.habits`) for every place where the errata leave more than one reading open.
"""
