"""The recovery matrix: every state of every service, on every module, with everything that can go wrong with a module.

A *lab* (:mod:`recovery.lab`) is the product itself in one process, host's line, gateway, virtual module and the servers
behind it, on an event loop whose time is by hand and whose network is in memory (:mod:`recovery.clock`,
:mod:`recovery.network`): a limit of 60 s costs nothing, and a cell some milliseconds. The hosts are the programs of
:mod:`matrix`, with the services that those have not (:mod:`recovery.program`).

A *cell* (:mod:`recovery.verdict`) is a pair of dialects, a *state* that the host is in (:mod:`recovery.edsoft`,
:mod:`recovery.wipsoft`, :mod:`recovery.fibocom`) and a *fault* (:mod:`recovery.faults`). It is right when whatever the
host waits for ends within its limit in an error or event of its dialect, nothing is said that does not belong, ``AT`` is
answered, and the same service works at the next attempt, with no more than a new start of the bearer where the host was
told that it is lost, or is told so by that attempt.

:mod:`recovery.steps` lets a fault fall on each command that a service makes of the gateway, with a host that tries again
at once; :mod:`recovery.soak` is two minutes of everything at random, every byte compared.

:mod:`recovery.silence` opens every service that begins with a connection to a peer that never answers, on every pair and
on no module at all.

``AT_GATEWAY_LONG=1`` plays the steps of all pairs, and many more days. ``AT_GATEWAY_RECOVERY_TRACE=1`` shows what
happened at the gateway where a cell fails.
"""
