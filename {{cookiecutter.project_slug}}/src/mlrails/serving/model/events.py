"""What the processes of one server tell each other, in lines of JSON."""

from typing import Any

Message = dict[str, Any]
"""A line of JSON between two processes of one server."""
FoundModel = dict[str, Any]
"""A model as the fetcher tells of it: its folder, its origin, and its answer to its example.

It is `private` where the folder is a checked copy, where nobody but this user can write.
"""
