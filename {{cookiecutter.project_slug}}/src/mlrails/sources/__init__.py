"""Where rows come from: files, addresses and databases, all by `sources.read`."""

from .source import read

__all__ = ["read"]
