"""python load.py PORT CONNECTIONS SECONDS FILE TOLERANCE: asks a model and checks each answer.

FILE holds JSON lines: `{"body": …, "predictions": … or null}`. Each connection sends one request
after the other, and each answer is held against the predictions of its own request, so that nothing
can be lost or mixed up without being seen. Prints JSON: how many, how fast, and what was wrong.
"""

import asyncio
import itertools
import json
import math
import sys
import time
from contextlib import suppress
from pathlib import Path

HEAD = "POST /invocations HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: "Run", first: int) -> None:
        self.run, self.place = run, first
        self.got, self.length = b"", -1
        self.sent = 0.0
        self.closed = False

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.place = (self.place + 1) % len(self.run.requests)
        self.sent = time.perf_counter()
        self.transport.write(self.run.requests[self.place])

    def data_received(self, data: bytes) -> None:
        self.got += data
        end = self.got.find(b"\r\n\r\n")
        if end < 0:
            return
        if self.length < 0:
            head = self.got[:end].lower()
            self.length = end + 4 + int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        if len(self.got) >= self.length:
            self.run.answered(self, int(self.got[9:12]), self.got[end + 4 : self.length])
            self.got, self.length = self.got[self.length :], -1
            if time.perf_counter() < self.run.until:
                self.ask()
            else:
                self.closed = True
                self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.closed:
            self.run.lost += 1


class Run:
    """All connections and what became of them."""

    def __init__(self, lines: list[dict[str, object]], tolerance: float) -> None:
        self.tolerance = tolerance
        self.requests, self.expected = [], []
        for line in lines:
            body = json.dumps(line["body"]).encode()
            self.requests.append(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            self.expected.append(line["predictions"])
        self.seconds: list[float] = []
        self.statuses: dict[int, int] = {}
        self.lost = self.wrong = 0
        self.until = 0.0
        self.right: list[set[bytes]] = [set() for _ in lines]

    def answered(self, caller: Caller, status: int, body: bytes) -> None:
        self.seconds.append(time.perf_counter() - caller.sent)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        # The same bytes need no second look.
        if status == 200 and body not in self.right[caller.place]:
            if self.expected[caller.place] is None or self.is_right(caller.place, body):
                self.right[caller.place].add(body)
            else:
                self.wrong += 1

    def is_right(self, place: int, body: bytes) -> bool:
        """One of the expected lists of predictions, but for the last bits of a float."""
        found = json.loads(body)["predictions"]
        return any(_same(found, it, self.tolerance) for it in self.expected[place])


def _same(
    found: list[dict[str, float]], expected: list[dict[str, float]], tolerance: float
) -> bool:
    return len(found) == len(expected) and all(
        one.keys() == two.keys()
        and all(math.isclose(one[it], two[it], rel_tol=tolerance, abs_tol=tolerance) for it in one)
        for one, two in zip(found, expected, strict=True)
    )


async def load(
    port: int, connections: int, seconds: float, lines: list, tolerance: float
) -> dict[str, object]:
    """Ask for some seconds; return the figures."""
    run, loop = Run(lines, tolerance), asyncio.get_running_loop()
    started = time.perf_counter()
    run.until = started + seconds
    callers = [
        (await loop.create_connection(lambda it=it: Caller(run, it), "127.0.0.1", port))[1]
        for it in itertools.islice(itertools.cycle(range(len(lines))), connections)
    ]
    while time.perf_counter() < run.until + 30 and not all(it.closed for it in callers):
        await asyncio.sleep(0.05)
        if run.lost == connections:
            break
    took = min(time.perf_counter() - started, seconds + 30)
    found = sorted(run.seconds) or [math.nan]
    return {
        "requests": len(run.seconds),
        "per_second": len(run.seconds) / took,
        "p50_ms": 1000 * found[len(found) // 2],
        "p99_ms": 1000 * found[min(len(found) - 1, int(len(found) * 0.99))],
        "statuses": run.statuses,
        "wrong": run.wrong,
        "lost": run.lost,
        "unanswered": sum(not it.closed for it in callers),
    }


def main() -> None:
    port, connections, seconds, file, tolerance = sys.argv[1:]
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    lines = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    how = (int(port), int(connections), float(seconds), lines, float(tolerance))
    print(json.dumps(asyncio.run(load(*how))))


if __name__ == "__main__":
    main()
