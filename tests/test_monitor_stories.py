"""The scheduled watch on a forge in a folder: the alarm, its one issue and its branch, executed."""

import pytest
from forge_stories import MONITOR, Repository

pytestmark = [pytest.mark.slow, pytest.mark.forge]
BRANCH = "retrain-2013-12-31"
VERDICTS = ("# Promote", "# Undecided", "# Reject")
DONE = {"watch": "success", "issue": "success"}
BEGIN = "    checked = params.load"
CRASH = (BEGIN, f'    raise RuntimeError("crashed")\n{BEGIN}')
GUARD = ("if: always() && needs.watch.outputs", "if: needs.watch.outputs")
OVER = ("verdict = DRIFT if standing", "verdict = CALM if standing")


def monday(there: Repository) -> tuple[dict[str, str], list[dict[str, str]]]:
    """Let a Monday come; return what the jobs came to, and the issues that there are then."""
    there.forge.schedule()
    return there.run()["Monitor"], there.forge.files.every("issues")


def test_an_alarm_is_one_issue_with_a_branch_until_it_is_over(there: Repository) -> None:
    module, registry = there.source("retraining/run.py"), there.forge.tip("registry")
    there.weaken(module, CRASH)
    there.weaken(MONITOR, GUARD)
    assert monday(there) == ({"watch": "failure", "issue": "skipped"}, [])  # Nobody is told.

    there.weaken(MONITOR, GUARD[::-1])
    jobs, (issue,) = monday(there)
    assert jobs == {"watch": "failure", "issue": "success"} and issue["state"] == "open"
    assert "Training on newer rows has failed" in issue["body"]
    assert "## What is wrong, and what to do" in issue["body"]
    assert there.forge.tip(BRANCH).strip("0") == ""

    there.weaken(module, CRASH[::-1])
    main = there.forge.tip()
    jobs, (issue,) = monday(there)
    assert jobs == DONE and issue["number"] == 1 and issue["state"] == "open"
    assert f"/compare/main...{BRANCH}?expand=1" in issue["body"]
    assert "## What is wrong, and what to do" in issue["body"]
    assert any(words in issue["body"] for words in VERDICTS)
    assert there.forge.tip() == main
    there.git("fetch", "--quiet", "origin")
    changed = there.git("diff", "--unified=0", "origin/main", f"origin/{BRANCH}").splitlines()
    told = [line[1:].split("#")[0].strip() for line in changed if line[:2] in {"- ", "+ "}]
    assert told == ['until: "2013-10-31"', 'until: "2013-12-31"']

    there.weaken(there.source("monitoring/watch/told.py"), OVER)
    branch = there.forge.tip(BRANCH)
    jobs, (issue,) = monday(there)
    assert jobs == DONE and issue["state"] == "closed" and "The alarm is over" in issue["body"]
    assert (there.forge.tip(BRANCH), there.forge.tip("registry")) == (branch, registry)
