"""What a fit keeps of itself, and that a learner goes on from nothing that does not fit it."""

from collections.abc import Mapping

import numpy as np
import pytest

from mlrails.modeling import epochs as modeling_epochs
from mlrails.modeling.epochs import Arrays

EPOCHS = 3
TOLD = [{"validation_loss": 0.5, "other": np.nan}, {"validation_loss": 0.25, "other": 1.0}]
STATE: Arrays = {"weights": np.ones((2, 3), "f4"), "step": np.array(4)}
FRESH: Arrays = {"weights": np.zeros((2, 3), "f4"), "step": np.array(0)}
KEPT = modeling_epochs.pack(TOLD, STATE, FRESH)


def test_what_was_packed_comes_back() -> None:
    told, best, now = modeling_epochs.unpack(KEPT)
    assert str(told) == str(TOLD)
    for found, expected in ((best, STATE), (now, FRESH)):
        assert found.keys() == expected.keys()
        assert all((found[name] == expected[name]).all() for name in expected)


@pytest.mark.parametrize("epochs", [2, 3])
def test_a_checkpoint_of_the_same_learner_fits(epochs: int) -> None:
    assert modeling_epochs.misfit(KEPT, FRESH, epochs) == ""


NAMES = KEPT["names"]
CHANGED: Mapping[str, tuple[Arrays, str]] = {
    "another shape": (
        {"now/weights": np.ones((3, 3), "f4")},
        "now/weights is float32[3, 3], not float32[2, 3]",
    ),
    "another moment": ({"best/step": np.ones(2, int)}, "best/step is int64[2], not int64[]"),
    "text": ({"now/weights": np.full((2, 3), "a")}, "now/weights is <U1[2, 3], not float32[2, 3]"),
    "more bits": ({"now/weights": np.ones((2, 3))}, "now/weights is float64[2, 3], not float32"),
    "no number": ({"best/weights": np.full((2, 3), np.nan, "f4")}, "best/weights is no number"),
    "endless": ({"now/weights": np.full((2, 3), np.inf, "f4")}, "now/weights is no number"),
    "one array more": ({"now/more": np.ones(2)}, "now/more is unknown"),
    "another part": ({"more": np.ones(2)}, "more is unknown"),
    "told in a row": ({"told": np.ones(2)}, "it does not tell of its epochs"),
    "told nothing": ({"told": np.ones((0, 2))}, "it tells of 0 epochs, of 3"),
    "told in words": ({"told": np.full((2, 2), "a")}, "it does not tell of its epochs"),
    "told too often": ({"told": np.ones((1000, 2))}, "it tells of 1000 epochs, of 3"),
    "a name too few": ({"names": NAMES[:1]}, "it does not tell of its epochs"),
    "names as one": ({"names": np.array("validation_loss")}, "it does not tell of its epochs"),
    "other names": ({"names": np.array(["a", "b"])}, "it tells no losses"),
    "a name twice": ({"names": NAMES[[0, 0]]}, "it tells no losses"),
    "no loss": ({"told": np.full((2, 2), np.nan)}, "it tells no losses"),
}


@pytest.mark.parametrize("change", CHANGED)
def test_what_was_changed_does_not_fit(change: str) -> None:
    arrays, words = CHANGED[change]
    assert words in modeling_epochs.misfit({**KEPT, **arrays}, FRESH, EPOCHS)


@pytest.mark.parametrize("name", sorted(KEPT))
def test_what_lacks_an_array_does_not_fit(name: str) -> None:
    less = {other: it for other, it in KEPT.items() if other != name}
    words = "it does not tell of its epochs" if name in {"told", "names"} else f"{name} is missing"
    assert modeling_epochs.misfit(less, FRESH, EPOCHS) == words
