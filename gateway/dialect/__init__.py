"""A dialect: its grammar, its tables, and the behaviour that tables cannot say. Knows nothing of sessions."""
