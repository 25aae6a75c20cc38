"""What surrounds sessions: what they keep over a restart."""
