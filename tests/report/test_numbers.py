"""Numbers as the page prints them."""

import math

import pytest

from voxtrode.pipeline.report.numbers import box, duration, number, percent, shortest, unit_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (None, "–"),
        (math.nan, "–"),
        (True, "1"),
        (0.43021, "0.430"),
        (-3.14159, "−3.14"),
        (999.96, "1000"),
        (123456, "123 456"),
        (98765.4, "98 765"),
        (0.00012345, "1.23 × 10⁻⁴"),
        (-2.5e-12, "−2.50 × 10⁻¹²"),
        (9.999e-5, "1.00 × 10⁻⁴"),
        (6.02e23, "6.02 × 10²³"),
    ],
)
def test_number(value: float | None, text: str) -> None:
    """Three digits; powers of ten where zeros would pile up; rounding carries over."""
    assert number(value).replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "0.500 s"),
        (59.99, "60.0 s"),
        (60.0, "1 min"),
        (119.6, "2 min"),
        (3661.0, "1 h 01 min"),
        (90000.0, "1 d 1 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """Two units at most, and never 60 of the smaller one."""
    assert duration(seconds).replace("\u00a0", " ") == text


def test_units_and_sizes() -> None:
    """Units of material files, percentages and boxes."""
    assert unit_text("m^2/s") == "m²/s"
    assert unit_text("S*m^2/mol") == "S·m²/mol"
    assert unit_text("mol^-1") == "mol⁻¹"
    assert unit_text("m^2.5*mol^-0.5/s") == "m^2.5·mol^-0.5/s"
    assert unit_text("1") == ""
    assert percent(0.06157).replace("\u00a0", " ") == "6.16 %"
    assert box([6e-5, 2.4e-5, 2.45e-5]).replace("\u00a0", " ") == "60 × 24 × 24.5 µm"
    assert shortest(0.5) == "0.5"
    assert shortest(100.0) == "100"
    assert shortest(3.2e-11).replace("\u202f", " ") == "3.2 × 10⁻¹¹"
