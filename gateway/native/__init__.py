"""The work done by the gateway itself, over a network: this computer's. Knows no dialect."""
