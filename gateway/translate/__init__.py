"""A request and what a module is able to, to the way that is taken."""
