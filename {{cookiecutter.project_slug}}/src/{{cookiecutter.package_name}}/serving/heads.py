"""Heads of requests that a proxy may read as meant for another host (RFC 9112, 3.2): refused.

Two lengths, and a length beside chunks, the parser refuses by itself.
"""

import re
from collections.abc import Iterable

_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")
"""A name or an address, which may be empty, and a port (RFC 3986, 3.2.2)."""


def check_host(headers: Iterable[tuple[bytes, bytes]], version: str) -> None:
    """Raise ValueError where a head names no host, several, or what cannot be one."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) > 1:
        raise ValueError("The request names two hosts; send one line Host.")
    if not hosts and version != "1.0":
        raise ValueError("The request names no host; send a line Host.")
    if hosts and not _HOST.fullmatch(hosts[0].strip()):
        raise ValueError("The request's Host is no name of a host.")
