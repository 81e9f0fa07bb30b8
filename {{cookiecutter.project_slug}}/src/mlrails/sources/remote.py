"""Files at an address, fetched as they are into a folder: S3, Google Cloud Storage, HTTP.

S3 and Google take their accounts from the environment, each in its own way (`AWS_…`,
`GOOGLE_APPLICATION_CREDENTIALS`); a web server is sent `SOURCE_TOKEN`, or `SOURCE_USER` and
`SOURCE_PASSWORD`, and no server that it leads to.
"""

import base64
import glob
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..core.errors import ProjectError, UsageError, WorldError
from ..core.settings import Account
from . import addresses, datasets

_CONNECT, _SILENT = 30.0, 120.0
"""Seconds to reach a server, and that it may say nothing while it sends."""
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

Shown = Callable[[Sequence[str]], Iterable[str]]
"""Shows progress while it passes names on."""


def fetch(address: str, folder: Path, account: Account, shown: Shown = list) -> list[Path]:
    """Fetch the files of an address into a folder, in order; return where they lie.

    Raises UsageError where there is none, and WorldError where it cannot be had.
    """
    try:
        system = _system(address, account)
        names = _names(system, address)
        return [_fetched(system, it, folder) for it in shown(names)]
    except ProjectError:
        raise
    except (FileNotFoundError, IsADirectoryError):
        where = addresses.masked(address)
        raise UsageError(f"{where}: there is no such file; mend the address") from None
    except ImportError as error:
        raise _lacking(address, error) from None
    except Exception as error:  # Each library of a store raises what it likes.
        raise _unreachable(address, account, error) from None


def _system(address: str, account: Account) -> Any:
    """Return fsspec's view of the store; nothing that was listed before is believed."""
    import fsspec

    kind = str(addresses.scheme(address))
    web = _web(address, account) if kind in {"http", "https"} else {}
    return fsspec.filesystem(kind, skip_instance_cache=True, use_listings_cache=False, **web)


def _web(address: str, account: Account) -> dict[str, Any]:
    import aiohttp

    told = _authorization(account)
    there = urlsplit(address)
    if told and there.scheme == "http" and there.hostname not in _LOOPBACK:
        raise UsageError(
            f"{addresses.masked(address)}: SOURCE_TOKEN or SOURCE_PASSWORD would be sent in the "
            "clear; name it by https://"
        )
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=_SILENT)
    return {"client_kwargs": {"headers": told, "timeout": timeout}}


def _authorization(account: Account) -> dict[str, str]:
    if account.token:
        return {"Authorization": f"Bearer {account.token}"}
    if not account.password:
        return {}
    pair = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def _names(system: Any, address: str) -> list[str]:
    """Return the files that an address means, in order."""
    where = addresses.masked(address)
    if addresses.scheme(address) in {"http", "https"}:
        return [address]
    path = str(system._strip_protocol(address))
    if glob.has_magic(path):
        found = [it for it in system.glob(path) if system.isfile(it)]
        base = posixpath.dirname(re.split(r"[*?\[]", path)[0])
    elif system.isfile(path):
        return [path]
    else:
        found, base = system.find(path), path
    relative = {it: Path(posixpath.relpath(it, base)) for it in found}
    logs = (Path(log, "x") for log in datasets.LOGS if system.isdir(f"{base}/{log}"))
    datasets.refuse_logged_names(where, [*relative.values(), *logs])
    chosen = sorted(
        it
        for it, name in relative.items()
        if name.suffix in datasets.ENDINGS and not any(map(datasets.is_hidden, name.parts))
    )
    if not chosen:
        raise datasets.nothing(where)
    return chosen


def _fetched(system: Any, name: str, folder: Path) -> Path:
    """Fetch one file to a place below the folder that has its name, which holds no way out."""
    parts = [unquote(it) for it in urlsplit(name).path.split("/")]
    safe = [it.replace("/", "_") for it in parts if it not in {"", ".", ".."}] or ["rows"]
    target = folder.joinpath(*safe)
    target.parent.mkdir(parents=True, exist_ok=True)
    system.get_file(name, str(target))
    return target


def _lacking(address: str, error: ImportError) -> UsageError:
    package = {"s3": "s3fs", "gs": "gcsfs"}.get(str(addresses.scheme(address)), error.name)
    return addresses.lacking(address, package)


def _unreachable(address: str, account: Account, error: Exception) -> WorldError:
    """Say in a line what a store has said; a name of an error where it has said nothing."""
    kind = type(error).__name__
    words = addresses.masked(str(error).strip(), account.secrets).splitlines()[:1]
    said = f"{kind}: {words[0][:160]}" if words else kind
    return WorldError(
        f"{addresses.masked(address)}: cannot be read ({said}); see that it is there and what the "
        "environment says of the account, and run again"
    )
