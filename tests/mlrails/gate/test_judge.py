"""A challenger before the gate: whom it meets, and what needs no rows."""

import shutil
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import rows

from flight_delays.schema import COLUMNS
from mlrails.core import layout
from mlrails.core.errors import UsageError, WorldError
from mlrails.core.layout import PARTS, SERVING_LOCK
from mlrails.core.params import Task
from mlrails.core.settings import Settings
from mlrails.data import parquet
from mlrails.gate import checks, judge, looks
from mlrails.gate import verdict as gate_verdict
from mlrails.gate.judge import Rivals
from mlrails.gate.verdict import BEST, CHAMPION, Answer
from mlrails.modeling import checked_copy, directory
from mlrails.pipeline.candidate import Candidate
from mlrails.registry import download
from mlrails.registry.ledger import Entry
from mlrails.registry.versions import ROLLED_BACK, Version
from mlrails.tracking import origin

NOBODY = Rivals(None, None)


class Project:
    """A challenger with its rows, and a registry that knows what it is told."""

    def __init__(self, root: Path, model: Path) -> None:
        parquet.write(rows.flights(), root / layout.RAW)
        parquet.write(rows.parts()["train"], root / layout.prepared("train"))
        self.settings = Settings(root)
        self.place = origin.Project(root)
        self.candidate = Candidate(model, "challenger", rows.parameters(), "", {}, self.place)
        self.known: dict[str, Version] = {}
        self.looked: list[Version] = []
        self.met = Rivals(self.version(1, "champion"), None)

    def version(self, number: int, digest: str, **tags: str) -> Version:
        usual = {
            "digest": digest,
            "target": "late",
            "task": "classification",
            "split_digest": self.place.split_digest(rows.parameters()),
        }
        return Version(number, usual | tags, "")

    def verdict(self, again: str | None = None, **bounds: Any) -> gate_verdict.Verdict:
        registry: Any = SimpleNamespace(
            of_digest=self.known.get,
            versions=lambda: self.looked,
            root=self.settings.root,
        )
        params = self.candidate.params
        asked = params.model_copy(update={"gate": params.gate.model_copy(update=bounds)})
        return judge.verdict(registry, self.candidate, self.met, asked, again)


@pytest.fixture(autouse=True)
def as_it_lies_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take folders for what their digests name."""
    monkeypatch.setattr(download, "copied", lambda folder, *_: nullcontext(folder))
    monkeypatch.setattr(download, "check", lambda *_: None)
    monkeypatch.setattr(checked_copy, "copy", lambda folder, _: nullcontext(folder))


@pytest.fixture
def champion(tmp_path: Path, model_of: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the model directory that is fetched as every rival's; it may be changed."""
    folder = tmp_path / "champion"
    shutil.copytree(model_of(Task.CLASSIFICATION), folder)
    monkeypatch.setattr(download, "model", lambda *_: nullcontext(folder))
    return folder


@pytest.fixture
def here(tmp_path: Path, champion: Path, model_of: Any) -> Project:
    return Project(tmp_path, model_of(Task.CLASSIFICATION))


def check(found: gate_verdict.Verdict, name: str) -> gate_verdict.Check:
    (it,) = (it for it in found.checks if it.name == name)
    return it


def test_a_model_as_good_as_the_champion_is_promoted(here: Project) -> None:
    found = here.verdict()
    assert (found.answer, found.champion) == (Answer.PROMOTE, "champion")
    assert check(found, "no worse than the champion").value == 0


def test_the_best_champion_is_met_as_well(here: Project) -> None:
    here.met = Rivals(here.version(2, "champion"), here.version(1, "best"))
    found = here.verdict()
    assert [name for name in found.differences if " = " not in name] == [CHAMPION, BEST]


def test_a_champion_that_has_seen_all_rows_leaves_it_undecided(here: Project) -> None:
    here.met = Rivals(here.version(1, "c", split_digest="x", seen_until=rows.LAST), None)
    found = here.verdict()
    assert found.answer is Answer.UNDECIDED
    assert "0 days (0 rows)" in check(found, "no worse than the champion").reason


def test_the_best_champion_takes_away_the_rows_that_it_has_seen(here: Project) -> None:
    best = here.version(1, "best", split_digest="x", seen_until="2013-09-20")
    here.met = Rivals(here.version(2, "champion"), best)
    found = here.verdict()
    assert found.answer is Answer.UNDECIDED
    assert "on 10 days" in check(found, "no worse than the champion").reason


def test_the_champion_itself_is_not_unchanged_where_its_bytes_are(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(_: object, version: Version) -> None:
        raise WorldError(f"version {version.number} has other bytes")

    monkeypatch.setattr(download, "check", swapped)
    here.met = Rivals(here.version(1, "challenger"), None)
    with pytest.raises(WorldError, match="version 1 has other bytes"):
        here.verdict()


def test_the_champion_itself_is_unchanged_even_where_it_was_rolled_back(here: Project) -> None:
    here.met = Rivals(here.version(1, "challenger", **{ROLLED_BACK: "why"}), None)
    assert here.verdict().answer is Answer.UNCHANGED


@pytest.mark.parametrize("tags", [{"target": "arr_delay"}, {"task": "regression"}])
def test_a_champion_of_another_target_is_not_compared(
    here: Project, tags: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "model", lambda *_: pytest.fail("nothing to be fetched"))
    here.met = Rivals(here.version(1, "champion", **tags), None)
    found = here.verdict()
    assert found.answer is Answer.REJECT and found.differences == {}
    (reason,) = found.reasons()
    assert "cannot be compared" in reason and next(iter(tags.values())) in reason


def test_a_champion_of_another_target_may_be_let_go(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "model", lambda *_: pytest.fail("nothing to be fetched"))
    here.met = Rivals(here.version(1, "champion", target="arr_delay"), None)
    found = here.verdict(replaces="arr_delay")
    assert found.answer is Answer.PROMOTE and found.differences == {}
    # Whoever moves the alias has to know whom it was taken from.
    assert found.champion == here.met.champion.digest
    assert "lets go: only the floors count" in check(found, "same target").reason
    assert here.verdict(replaces="price").answer is Answer.REJECT


def test_a_champion_of_the_same_target_is_met_whatever_may_be_let_go(here: Project) -> None:
    assert here.verdict(replaces="late").differences.keys() >= {"champion"}


def asked_for(folder: Path, name: str) -> None:
    """Let a model directory have asked for another column in the place of this one."""
    path = folder / "MLmodel"
    path.write_text(path.read_text("utf-8").replace(f'"{name}"', '"another"'), "utf-8")


def test_another_signature_is_rejected_unless_it_is_allowed(here: Project, champion: Path) -> None:
    asked_for(champion, "wind_speed")
    found = here.verdict()
    assert found.answer is Answer.REJECT
    (reason,) = found.reasons()
    assert "'wind_speed' is asked for" in reason and "`gate.signature: any`" in reason
    assert here.verdict(signature="any").answer is Answer.PROMOTE


@pytest.mark.parametrize(
    ("again", "answer"), [(None, Answer.REJECT), ("it was the data", Answer.PROMOTE)]
)
def test_what_was_rolled_back_comes_back_for_a_reason_only(
    here: Project, again: str | None, answer: Answer
) -> None:
    here.known = {"challenger": here.version(3, "challenger", **{ROLLED_BACK: "a bad night"})}
    found = here.verdict(again)
    told = check(found, "not rolled back").reason
    assert found.answer is answer
    assert "a bad night" in told and (again or "--again REASON") in told


def test_a_model_that_is_too_large_is_rejected(here: Project) -> None:
    found = here.verdict(megabytes=0.001)
    assert found.answer is Answer.REJECT
    assert "at most 0.001 MB" in check(found, "size").reason


def test_a_renamed_column_is_compared_once_its_new_name_is_told(here: Project) -> None:
    """The raw rows have another name for a column that only the champion knows."""
    parquet.write(
        rows.flights().rename(columns={"wind_speed": "wind"}), here.settings.root / layout.RAW
    )
    known = here.candidate.place.split_digest(rows.parameters())
    here.met = Rivals(here.version(1, "champion", split_digest=known), None)
    params = here.candidate.params
    features = params.features.model_copy(update={"numeric": ("distance", "wind", "temp")})
    ours = params.model_copy(update={"features": features})
    model = here.settings.root / "ours"
    seen, held_out = (rows.parts()[it].rename(columns={"wind_speed": "wind"}) for it in PARTS[:2])
    fitted = rows.fit_on(ours, seen, held_out)
    columns = [*COLUMNS, replace(rows.BY_NAME["wind_speed"], name="wind")]
    directory.write(fitted, columns, seen, "rows", rows.ROOT / SERVING_LOCK, model)
    here.candidate = replace(here.candidate, params=ours, folder=model)
    with pytest.raises(UsageError, match=r"`wind_speed: NEW_NAME` below 'gate\.renamed'"):
        here.verdict()
    found = here.verdict(renamed={"wind_speed": "wind"}, signature="any")
    assert found.answer is Answer.PROMOTE
    refused = here.verdict(renamed={"wind_speed": "wind"})
    assert "`gate.signature: any`" in refused.reasons()[0]


def test_a_margin_that_is_less_than_what_the_seed_does_is_told(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told() -> list[str]:
        return [it for it in here.verdict().notes() if "another seed moves the figure" in it]

    assert told() == []
    margin = here.candidate.params.gate.margin
    for reach, there in ((margin / 2, False), (2 * margin, True)):
        found = {"variation": {"seed": {"reach": reach}}}
        here.candidate = replace(here.candidate, found=found)
        assert bool(told()) is there
        assert here.verdict().answer is Answer.PROMOTE
    (words,) = told()
    assert f"±{2 * margin:.4f}" in words and f"the margin {margin:.4g} is less" in words
    monkeypatch.setattr(judge.spread, "beyond", lambda *_: "")
    assert told() == []


def test_looks_at_the_same_rows_are_counted_once_for_each_model(here: Project) -> None:
    same = here.place.split_digest(rows.parameters())
    of_one = [here.version(number, "a") for number in (1, 2)]
    others = [here.version(3, "b"), here.version(4, "challenger")]
    elsewhere = here.version(5, "c", split_digest="other rows")
    here.looked = [*of_one, *others, elsewhere, here.version(6, "d", target="another")]
    assert {it.tags["split_digest"] for it in others} == {same}
    assert here.verdict().looks == looks.cost_of_looks(3)


def test_what_many_looks_cost_is_told(here: Project) -> None:
    here.looked = [here.version(number, str(number)) for number in range(60)]
    found = here.verdict()
    assert found.looks == looks.Looks(61, looks.CHANCES[50])
    (told,) = (it for it in found.notes() if "have been held against these test rows" in it)
    assert told.startswith("61 challengers") and "never registered not counted" in told
    assert f"{looks.CHANCES[50]:.0%}" in told
    here.looked = []
    assert not any("challengers" in it for it in here.verdict().notes())


def test_each_look_is_asked_for_more_where_the_bounds_say_so(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    meet, decide = judge._meet, checks.judge
    monkeypatch.setattr(
        judge, "_meet", lambda *it: (asked.append(it[3].gate.confidence), meet(*it))[1]
    )
    monkeypatch.setattr(
        checks, "judge", lambda *it: (asked.append(it[1].confidence), decide(*it))[1]
    )
    once = rows.GATE["confidence"]
    for number, more in ((0, 1), (9, 10)):
        here.looked = [here.version(it, str(it)) for it in range(number)]
        told, spent = here.verdict(), here.verdict(looks="spent")
        assert told.looks == looks.Looks(more, looks.CHANCES[more])
        assert spent.looks == looks.Looks(more, looks.SPENT[more], 1 - (1 - once) / more)
    assert asked == [pytest.approx(it) for it in [once] * 6 + [0.995] * 2]
    assert any("needs a confidence of 99.500% (`gate.looks`)" in it for it in spent.notes())


def test_the_verdict_of_a_project_that_does_not_say_so_is_the_same_to_the_byte(
    here: Project,
) -> None:
    here.looked = [here.version(1, "a")]
    told = here.verdict().to_json("here", "these")
    assert told["looks"] == {"challengers": 2, "chance": looks.CHANCES[1]}
    assert gate_verdict.Verdict.from_json(told).to_json("here", "these") == told
    spent = here.verdict(looks="spent").to_json("here", "these")
    assert gate_verdict.Verdict.from_json(spent).to_json("here", "these") == spent


def test_another_seed_draws_no_other_rows_of_time(here: Project) -> None:
    """Else whoever changes the seed would begin to count anew."""
    asked = here.place.split_digest
    assert asked(rows.parameters(seed=1)) == asked(rows.parameters(seed=2))


def test_days_that_a_champion_of_another_split_has_seen_are_told(
    here: Project, champion: Path
) -> None:
    here.met = Rivals(
        here.version(1, "champion", split_digest="another", seen_until="2013-09-21"), None
    )
    found = here.verdict(days=10)
    assert found.answer is Answer.UNDECIDED
    (told,) = (it for it in found.notes() if "left out" in it)
    assert told.startswith("21 of the 30 days of test rows (2013-09-01 to 2013-09-30) are left out")
    assert not any("left out" in it for it in here.verdict(days=9).notes())


def test_the_first_model_meets_nobody(here: Project) -> None:
    here.met = NOBODY
    found = here.verdict()
    assert (found.answer, found.champion) == (Answer.PROMOTE, None)
    names = {it.name for it in found.checks}
    assert not names & {"signature", "no worse than the champion", "no slice worse"}


def test_rivals_have_a_role_where_they_are_there(here: Project) -> None:
    first, second = (here.version(number, str(number)) for number in (1, 2))
    assert NOBODY.by_role() == {}
    assert Rivals(second, None).by_role() == {CHAMPION: second}
    assert Rivals(second, first).by_role() == {CHAMPION: second, BEST: first}


def rivals(versions: Iterable[Version], champion: int | None, bests: Iterable[int]) -> Rivals:
    """Return whom a challenger meets after promotions that named these as the best."""
    known = {version.number: version for version in versions}
    entries = [Entry({"version": str(best), "best": str(best)}) for best in bests]
    aliased = None if champion is None else known[champion]
    registry: Any = SimpleNamespace(
        versions=lambda: list(known.values()), aliased=lambda alias: aliased
    )
    ledger: Any = SimpleNamespace(entries=lambda: entries)
    return judge.rivals(registry, ledger)


def test_the_best_is_left_out_where_it_is_the_champion_or_does_not_stand(here: Project) -> None:
    first, second = here.version(1, "1"), here.version(2, "2")
    rolled_back = here.version(1, "1", **{ROLLED_BACK: "why"})
    of_another = here.version(1, "1", target="arr_delay")
    assert rivals([], None, []) == NOBODY
    assert rivals([first, second], 2, [1, 1]) == Rivals(second, first)
    assert rivals([first, second], 2, [1, 2]) == Rivals(second, None)
    assert rivals([rolled_back, second], 2, [1, 1]) == Rivals(second, None)
    assert rivals([of_another, second], 2, [1]) == Rivals(second, None)
    assert rivals([second], 2, [1]) == Rivals(second, None)


def test_the_best_before_takes_the_place_of_one_that_was_rolled_back(here: Project) -> None:
    first, third = here.version(1, "1"), here.version(3, "3")
    rolled_back = here.version(2, "2", **{ROLLED_BACK: "why"})
    assert rivals([first, rolled_back, third], 3, [1, 2, 2]) == Rivals(third, first)


def test_rows_that_the_change_chose_itself_are_not_met(here: Project) -> None:
    own = {"by": "time", "validation": "2 weeks", "test": "3 weeks"}
    base = here.candidate.params
    here.candidate = replace(here.candidate, params=rows.parameters(split=own))
    registry: Any = SimpleNamespace(of_digest=here.known.get, root=here.settings.root)
    found = judge.verdict(registry, here.candidate, here.met, base)
    assert found.answer is Answer.REJECT and found.differences == {}
    assert not check(found, "same holdout").passed
