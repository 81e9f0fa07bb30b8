"""A fresh project on a forge: all of its workflows, whole, with the variables of a runner."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from baking import Once, Project, bake
from forge_stories import MONITOR, PARAMS, PASSED, PROMOTED, Repository, nox, on_a_forge

pytestmark = [pytest.mark.slow, pytest.mark.forge]
CHECKED = {"checks": "success"}
NEARLY_THE_SAME = ("max_leaf_nodes: 31", "max_leaf_nodes: 30")
ONCE = """
case "$3" in
  lint|types|tests) test -e STORE/"$3" || { shift; NOX "$@" && touch STORE/"$2"; }; exit ;;
esac
shift
exec NOX "$@"
"""
"""Checks what stays the same once: the later commits of the story change one number."""


def ran(there: Repository) -> dict[str, dict[str, str]]:
    """Run all that waits; return each workflow's jobs, and tell what failed."""
    results = there.forge.run()
    for failed in (it for it in results if it.conclusion == "failure"):
        print(failed.log[-4000:])
    return {it.run["name"]: it.jobs for it in results}


def test_a_fresh_project_is_green_in_every_workflow_from_its_first_push_on(
    user: Mapping[str, str], tools: Path, once: Once, tmp_path: Path
) -> None:
    project = Project(bake(tmp_path / "bake", user), user, tools)
    store = once("fresh-checked", Path.mkdir)
    uvx = ONCE.replace("STORE", str(store)).replace("NOX", nox(project))
    with on_a_forge(project, tmp_path / "story", uvx) as there:
        there.forge.pushed("main")
        assert ran(there) == {"Checks": CHECKED, "Promote": PROMOTED}
        assert {path.name for path in store.iterdir()} == {"lint", "types", "tests"}

        pull = there.pull("nearly", there.edit(PARAMS, NEARLY_THE_SAME))
        assert ran(there) == {"Checks": CHECKED, "Train": PASSED}
        there.forge.merge(pull)
        assert ran(there) == {"Checks": CHECKED, "Promote": PROMOTED}

        there.forge.dispatch("rollback.yaml", {"reason": "the second day"})
        assert ran(there) == {"Rollback": {"rollback": "success"}}
        assert [it["action"] for it in there.ledger()] == ["promotion", "promotion", "rollback"]
        run = {Path(it["path"]).name for it in there.forge.files.every("runs")}
        run |= {Path(MONITOR).name}  # Its Mondays are a story of their own.
        assert run == {path.name for path in (project.root / ".github" / "workflows").iterdir()}
