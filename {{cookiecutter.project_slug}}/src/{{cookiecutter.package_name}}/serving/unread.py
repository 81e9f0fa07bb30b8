"""How much of an answer its caller has not taken yet."""

import asyncio
import fcntl
import struct
import termios
from contextlib import suppress


def unread(transport: asyncio.Transport) -> int:
    """Return how many bytes the caller has not taken yet, if some still wait here.

    A slow caller takes what the system has for a long time before it asks for more.
    """
    waiting = transport.get_write_buffer_size()
    if waiting:
        with suppress(OSError):
            place = transport.get_extra_info("socket").fileno()
            (held,) = struct.unpack("i", fcntl.ioctl(place, termios.TIOCOUTQ, bytes(4)))
            waiting += held
    return waiting
