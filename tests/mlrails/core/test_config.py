"""YAML into frozen sections: what is refused, and in which words."""

from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import Field, ValidationError

from mlrails.core import config
from mlrails.core.errors import UsageError


class Inner(config.Frozen):
    size: int = Field(default=1, gt=0)
    share: float = 0.5


class Outer(config.Frozen):
    inner: Inner
    name: str
    day: date | None = None


def refusal(values: object) -> str:
    with pytest.raises(UsageError) as caught:
        config.validated(Outer, values, "some.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"inner": {"sise": 3}, "name": "a"},
            "some.yaml: unknown key 'inner.sise' (did you mean 'size'?); known here: size, share",
        ),
        (
            {"inner": {}, "name": "a", "zebra": 1},
            "some.yaml: unknown key 'zebra'; known here: inner, name, day",
        ),
        ({"inner": {}}, "some.yaml: the key 'name' is missing; add it"),
        (
            {"inner": {"size": 0}, "name": "a"},
            "some.yaml: 'inner.size' = 0: input should be greater than 0",
        ),
        (
            {"inner": {"share": float("nan")}, "name": "a"},
            "some.yaml: 'inner.share' = nan: input should be a finite number",
        ),
        (
            {"inner": 3, "name": "a"},
            "some.yaml: 'inner' = 3: write its keys below it, as `key: value`",
        ),
        (None, "some.yaml: the file holds no keys; write `key: value` lines, or restore it"),
    ],
)
def test_a_bad_key_is_named_with_its_file_and_a_remedy(values: object, message: str) -> None:
    assert refusal(values) == message


def test_all_bad_keys_are_named_at_once() -> None:
    message = refusal({"inner": {"size": -1, "sise": 2}})
    assert "'inner.size' = -1" in message
    assert "'inner.sise'" in message
    assert "'name' is missing" in message


def test_a_prefix_says_where_a_section_stands() -> None:
    with pytest.raises(UsageError, match=r"unknown key 'part\.sise'"):
        config.validated(Inner, {"sise": 3}, "some.yaml", prefix="part")


def test_a_long_value_is_cut() -> None:
    assert len(refusal({"inner": {"size": "x" * 10_000}, "name": "a"})) < 250


def test_a_section_cannot_be_changed() -> None:
    values = config.validated(Outer, {"inner": {"size": 2}, "name": "a"}, "some.yaml")
    with pytest.raises(ValidationError, match="frozen"):
        values.inner.size = 3
    assert values.inner.size == 2


def read(folder: Path, text: bytes) -> object:
    path = folder / "some.yaml"
    path.write_bytes(text)
    return config.read_yaml(path)


def test_yaml_is_read_as_it_stands(tmp_path: Path) -> None:
    text = "a: 1\nb: {c: [x, 0.5]}\nd: 2013-10-31\n"
    assert read(tmp_path, text.encode()) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", r"some\.yaml, line 1: the key 'a' is written twice; keep one"),
        (b"a: {b: 1, b: 2}\n", r"some\.yaml, line 1: the key 'b' is written twice; keep one"),
        (b"a: [1, 2\n", r"some\.yaml, line 2: "),
        (b"a: 1\n\tb: 2\n", r"some\.yaml, line 2: "),
        (b"a: \xff\n", r"some\.yaml: not UTF-8 text; save it as UTF-8"),
        (b"a: \x00\n", r"some\.yaml: not YAML \("),
        (b"a: 1\nb: 2013-13-45\n", r"some\.yaml, line 2: '2013-13-45' is no such value \(month"),
        (b"a: !!int x\n", r"some\.yaml, line 1: 'x' is no such value"),
        (b"a: !!python/object:os.system x\n", r"some\.yaml, line 1: "),
    ],
)
def test_what_is_not_good_yaml_is_refused_in_one_line(
    tmp_path: Path, text: bytes, message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_the_standard_loader_would_keep_the_last_of_two_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_UniqueKeys", yaml.SafeLoader)
    assert read(tmp_path, b"a: 1\na: 3\n") == {"a": 3}


CONFLICT = b"a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n"


@pytest.mark.parametrize(
    ("name", "remedy"),
    [("some.yaml", "keep one side of each and take the marks"), ("dvc.lock", "run `nox -s train`")],
)
def test_what_a_merge_has_left_is_told_with_the_way_out(
    tmp_path: Path, name: str, remedy: str
) -> None:
    (tmp_path / name).write_bytes(CONFLICT)
    with pytest.raises(UsageError, match=f"{name}, line 2: git's marks of a conflict; {remedy}"):
        config.read_yaml(tmp_path / name)
    # A text may show such marks, and still be YAML.
    assert read(tmp_path, b"a: |\n  <<<<<<< HEAD\n  =======\n  >>>>>>> b\nc: 1\n") == {
        "a": "<<<<<<< HEAD\n=======\n>>>>>>> b\n",
        "c": 1,
    }


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"some\.yaml: the file is missing; restore it"):
        config.read_yaml(tmp_path / "some.yaml")
