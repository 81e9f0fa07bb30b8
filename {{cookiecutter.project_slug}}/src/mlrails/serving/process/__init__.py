"""The processes that serve: one, or several on one port, each on a core of its own."""
