"""PostgreSQL on this machine alone: a cluster in a folder of its own, ended by its process."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

OWNER, SECRET = "owner", "dragon/horse@battery:staple"
_DEBIAN = Path("/usr/lib/postgresql")
_SECONDS = 60


def hindrance() -> str | None:
    """Return why no PostgreSQL can run here; nothing where one can."""
    if sys.platform == "win32":
        return "its programs are started as another user, which Windows does not let us"
    if not _program("initdb"):
        return "PostgreSQL is not installed here (.ci/run installs it)"
    if os.geteuid() == 0 and not _account():
        return "root may not run PostgreSQL, and there is no user `postgres` or `nobody`"
    return None


def _program(name: str) -> str | None:
    """Return where a program lies; Debian has those of a server in a folder that PATH lacks."""
    folders = os.pathsep.join([os.environ["PATH"], *map(str, sorted(_DEBIAN.glob("*/bin")))])
    return shutil.which(name, path=folders)


def _account() -> str | None:
    import pwd

    names = {it.pw_name for it in pwd.getpwall()}
    return next((it for it in ("postgres", "nobody") if it in names), None)


@contextmanager
def cluster() -> Iterator[str]:
    """Yield the address of a database that asks for a password, without it."""
    who: Mapping[str, str] = {"user": str(_account())} if os.geteuid() == 0 else {}
    # pytest's own folders are closed to the user that it runs as.
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        (folder / "password").write_text(SECRET, "utf-8")
        if who:
            for it in (folder, folder / "password"):
                shutil.chown(it, who["user"])
        made = [_program("initdb"), "-D", folder / "data", "-U", OWNER, "-A", "scram-sha-256"]
        made += ["--pwfile", folder / "password", "--no-sync", "--encoding", "UTF8", "--no-locale"]
        subprocess.run(made, check=True, capture_output=True, cwd="/", **who)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        words = ["-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
        log = subprocess.DEVNULL
        server = subprocess.Popen(
            [_program("postgres"), *words], stdout=log, stderr=log, cwd="/", **who
        )
        try:
            _wait(server, port)
            yield f"postgresql://{OWNER}@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for whoever is connected.
            server.wait(_SECONDS)


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as asks:
            if asks.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("PostgreSQL did not start")
