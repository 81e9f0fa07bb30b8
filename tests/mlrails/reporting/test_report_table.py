"""The figures in a few lines."""

from mlrails.reporting import report

FOUND = {
    "confidence": 0.95,
    "digest": "abcdef0123456789",
    "parts": {"test": {"rows": 12345, "from": "2013-09-01", "to": "2013-10-31"}},
    "test": {
        "rmse": {
            "models": {
                "model": {"value": 30.0, "low": 28.0, "high": 32.0},
                "constant mean": {"value": 40.0, "low": 38.0, "high": 42.0},
                "ridge": {"value": 33.0, "low": 31.0, "high": 35.0},
            },
            "gains": {
                "constant mean": {"value": 10.0, "low": 9.0, "high": 11.0},
                "ridge": {"value": 3.0, "low": None, "high": None},
            },
        }
    },
}


def test_the_model_stands_beside_the_best_baseline() -> None:
    assert report.figures_table(FOUND, report="reports/report.html").splitlines() == [
        "",
        "test    model        95% interval    best baseline     gain",
        "rmse  30.0000  28.0000 to 32.0000  33.0000 (ridge)  +3.0000",
        "",
        "12,345 test rows, 2013-09-01 to 2013-10-31; model abcdef012345",
        "report: reports/report.html",
    ]


def test_a_gain_of_next_to_nothing_is_no_negative_zero() -> None:
    gain = {"value": -2e-5, "low": -4e-5, "high": 0.0}
    metric = FOUND["test"]["rmse"]  # type: ignore[index]
    found = FOUND | {"test": {"rmse": metric | {"gains": {"ridge": gain}}}}
    assert "-0.00002 (-0.00004 to 0.00000)" in report.figures_table(found)


def test_rows_without_time_have_no_period() -> None:
    parts = {"test": {"rows": 5, "from": None, "to": None}}
    assert report.figures_table(FOUND | {"parts": parts}).endswith(
        "\n5 test rows; model abcdef012345"
    )


def test_the_validation_rows_can_be_told_instead_and_no_report() -> None:
    about = {"rows": 7, "from": "2013-07-01", "to": "2013-08-31"}
    found = {
        **FOUND,
        "parts": {"validation": about},
        "validation": FOUND["test"],
    }
    told = report.figures_table(
        {name: it for name, it in found.items() if name != "test"}, "validation"
    )
    assert told.splitlines()[1].startswith("validation  ")
    assert told.endswith("7 validation rows, 2013-07-01 to 2013-08-31; model abcdef012345")
    assert "report" not in told
