"""Somebody's table becomes the project's data: read, look, plan, ask, write."""
