"""The candidate of a merged pull request: only the forge's own word makes it one."""

import io
import stat
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from loopback import Answer, Asked, Server, paged, serve

from mlrails.core.errors import WorldError
from mlrails.github import candidates
from mlrails.lifecycle import bundle

SHA, HEAD, KEY = "c" * 40, "d" * 40, "1" * 64


def zipped(files: Mapping[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


class Forge:
    """A repository with one merged pull request and its candidate; each part can be changed."""

    def __init__(self) -> None:
        self.pull: dict[str, Any] = {
            "merged_at": "2026-11-24",
            "merge_commit_sha": SHA,
            "head": {"sha": HEAD},
        }
        self.of_run: dict[str, Any] = {
            "id": 5,
            "repository_id": 1,
            "head_repository_id": 1,
            "head_sha": HEAD,
        }
        self.artifact: dict[str, Any] = {
            "id": 3,
            "name": f"{bundle.NAME}-{KEY}",
            "expired": False,
            "workflow_run": self.of_run,
        }
        self.run: dict[str, Any] = {
            "path": candidates.WORKFLOW,
            "event": "pull_request",
            "conclusion": "success",
        }
        self.pulls, self.artifacts = [self.pull], [self.artifact]
        self.archive = zipped({"candidate.json": "{}", "models/model/MLmodel": "a"})

    def __call__(self, asked: Asked) -> Answer:
        """Answer as the forge does."""
        if asked.path == f"commits/{SHA}/pulls":
            return paged(self.pulls, asked)
        if asked.path == "actions/artifacts":
            named = [it for it in self.artifacts if it["name"] == asked.query["name"]]
            return paged(named, asked, "artifacts")
        if asked.path.endswith("/zip"):
            return Answer(content=self.archive)
        return Answer(content=self.run) if asked.path == "actions/runs/5" else Answer(404)


def taken(forge: Forge, folder: Path) -> tuple[str | None, Server]:
    with serve(forge) as server:
        return candidates.of_merge(server.job(sha=SHA), KEY, folder), server


def test_the_candidate_of_the_merged_pull_request_is_taken(tmp_path: Path) -> None:
    found, server = taken(Forge(), tmp_path)
    assert found == "https://forge/a/b/actions/runs/5"
    assert (tmp_path / "models" / "model" / "MLmodel").read_bytes() == b"a"
    assert server.asked[-1].path == "actions/artifacts/3/zip"


def test_a_workflow_of_a_branch_or_tag_is_told_with_it(tmp_path: Path) -> None:
    forge = Forge()
    forge.run["path"] += "@refs/heads/main"
    assert taken(forge, tmp_path)[0]


def fork(it: Forge) -> None:
    it.of_run["head_repository_id"] = 2


def nobody(it: Forge) -> None:
    it.artifact["workflow_run"] = None


def older_commit(it: Forge) -> None:
    it.of_run["head_sha"] = "e" * 40


def expired(it: Forge) -> None:
    it.artifact["expired"] = True


def other_inputs(it: Forge) -> None:
    it.artifact["name"] = f"{bundle.NAME}-{'2' * 64}"


def other_workflow(it: Forge) -> None:
    it.run["path"] = ".github/workflows/other.yaml"


def other_folder(it: Forge) -> None:
    it.run["path"] = f"sub/{candidates.WORKFLOW}"


def pushed(it: Forge) -> None:
    it.run["event"] = "push"


def targeted(it: Forge) -> None:
    it.run["event"] = "pull_request_target"


def failed(it: Forge) -> None:
    it.run["conclusion"] = "failure"


def running(it: Forge) -> None:
    it.run["conclusion"] = None


def not_merged(it: Forge) -> None:
    it.pull["merged_at"] = None


def other_merge(it: Forge) -> None:
    it.pull["merge_commit_sha"] = "f" * 40


def no_pull(it: Forge) -> None:
    it.pulls = []


HARMS = [
    *(fork, nobody, older_commit, expired, other_inputs),
    *(other_workflow, other_folder, pushed, targeted, failed, running),
    *(not_merged, other_merge, no_pull),
]


@pytest.mark.parametrize("harm", HARMS, ids=lambda it: it.__name__)
def test_what_is_not_its_own_is_not_taken(harm: Callable[[Forge], None], tmp_path: Path) -> None:
    forge = Forge()
    harm(forge)
    found, server = taken(forge, tmp_path)
    assert found is None
    assert not list(tmp_path.iterdir())
    assert not [asked for asked in server.asked if asked.path.endswith("/zip")]


def test_it_is_found_among_many_that_are_not_it(tmp_path: Path) -> None:
    forge = Forge()
    of_fork = {**forge.artifact, "id": 9, "workflow_run": {**forge.of_run, "head_repository_id": 2}}
    forge.artifacts = [of_fork] * 150 + [forge.artifact]
    forge.pulls = [{**forge.pull, "merged_at": None}, forge.pull]
    found, server = taken(forge, tmp_path)
    assert found
    assert server.asked[-1].path == "actions/artifacts/3/zip"


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", "a\\..\\..\\out", "..", "C:\\x"])
def test_a_file_that_lies_outside_is_refused(name: str, tmp_path: Path) -> None:
    forge = Forge()
    forge.archive = zipped({"candidate.json": "{}", name: "harm"})
    inside = tmp_path / "deep" / "inside"
    inside.mkdir(parents=True)
    with pytest.raises(WorldError, match="a candidate's file lies outside of it"):
        taken(forge, inside)
    assert not list(inside.iterdir()) and len(list(tmp_path.rglob("*"))) == 2


def test_a_link_is_no_way_out(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc")
        archive.writestr("other", "a")
    forge = Forge()
    forge.archive = packed.getvalue()
    taken(forge, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


def test_a_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_MOST", 1_000_000)
    forge = Forge()
    forge.archive = zipped({f"{number}": bytes(300_000) for number in range(4)})
    assert len(forge.archive) < 10_000
    with pytest.raises(WorldError, match="a candidate of more than 1 MB is none"):
        taken(forge, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_bomb_that_lies_about_its_size_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "_MOST", 1_000_000)
    forge = Forge()
    size = (3_000_000).to_bytes(4, "little")
    forge.archive = zipped({"a": bytes(3_000_000)}).replace(size, (10).to_bytes(4, "little"))
    with pytest.raises(WorldError, match="the candidate is no archive"):
        taken(forge, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*")) < 1_000_000


def encrypted() -> bytes:
    content = bytearray(zipped({"a": "b"}))
    for mark, flag in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + flag] |= 1
    return bytes(content)


def broken() -> bytes:
    content = bytearray(zipped({"a": bytes(range(256)) * 40}))
    content[40:60] = b"\xff" * 20
    return bytes(content)


@pytest.mark.parametrize("archive", [b"", b"no archive", encrypted(), broken()], ids=len)
def test_what_is_no_archive_is_told_in_a_sentence(archive: bytes, tmp_path: Path) -> None:
    forge = Forge()
    forge.archive = archive
    with pytest.raises(WorldError, match="the candidate is no archive; run the pull request's"):
        taken(forge, tmp_path)
