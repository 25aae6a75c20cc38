"""AT Gateway: equipment programmed for one cellular module keeps working with another."""

__version__ = "0.1.0"
