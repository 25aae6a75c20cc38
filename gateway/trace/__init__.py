"""What a session heard and said, and what it became: into a file, and out of it for people."""
