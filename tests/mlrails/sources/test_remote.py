"""Sources that lie elsewhere, on servers of this machine: fetched, pinned, and no secret told."""

import base64
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pandas as pd
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from loopback import running

from mlrails.core import hashing
from mlrails.core.errors import UsageError, WorldError
from mlrails.data.schema import Column
from mlrails.sources import addresses, provenance, read

N = [Column("n", "number")]
SECRET = "dragon-horse-battery"  # noqa: S105 - nobody's


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SOURCE_USER", "SOURCE_PASSWORD", "SOURCE_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def web(
    pages: Mapping[str, Any], asked: list[tuple[str, str | None]] | None = None
) -> Iterator[str]:
    """Serve pages: bytes, a status, or where a page leads to; note what was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if asked is not None:
                asked.append((self.path, self.headers.get("Authorization")))
            page = pages.get(self.path.partition("?")[0], 404)
            body = page if isinstance(page, bytes) else b""
            status = page if isinstance(page, int) else 302 if isinstance(page, str) else 200
            self.send_response(status)
            if isinstance(page, str):
                self.send_header("Location", page)
            # What is cut in the middle was longer.
            self.send_header("Content-Length", str(len(body) + 9 * body.endswith(b"CUT")))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 - the name of http.server

        def log_message(self, *_: object) -> None: ...

    with running(Handler) as address:
        yield address


def digest_of(source: str, **how: Any) -> str:
    with provenance.noted() as found:
        read(source, N, **how)
    return found[0].digest


def test_a_file_of_a_web_server_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"n;m\n1,5;2\n")
    pd.DataFrame({"n": [3]}).to_parquet(tmp_path / "x")
    pages = {f"/{it.name}": it.read_bytes() for it in tmp_path.iterdir()}
    with web(pages) as host:
        source = f"{host}/x.csv?day=7"
        with provenance.noted() as found:
            assert read(source, N, separator=";", decimal=",")["n"].tolist() == ["1.5"]
        assert read(f"{host}/x", N)["n"].tolist() == [3]
    assert found == [
        provenance.Source(f"{host}/x.csv?day=***", hashing.of_file(tmp_path / "x.csv"))
    ]


def test_other_bytes_under_the_same_name_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    pages = {"/x.csv": b"n\n1\n"}
    with web(pages) as host:
        source = f"{host}/x.csv"
        known = digest_of(source)
        assert f"write sha256='{known}' in source.py" in capsys.readouterr().err
        assert digest_of(source, sha256=known) == known and not capsys.readouterr().err
        pages["/x.csv"] = b"n\n2\n"
        with pytest.raises(WorldError, match=f"x.csv: has changed: .*, and was {known}") as error:
            read(source, N, sha256=known)
        now = digest_of(source)
        assert now in str(error.value)
        assert read(source, N, sha256=now)["n"].tolist() == ["2"]


@pytest.mark.parametrize(
    ("page", "kind", "message"),
    [
        (404, UsageError, "there is no such file"),
        (403, WorldError, "cannot be read .*Forbidden"),
        (500, WorldError, "cannot be read"),
        (b"n\n1\nCUT", WorldError, "cannot be read"),
        (b"PK\x03\x04", UsageError, r"http.*: .*x.csv: it is a workbook of Excel"),
        (b"m\n1\n", UsageError, "http.*x.csv: the column 'n' is missing"),
    ],
)
def test_what_a_web_server_does_not_give_is_said(page: Any, kind: type, message: str) -> None:
    with web({"/x.csv": page}) as host, pytest.raises(kind, match=message) as error:
        read(f"{host}/x.csv", N)
    assert "source-" not in str(error.value)


def test_a_server_that_is_not_there_is_said() -> None:
    with web({}) as host:
        pass
    with pytest.raises(WorldError, match="cannot be read"):
        read(f"{host}/x.csv", N)


@pytest.mark.parametrize(
    ("variables", "sent"),
    [
        ({"SOURCE_TOKEN": f"{SECRET}\n"}, f"Bearer {SECRET}"),
        (
            {"SOURCE_USER": "me", "SOURCE_PASSWORD": SECRET},
            "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode(),
        ),
    ],
)
def test_an_account_is_sent_to_the_server_that_is_named_and_to_no_other(
    monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], sent: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    here: list[tuple[str, str | None]] = []
    there: list[tuple[str, str | None]] = []
    with (
        web({"/x.csv": b"n\n1\n"}, there) as other,
        web({"/x.csv": f"{other}/x.csv"}, here) as host,
    ):
        assert read(f"{host}/x.csv", N)["n"].tolist() == ["1"]
    assert {it for _, it in here} == {sent} and {it for _, it in there} == {None}


def test_an_account_is_not_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_TOKEN", SECRET)
    with pytest.raises(UsageError, match="in the clear; name it by https"):
        read("http://example.invalid/x.csv", N)


SECRETS = [
    f"https://me:{SECRET}@host/x.csv",
    f"https://{SECRET}@host/x.csv",
    f"https://host/x.csv?X-Amz-Signature={SECRET}",
    f"https://host/x.csv?day=1&api_key={SECRET}",
    f"https://host/x.csv?sig={SECRET}",
    f"s3://AKIA:{SECRET}@bucket/x.csv",
    f"postgresql://me:{SECRET}@host/bank",
    f"postgresql://me:{SECRET}/@host/bank",
    f"postgresql://me:{SECRET}?@host/bank",
    f"postgresql://host/bank?password={SECRET}",
]


@pytest.mark.parametrize("address", SECRETS)
def test_an_address_with_a_secret_is_refused_without_telling_it(address: str) -> None:
    with pytest.raises(UsageError, match=r"holds a secret .* SOURCE_PASSWORD") as error:
        read(address, N, query="select 1")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://host:8443/a@b:c/x.csv?day=1&monkey=2",
        "s3://bucket/a@b.csv",
        "postgresql+psycopg://reader@[::1]:5432/bank?sslmode=require",
        "sqlite:///data/bank.db",
    ],
)
def test_an_address_without_one_is_taken(address: str) -> None:
    addresses.check(address)


def test_a_secret_of_the_environment_is_in_no_message() -> None:
    assert addresses.masked(f"no {SECRET} for you", [SECRET, ""]) == "no *** for you"


def known_stores() -> dict[str, Any]:
    found: dict[str, Any] = sys.modules[fsspec.get_filesystem_class.__module__]._registry
    return found


class Bucket(MemoryFileSystem):
    """A store in memory under another name."""

    protocol = "gs"
    store: dict[str, Any] = {}  # noqa: RUF012 - fsspec's own way
    pseudo_dirs = [""]  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return "/" + path.removeprefix("gs://").strip("/")


def test_a_folder_and_a_glob_of_a_store_are_read_as_those_of_a_disk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(known_stores(), "gs", Bucket)
    bucket = Bucket()
    for name, text in {
        "b/rows/day=2/b.csv": "n\n2\n",
        "b/rows/day=1/a.csv": "n\n1\n",
        "b/rows/_books/c.csv": "n\n3\n",
        "b/rows/d.txt": "n\n4\n",
        "b/table/a.csv": "n\n5\n",
        "b/table/_delta_log/0.json": "{}",
    }.items():
        bucket.pipe_file(f"/{name}", text.encode())
    columns = [*N, Column("day", "number")]
    assert read("gs://b/rows", columns).to_dict("list") == {"n": ["1", "2"], "day": ["1", "2"]}
    assert read("gs://b/rows/*/*.csv", N)["n"].tolist() == ["1", "2"]
    assert read("gs://b/rows/d.txt", N)["n"].tolist() == ["4"]
    before = digest_of("gs://b/rows")
    bucket.pipe_file("/b/rows/day=3/a.csv", b"n\n6\n")
    assert digest_of("gs://b/rows") != before
    for source in ("gs://b/table", "gs://b/table/*.csv"):
        with pytest.raises(UsageError, match="a table of Delta"):
            read(source, N)
    for source, message in (("gs://b/none/*.csv", "no .parquet or .csv"), ("gs://b/none", "no ")):
        with pytest.raises(UsageError, match=message):
            read(source, N)


def test_what_a_store_needs_and_is_not_installed_is_named() -> None:
    assert "gs" not in known_stores()
    with pytest.raises(UsageError, match="needs gcsfs, which is not installed; add it to"):
        read("gs://bucket/x.csv", N)


@pytest.mark.parametrize("address", ["ftp://host/x.csv", "hdfs://host/x"])
def test_an_address_of_no_kind_is_said(address: str) -> None:
    with pytest.raises(UsageError, match="no address of a file or a database; write it as"):
        read(address, N, query="select 1")
