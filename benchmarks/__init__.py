"""How quick the gateway is, measured against socat on the same kind of line, in one run, with a bar for each figure.

``python -m benchmarks [--quick] [--format text|json|markdown]`` from the repository's top; needs Linux and socat. The
exit code is 1 when a bar is missed. Only ratios of one run mean much: they are taken in rounds, the bridge and socat
by turns, and medians of the rounds are shown.
"""
