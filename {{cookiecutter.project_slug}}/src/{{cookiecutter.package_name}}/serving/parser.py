"""The parser of requests, which goes on in HTTP/1.1 where it is asked for another protocol."""

from typing import Any

import httptools


class Parser(httptools.HttpRequestParser):
    """Lets pass that a caller would rather speak another protocol (RFC 9110, 7.8)."""

    def __init__(self, connection: Any) -> None:
        """`connection` has a `parser`, and the `head_alone` that it has met last."""
        super().__init__(connection)
        self._connection = connection
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # As uvicorn has it.

    def feed_data(self, data: Any) -> None:
        """Read on after a head that asks for another protocol as if it did not.

        The parser that has met it reads no body any more: another one takes its place.
        """
        rest, parser = memoryview(data), self
        while rest:
            try:
                super(Parser, parser).feed_data(rest)
                return
            except httptools.HttpParserUpgrade as asked:
                rest = rest[asked.args[0] :]
                parser = self._connection.parser = Parser(self._connection)
                super(Parser, parser).feed_data(self._connection.head_alone)
