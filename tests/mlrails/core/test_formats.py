"""How differences are written: what is not zero does not look like it, and no zero has a sign."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrails.core import formats

SMALL = st.floats(-1e3, 1e3, allow_subnormal=False)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ((0.0, 0.0, 0.0), "0.0000 (0.0000 to 0.0000)"),
        ((-0.0, -0.0, 0.0), "0.0000 (0.0000 to 0.0000)"),
        ((-1e-12, -3e-12, 1e-12), "0.000000 (0.000000 to 0.000000)"),
        ((-2e-5, -4e-5, 1e-6), "-0.000020 (-0.000040 to +0.000001)"),
        ((-0.0031, -0.0053, -0.0009), "-0.0031 (-0.0053 to -0.0009)"),
        ((-1234.5678, -2000.0, 13.25), "-1,234.6 (-2,000.0 to +13.2)"),
    ],
)
def test_a_difference_is_written_as_it_is(found: tuple[float, float, float], text: str) -> None:
    assert formats.difference(*found) == text


@given(SMALL, SMALL, SMALL)
def test_no_zero_has_a_sign(value: float, low: float, high: float) -> None:
    written = re.findall(r"[-+]?[0-9][0-9,.]*", formats.difference(value, low, high))
    zeros = [word for word in written if float(word.replace(",", "")) == 0]
    assert len(written) == 3 and not any(word.startswith(("-", "+")) for word in zeros)


def test_a_size_has_no_sign() -> None:
    assert (formats.plain(-0.0031), formats.plain(2.5)) == ("0.0031", "2.5000")
