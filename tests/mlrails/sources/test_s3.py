"""A bucket of S3, by moto's server on this machine: fsspec and s3fs as they are."""

from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mlrails.core.errors import UsageError, WorldError
from mlrails.data.schema import Column
from mlrails.sources import provenance, read

N = [Column("n", "number")]
KEYS = {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "a-secret-of-a-test"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def address(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": server, "AWS_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    bucket = boto3.resource("s3", region_name="us-east-1").create_bucket(Bucket="rows")
    bucket.objects.delete()
    for name, text in {"year=1/a.csv": "n\n1\n", "year=2/b.csv": "n\n2\n"}.items():
        bucket.put_object(Key=f"all/{name}", Body=text.encode())
    return "s3://rows/all"


def test_a_bucket_is_read_and_a_change_in_it_is_noticed(address: str) -> None:
    columns = [*N, Column("year", "number")]
    with provenance.noted() as found:
        rows = read(address, columns)
    assert rows.to_dict("list") == {"n": ["1", "2"], "year": ["1", "2"]}
    known = found[0].digest
    assert len(read(f"{address}/*/b.csv", N)) == 1 and len(read(f"{address}/year=2/b.csv", N)) == 1
    boto3.resource("s3").Object("rows", "all/year=2/b.csv").put(Body=b"n\n3\n")
    with pytest.raises(WorldError, match=r"s3://rows/all: has changed"):
        read(address, columns, sha256=known)


def test_what_a_bucket_does_not_hold_is_said(address: str) -> None:
    with pytest.raises(UsageError, match=r"s3://rows/none: no .parquet or .csv file there"):
        read("s3://rows/none", N)
    with pytest.raises((UsageError, WorldError), match=r"s3://nobody/x\.csv: "):
        read("s3://nobody/x.csv", N)


def test_without_an_account_it_is_said_what_is_missing(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in KEYS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(WorldError, match=r"cannot be read .* what the environment says"):
        read(address, N)
