"""The forge in a folder: what a workflow may, sees and leaves behind there, as on GitHub.

The workflows here are small: that the project's own run is shown by `nox -s forge`.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import rows

from mlrails.core.errors import UsageError, WorldError
from mlrails.replay import git
from mlrails.replay.__main__ import _has_changes, replay
from mlrails.replay.forge import Forge, forge
from mlrails.replay.machine import Machine
from mlrails.replay.rights import Configuration
from mlrails.replay.workflow import matches

OPENS = "${" + "{"  # In two parts: in one it is the template's own.
CHECKOUT = "actions/checkout@v7"
ALL = {"uses": CHECKOUT, "with": {"fetch-depth": 0, "persist-credentials": False}}
SECRETS = {"": {"COMMON": "common-secret"}, "production": {"KEY": "production-secret"}}
Run = Callable[..., Any]


def job(*steps: str | dict[str, Any], **more: Any) -> dict[str, Any]:
    told = [{"run": it} if isinstance(it, str) else it for it in steps]
    return {"runs-on": "ubuntu-24.04", "permissions": {"contents": "read"}, "steps": told, **more}


def workflow(on: Any, **jobs: dict[str, Any]) -> str:
    """Return a workflow file; `<<` and `::` stand for an expression's braces."""
    # JSON is YAML.
    text = json.dumps({"name": "Small", "on": on, "jobs": jobs})
    return text.replace("<<", OPENS).replace("::", "}}")


def kept(name: str, path: str, **more: Any) -> dict[str, Any]:
    return {"uses": "actions/upload-artifact@v7", "with": {"name": name, "path": path, **more}}


def taken(name: str) -> dict[str, Any]:
    return {"uses": "actions/download-artifact@v8", "with": {"name": name, "path": "taken"}}


CACHE = {
    "uses": "actions/cache@v6",
    "with": {"path": "kept", "key": "k-<< github.run_id ::", "restore-keys": "k-"},
}


class Repository:
    """A clone of a forge's repository."""

    def __init__(self, root: Path, forge: Forge) -> None:
        self.root, self.forge = root, forge
        rows.git(root.parent, "clone", "--quiet", str(forge.remote), str(root))

    def push(self, branch: str, start: str = "main", **files: str) -> str:
        """Push a commit that writes files; a name's `__` is a slash, and w.yaml is the workflow."""
        if self.forge.tip(start) != git.ZERO:
            rows.git(self.root, "fetch", "--quiet", "origin")
            rows.git(self.root, "checkout", "--quiet", "-B", branch, f"origin/{start}")
        for name, text in files.items():
            known = {"w": ".github/workflows/w.yaml"}
            path = self.root / known.get(name, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        rows.git(self.root, "add", "--all")
        rows.git(self.root, "commit", "--quiet", "--allow-empty", "--message", f"to {branch}")
        rows.git(self.root, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return self.forge.tip(branch)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Forge]:
    machine = Machine(tmp_path / "nox", uvx='echo "uvx $*"')
    configuration = Configuration(SECRETS, {"ADDRESS": "there"})
    # In a folder as people have them: every path of it is one word of a command.
    with forge(tmp_path / "Jo's forgé" / "forge", machine, configuration) as opened:
        yield opened


@pytest.fixture
def clone(tmp_path: Path, here: Forge) -> Repository:
    return Repository(tmp_path / "clone", here)


@pytest.fixture
def ask(here: Forge) -> Run:
    """Return what asks the REST API, with a token of given permissions; None: without one."""

    def asked(
        permissions: dict[str, str] | None, method: str, path: str, **given: Any
    ) -> tuple[int, Any, Any]:
        address = f"{here.server.url}/api/v3/repos/owner/project/{path}"
        request = Request(address, method=method)  # noqa: S310 - our own server
        if permissions is not None:
            token = here.queue.runner.rights.grant(permissions)
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        request.data = json.dumps(given).encode() if given else None
        try:
            with urlopen(request) as answer:  # noqa: S310
                content = answer.read()
                is_json = answer.headers["Content-Type"] == "application/json"
                return (
                    answer.status,
                    json.loads(content) if is_json else content,
                    answer.headers,
                )
        except HTTPError as error:
            return error.code, json.loads(error.read() or b"null"), error.headers

    return asked


def test_each_job_comes_to_what_github_calls_it(here: Forge, clone: Repository) -> None:
    jobs = {
        "good": job("echo fine"),
        "bad": job("exit 3"),
        "after-bad": job("echo never", needs="bad"),
        "always": job("echo late", needs="bad", **{"if": "always()"}),
        "elsewhere": job("echo never", **{"if": "github.ref == 'refs/heads/other'"}),
    }
    clone.push("main", w=workflow("push", **jobs))
    here.pushed("main")
    [done] = here.run()
    expected = {"good": "success", "bad": "failure", "after-bad": "skipped"}
    assert done.jobs == {**expected, "always": "success", "elsewhere": "skipped"}
    assert done.conclusion == "failure" and "exit status 3" in done.log


def test_of_a_matrix_of_systems_the_one_that_is_here_runs(here: Forge, clone: Repository) -> None:
    system, systems = "<< matrix.system ::", ["windows-2025", "ubuntu-24.04", "macos-15"]
    each = job(f"echo runs on {system}", strategy={"matrix": {"system": systems, "n": [1, 2]}})
    clone.push("main", w=workflow("push", each=each | {"runs-on": system}))
    here.pushed("main")
    [done] = here.run()
    assert done.jobs == {"each": "success"}
    assert re.findall(r": runs on (\S+)$", done.log, re.MULTILINE) == ["ubuntu-24.04"] * 2


def test_only_the_events_and_branches_that_a_workflow_names_start_it(
    here: Forge, clone: Repository
) -> None:
    on = {"push": {"branches": ["main", "release/*"]}, "pull_request": None}
    clone.push("main", w=workflow(on, one=job("echo one")))
    for branch in ("main", "other", "release/1"):
        clone.push(branch)
        here.pushed(branch)
    here.open_pull("other")
    asked = [(run["event"], run["head_branch"]) for run in here.queue.waiting]
    assert asked == [("push", "main"), ("push", "release/1"), ("pull_request", "other")]


def test_the_last_pattern_that_fits_decides() -> None:
    assert matches("a/b", ["**", "!a/*", "a/b"]) and not matches("a/c", ["**", "!a/*", "a/b"])
    assert not matches("a/b", ["*"])


def test_a_pull_request_runs_its_merge_with_main_and_the_workflow_of_it(
    here: Forge, clone: Repository
) -> None:
    told = "git rev-parse HEAD^1 HEAD^2 origin/main; git branch -r"
    clone.push("main", w=workflow("pull_request", old=job("echo old")))
    head = clone.push("change", w=workflow("pull_request", new=job(ALL, told)))
    main = clone.push("main", more="main went on")
    pull = here.open_pull("change")
    [done] = here.run()
    assert done.jobs == {"new": "success"}
    words = [line.removeprefix("new: ") for line in done.log.splitlines()]
    at = words.index(main)
    assert words[at : at + 3] == [main, head, main]
    assert {"  origin/change", "  origin/main"} <= set(words)
    assert done.run["head_sha"] == head != done.run["_sha"] == pull["merge_commit_sha"]


def test_a_job_pushes_only_with_a_token_that_may_write(here: Forge, clone: Repository) -> None:
    push = "git push origin HEAD:refs/heads/$NAME"
    signed_in = (
        'H="AUTHORIZATION: basic $(printf x-access-token:$TOKEN | base64 -w0)"\n'
        'git -c "http.extraheader=$H" push origin HEAD:refs/heads/$NAME'
    )

    def steps(name: str, run: str) -> tuple[dict[str, Any], ...]:
        env = {"NAME": name, "TOKEN": "<< github.token ::"}
        return ALL, {"run": run, "env": env}

    write = {"permissions": {"contents": "write"}}
    jobs = {
        "bare": job(*steps("bare", push), **write),
        "reader": job(*steps("reader", signed_in)),
        "writer": job(*steps("writer", signed_in), **write),
        "nobody": job(ALL, permissions={}),
    }
    clone.push("main", w=workflow("push", **jobs))
    here.pushed("main")
    [done] = here.run()
    refused = dict.fromkeys(("bare", "reader", "nobody"), "failure")
    assert done.jobs == {**refused, "writer": "success"}
    assert here.tip("writer") == here.tip() and here.tip("reader") == git.ZERO


def test_secrets_reach_the_jobs_of_their_environment_and_no_fork(
    here: Forge, clone: Repository
) -> None:
    env = {"COMMON": "<< secrets.COMMON ::", "KEY": "<< secrets.KEY ::", "A": "<< vars.ADDRESS ::"}
    tell = {"run": 'echo "$(printf %s "$COMMON$KEY" | wc -c) $A"', "env": env}
    jobs = {"plain": job(tell), "shielded": job(tell, environment="production")}
    clone.push("main", w=workflow(["push", "pull_request"], **jobs))
    clone.push("change")
    here.pushed("main")
    here.open_pull("change", fork=True)
    mine, forks = here.run()
    assert "plain: 13 there" in mine.log and "shielded: 30 there" in mine.log
    assert set(re.findall(r"(?m)^(plain|shielded): +0 *$", forks.log)) == {"plain", "shielded"}
    assert forks.run["head_repository"]["full_name"] == "stranger/project"
    assert not list(here.files.root.rglob("secrets.yaml"))


@pytest.mark.parametrize("limited", [True, False])
def test_an_environment_that_is_limited_to_main_lets_no_other_branch_in(
    tmp_path: Path, *, limited: bool
) -> None:
    machine = Machine(tmp_path / "nox", uvx='echo "uvx $*"')
    limits = {"production": ["main"]} if limited else {}
    with forge(tmp_path / "forge", machine, Configuration(SECRETS, limits=limits)) as here:
        clone = Repository(tmp_path / "clone", here)
        tell = {"run": 'printf %s "$KEY" | wc -c', "env": {"KEY": "<< secrets.KEY ::"}}
        # A job that is refused does nothing of its own, not even by its shell.
        silent = {"environment": "Production", "defaults": {"run": {"shell": "true {0}"}}}
        jobs = {"plain": job(tell), "shielded": job(tell, environment="production")}
        jobs["silent"] = job(tell, **silent)
        clone.push("main", w=workflow(["push", "pull_request"], **jobs))
        clone.push("change")
        for branch in ("main", "change"):
            here.pushed(branch)
        here.open_pull("change")
        main, *others = here.run()
    assert set(main.jobs.values()) == {"success"} and "shielded: 17" in main.log
    for other in others:
        there = "failure" if limited else "success"
        assert other.jobs == {"plain": "success", "shielded": there, "silent": there}
        assert ("shielded: 17" in other.log) is not limited
    assert len(others) == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"environment": "<< 'production' ::"}, "cannot tell the environment"),
        ({"env": {"ALL": "<< toJSON(secrets) ::"}}, "write secrets.NAME"),
        ({"env": {"ONE": "<< SECRETS['KEY'] ::"}}, "write SECRETS.NAME"),
        ({"env": {"TOKEN": "<< github['token'] ::"}}, "write github.NAME"),
    ],
)
def test_what_the_replay_could_only_guess_is_refused(
    here: Forge, clone: Repository, more: dict[str, Any], words: str
) -> None:
    clone.push("main", w=workflow("push", one=job("echo the secrets of this", **more)))
    here.pushed("main")
    with pytest.raises(UsageError, match=words):
        here.run()


SET_BY_A_RUNNER = """CI GITHUB_ACTION GITHUB_ACTIONS GITHUB_ACTOR GITHUB_ACTOR_ID GITHUB_API_URL
    GITHUB_BASE_REF GITHUB_ENV GITHUB_EVENT_NAME GITHUB_EVENT_PATH GITHUB_GRAPHQL_URL
    GITHUB_HEAD_REF GITHUB_JOB GITHUB_OUTPUT GITHUB_PATH GITHUB_REF GITHUB_REF_NAME
    GITHUB_REF_PROTECTED GITHUB_REF_TYPE GITHUB_REPOSITORY GITHUB_REPOSITORY_ID
    GITHUB_REPOSITORY_OWNER GITHUB_REPOSITORY_OWNER_ID GITHUB_RETENTION_DAYS GITHUB_RUN_ATTEMPT
    GITHUB_RUN_ID GITHUB_RUN_NUMBER GITHUB_SERVER_URL GITHUB_SHA GITHUB_STEP_SUMMARY
    GITHUB_TRIGGERING_ACTOR GITHUB_WORKFLOW GITHUB_WORKFLOW_REF GITHUB_WORKFLOW_SHA
    GITHUB_WORKSPACE ImageOS LANG RUNNER_ARCH RUNNER_ENVIRONMENT RUNNER_NAME RUNNER_OS RUNNER_TEMP
    RUNNER_TOOL_CACHE USER XDG_CONFIG_HOME"""
"""The forge's documentation lists them as set in every step, or its image sets them."""


def test_a_step_has_the_variables_that_a_runner_sets_and_none_of_this_machine(
    here: Forge, clone: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "MLFLOW_TRACKING_URI", "TERM"):
        monkeypatch.setenv(name, "of this machine")
    own = {"env": {"UV_CONSTRAINT": "requirements-dev.lock"}}
    clone.push("main", w=workflow("push", one=job("env", **own)))
    here.pushed("main")
    [done] = here.run()
    told = dict(re.findall(r"(?m)^one: (\w+)=(.*)$", done.log))
    assert set(SET_BY_A_RUNNER.split()) <= set(told)
    assert told["GITHUB_WORKFLOW_REF"] == "owner/project/.github/workflows/w.yaml@refs/heads/main"
    assert (told["GITHUB_ACTIONS"], told["CI"]) == ("true", "true")
    assert told["UV_CONSTRAINT"] == "requirements-dev.lock"
    assert not {"FORCE_COLOR", "MLFLOW_TRACKING_URI", "TERM", "ACT"} & set(told)


def test_summaries_outputs_and_the_event_are_there(here: Forge, clone: Repository) -> None:
    say = 'echo "# $TITLE" >> "$GITHUB_STEP_SUMMARY"; echo "v=7" >> "$GITHUB_OUTPUT"'
    first = {"id": "say", "run": say, "env": {"TITLE": "<< github.event.pull_request.number ::"}}
    jobs = {
        "one": job(first, say.replace("$TITLE", "two"), outputs={"v": "<< steps.say.outputs.v ::"}),
        "two": job("echo yes", needs="one", **{"if": "needs.one.outputs.v == '7'"}),
    }
    clone.push("main", w=workflow("pull_request", **jobs))
    clone.push("change")
    here.open_pull("change")
    [done] = here.run()
    assert done.jobs == {"one": "success", "two": "success"}
    assert done.summaries["one"].read_text() == "# 1\n# two\n"


def test_an_artifact_is_of_its_run_and_stands_once(here: Forge, clone: Repository) -> None:
    make = "mkdir -p out/deep; echo << github.run_id :: > out/deep/a; echo b > out/.hidden"
    jobs = {
        "make": job(make, kept("mine", "out"), kept("mine", "out", overwrite=True)),
        "twice": job(make, kept("twice", "out"), kept("twice", "out")),
        "empty": job(kept("empty", "nowhere", **{"if-no-files-found": "error"})),
        "take": job(taken("mine"), "cat taken/deep/a; test ! -e taken/.hidden", needs="make"),
    }
    clone.push("main", w=workflow("push", **jobs))
    here.pushed("main")
    [done] = here.run()
    refused = {"twice": "failure", "empty": "failure"}
    assert done.jobs == {"make": "success", "take": "success", **refused}
    assert sorted(it["name"] for it in done.artifacts) == ["mine", "twice"]
    clone.push("main", w=workflow("push", thief=job(taken("mine"))))
    here.pushed("main")
    assert here.run()[0].jobs == {"thief": "failure"}


def test_main_never_sees_the_cache_of_a_pull_request(here: Forge, clone: Repository) -> None:
    use = 'mkdir -p kept; cat kept/* || true; echo "$WHO" > kept/a'
    step = {"run": use, "env": {"WHO": "from << github.event_name :: << github.run_id ::"}}
    clone.push("main", w=workflow(["push", "pull_request"], one=job(CACHE, step)))
    clone.push("change")
    here.open_pull("change")
    here.pushed("main")
    here.open_pull("change")
    pull, main, second = here.run()
    assert "one: from" not in pull.log
    assert "one: from" not in main.log
    assert "one: from push 2" in second.log


def test_a_newer_push_replaces_one_that_waits_unless_all_are_kept(
    here: Forge, clone: Repository
) -> None:
    for queue, kept_runs in (({}, 1), ({"queue": "max"}, 2)):
        content = json.loads(workflow("push", one=job("echo one")))
        content["concurrency"] = {"group": "main-" + OPENS + " github.ref }}", **queue}
        for number in range(2):
            clone.push("main", w=json.dumps(content), more=f"{queue} {number}")
            here.pushed("main")
        assert [it.conclusion for it in here.run()] == ["success"] * kept_runs
    ended = [run["conclusion"] for run in here.files.every("runs")]
    assert ended == ["cancelled", "success", "success", "success"]


def test_a_group_of_jobs_is_one_across_workflows(here: Forge, clone: Repository) -> None:
    lasting = workflow("push", one=job(concurrency={"group": "shared", "queue": "max"}))
    alone = workflow("push", one=job(concurrency="shared"), two=job(concurrency="<< github.sha ::"))
    for later, waiting in ((alone, ["w.yaml"]), (lasting, ["v.yaml", "w.yaml"])):
        clone.push("main", w=later, **{".github/workflows/v.yaml": lasting})
        here.pushed("main")
        assert [Path(run["path"]).name for run in here.queue.waiting] == waiting
        here.queue.waiting.clear()


def test_a_run_again_is_of_the_same_commit(here: Forge, clone: Repository) -> None:
    tell = {"run": 'echo "$GITHUB_SHA $GITHUB_RUN_ATTEMPT $(git rev-parse HEAD)"'}
    first = clone.push("main", w=workflow("push", one=job(ALL, tell)))
    here.pushed("main")
    [done] = here.run()
    clone.push("main", more="later")
    again = here.rerun(done.run)
    assert f"one: {first} 2 {first}" in again.log and again.run["id"] == done.run["id"]


def test_a_button_takes_the_inputs_that_its_workflow_names(here: Forge, clone: Repository) -> None:
    inputs = {"version": {"default": "previous", "required": True}, "why": {"required": True}}
    tell = {"run": 'echo "$V, $W, << github.ref ::"', "env": {"V": "<< inputs.version ::"}}
    tell["env"]["W"] = "<< github.event.inputs.why ::"  # type: ignore[index]
    clone.push("main", w=workflow({"workflow_dispatch": {"inputs": inputs}}, one=job(tell)))
    here.dispatch("w.yaml", {"why": "it is bad"})
    assert "one: previous, it is bad, refs/heads/main" in here.run()[0].log
    for given in ({}, {"why": "x", "wy": "x"}):
        with pytest.raises(UsageError, match=r"w\.yaml"):
            here.dispatch("w.yaml", given)


@pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
def test_a_merge_is_found_by_its_commit(here: Forge, clone: Repository, ask: Run, how: str) -> None:
    main = clone.push("main", base="1")
    head = clone.push("change", file="2")
    clone.push("main", other="main went on")
    merged = here.merge(here.open_pull("change"), how)
    assert here.tip() == merged and git.show(here.remote, merged, "other")
    status, found, _ = ask({"pull-requests": "read"}, "GET", f"commits/{merged}/pulls")
    assert (status, [it["head"]["sha"] for it in found]) == (200, [head])
    assert ask({"pull-requests": "read"}, "GET", f"commits/{main}/pulls")[1] == []
    parents = git.git(here.remote, "log", "-1", "--format=%P", merged).split()
    assert len(parents) == (2 if how == "merge" else 1)


def test_a_conflict_is_one_sentence(here: Forge, clone: Repository) -> None:
    clone.push("main", file="1")
    clone.push("change", file="2")
    clone.push("main", file="3")
    with pytest.raises(WorldError, match="conflicts with"):
        here.open_pull("change")


def test_comments_need_the_right_to_write_and_come_in_pages(
    here: Forge, clone: Repository, ask: Run
) -> None:
    clone.push("main")
    clone.push("change")
    here.open_pull("change")
    may = {"pull-requests": "write"}
    for permissions, status in ((None, 401), ({"pull-requests": "read"}, 403), (may, 201)):
        assert ask(permissions, "POST", "issues/1/comments", body="first")[0] == status
    ask(may, "POST", "issues/1/comments", body="second")
    assert ask(may, "POST", "issues/1/comments", body="x" * 65_537)[0] == 422
    assert ask(may, "PATCH", "issues/comments/1", body="changed")[0] == 200
    _, first, headers = ask(may, "GET", "issues/1/comments?per_page=1")
    _, second, last = ask(may, "GET", "issues/1/comments?per_page=1&page=2")
    assert [it["body"] for it in first + second] == ["changed", "second"]
    assert "page=2" in headers["Link"] and last["Link"] is None
    assert ask(may, "GET", "issues/1/labels")[0] == 404


def test_a_schedule_runs_on_main_what_waits_for_one(here: Forge, clone: Repository) -> None:
    clone.push("main", w=workflow({"schedule": [{"cron": "0 5 * * 1"}]}, alone=job("echo due")))
    here.pushed("main")
    assert here.run() == []
    here.schedule()
    [done] = here.run()
    assert done.jobs == {"alone": "success"} and done.run["event"] == "schedule"
    assert done.run["head_branch"] == "main"


def test_issues_need_their_own_right_and_are_open_until_they_are_closed(
    here: Forge, clone: Repository, ask: Run
) -> None:
    may = {"issues": "write"}
    for permissions, status in [
        ({"issues": "read"}, 403),
        ({"contents": "write"}, 403),
        (may, 201),
    ]:
        assert ask(permissions, "POST", "issues", title="Drift", body="since")[0] == status
    [issue] = ask({"issues": "read"}, "GET", "issues")[1]
    assert issue["number"] == 1 and issue["user"]["login"] == "github-actions[bot]"
    assert ask({"issues": "read"}, "PATCH", "issues/1", state="closed")[0] == 403
    assert ask(may, "PATCH", "issues/1", body="x" * 65_537)[0] == 422
    assert ask(may, "PATCH", "issues/1", state="closed")[0] == 200
    assert ask(may, "PATCH", "issues/2", state="closed")[0] == 404
    assert ask(may, "GET", "issues")[1] == []
    assert ask(may, "GET", "issues?state=all")[1][0]["title"] == "Drift"


def test_an_artifact_and_its_run_are_found_with_the_right_to_read_them(
    here: Forge, clone: Repository, ask: Run
) -> None:
    clone.push("main", w=workflow("push", one=job("echo a > a", kept("mine", "a"))))
    here.pushed("main")
    here.run()
    assert ask({"contents": "write"}, "GET", "actions/artifacts?name=mine")[0] == 403
    may = {"actions": "read"}
    _, found, _ = ask(may, "GET", "actions/artifacts?name=mine")
    assert ask(may, "GET", "actions/artifacts?name=other")[1]["total_count"] == 0
    [artifact] = found["artifacts"]
    run = ask(may, "GET", f"actions/runs/{artifact['workflow_run']['id']}")[1]
    expected = (".github/workflows/w.yaml", "push", "success", here.tip())
    assert (run["path"], run["event"], run["conclusion"], run["head_sha"]) == expected
    assert not [name for name in run if name.startswith("_")]
    path = artifact["archive_download_url"].partition("/project/")[2]
    content = zipfile.ZipFile(io.BytesIO(ask(may, "GET", path)[1]))
    assert content.read("a") == b"a\n"
    # The store behind refuses a token: a client must not hand it on.
    carrying = Request(artifact["archive_download_url"])  # noqa: S310
    token = here.queue.runner.rights.grant(may)
    carrying.add_header("Authorization", f"Bearer {token}")
    with pytest.raises(HTTPError, match="401"):
        urlopen(carrying)  # noqa: S310


@pytest.mark.parametrize("merge", [False, True])
def test_the_door_replays_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], merge: bool
) -> None:
    root = tmp_path / "project"
    place = root / ".github" / "workflows" / "w.yaml"
    place.parent.mkdir(parents=True)
    bad = job('echo "# told" >> "$GITHUB_STEP_SUMMARY"', ALL, "cat file; test ! -e src/uncommitted")
    place.write_text(workflow({"push": None, "pull_request": None}, one=bad))
    for name in ("dvc.yaml", "params.yaml", "file"):
        (root / name).write_text("")
    (root / ".gitignore").write_text(".dvc\n")
    rows.git(root, "init", "--quiet", "-b", "main")
    rows.git(root, "add", ".")
    rows.git(root, "commit", "--quiet", "--message", "first")
    rows.git(root, "checkout", "--quiet", "-b", "change")
    rows.git(root, "rm", "--quiet", "file") if merge else (root / "file").write_text("here")
    rows.git(root, "commit", "--quiet", "--all", "--message", "second")
    (root / "src").mkdir()
    (root / "src" / "uncommitted").write_text("")
    monkeypatch.chdir(root)
    assert replay(merge, tmp_path / "nox") == (1 if merge else 0)
    told = capsys.readouterr().out
    assert "Uncommitted changes are left out" in told
    assert told.count("one          ") == (2 if merge else 1)
    assert "one          failure" in told if merge else "one          success" in told
    [summary, *_] = [it.split()[-1] for it in told.splitlines() if "summary:" in it]
    assert Path(summary).read_text() == "# told\n"


@pytest.mark.parametrize(
    ("name", "counts"), [("nohup.out", False), ("src/new.py", True), ("known", True)]
)
def test_only_what_a_workflow_reads_counts_as_left_out(
    tmp_path: Path, name: str, counts: bool
) -> None:
    (tmp_path / "known").write_text("")
    rows.git(tmp_path, "init", "--quiet")
    rows.git(tmp_path, "add", ".")
    rows.git(tmp_path, "commit", "--quiet", "--message", "first")
    assert not _has_changes(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("here")
    assert _has_changes(tmp_path) is counts
