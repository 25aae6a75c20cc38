"""The matrix: every host dialect's program on every module's dialect, and on no module at all.

A *host program* (:mod:`matrix.edsoft`, :mod:`matrix.wipsoft`, :mod:`matrix.fibocom`) is what stands in a machine in the
field: it knows its own manual and nothing else, and has the verbs of :class:`matrix.host.HostProgram`. A *scenario*
(:mod:`matrix.scenarios`) is a stretch of its day, written once and played on every module: real processes, real lines,
real servers on loopback. The list of hosts and modules is the registry's; nothing is skipped: what a pair cannot do by
the table of services must be refused with the host's own number for it: a scenario names its refusal.

A scenario for another service: the verbs of each family's programs in a class of their own over a host program, by its
commands (:mod:`matrix.edsoft_files`), the play in a new file of :mod:`matrix.scenarios`, and the server that it needs as
a class that :meth:`matrix.stage.Servers.of` begins where a scenario first asks for it.

``AT_GATEWAY_MATRIX_TRACE=1`` shows the end of a bridge's record where a scenario fails. Every bridge is recorded: behind
the last scenario of a pair no secret that its host has told may stand in what the programs have written, the
module's counts of what it has heard among it (:mod:`matrix.secrets`).
"""
