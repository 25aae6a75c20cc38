"""A strict stand-in of a WIPSoft 5.57 module, written from its guide alone and sharing nothing with the gateway.

The gateway's own virtual module shares its tables with the gateway's module side, so that a misreading can hide in
both. This one cannot hide it: it is a second reading of the same guide, it complains of everything that no guide
allows, and it has a habit (:mod:`standin.habits`) for every place where the errata leave more than one reading open.

:mod:`standin.mip` is the same of a Fibocom L610 module. What its hosts do in a day is in :mod:`standin.plays` (eDSoft),
:mod:`standin.wip_plays` and :mod:`standin.mip_plays`.
"""
