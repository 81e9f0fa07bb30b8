"""Where rows come from: files, addresses and databases, all by `sources.read`."""

from .source import Track, read

__all__ = ["Track", "read"]
