"""Requests and answers: connections, bodies, rows, limits."""
