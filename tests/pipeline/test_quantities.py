"""Quantities: SI numbers and texts with units, and nothing else."""

import pytest

from voxtrode.pipeline.quantities import parse_c_rate, to_si


@pytest.mark.parametrize(
    ("given", "unit", "expected"),
    [
        ("60 um", "m", 60e-6),
        ("60um", "m", 60e-6),
        ("60 µm", "m", 60e-6),
        ("398 nm", "m", 398e-9),
        (6e-5, "m", 6e-5),
        ("6e-5", "m", 6e-5),
        ("1.5 mA*h/cm^2", "A*s/m^2", 54000.0),
        ("1.5 mAh/cm²", "A*s/m^2", 54000.0),
        ("25 degC", "K", 298.15),
        ("10 min", "s", 600.0),
        ("0.1 S/cm", "S/m", 10.0),
        ("49 %", "", 0.49),
    ],
)
def test_quantity(given: object, unit: str, expected: float) -> None:
    """Exact: decimal inputs are rounded to 15 digits, which a literal has, too."""
    assert to_si(given, unit, "quantity", "1") == expected


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("60 V", "is no length"),
        ("60 parrots", '"parrots" is not known'),
        ("sixty um", "is no quantity"),
        (True, "is no quantity"),
        (None, "is no quantity"),
        ([60], "is no quantity"),
        (float("nan"), "is not finite"),
        ("60 um um", "is no length"),
    ],
)
def test_no_quantity(given: object, fault: str) -> None:
    """The message says what came and shows what is expected."""
    with pytest.raises(ValueError, match=fault) as caught:
        to_si(given, "m", "length", "60 um")
    assert 'such as "60 um"' in str(caught.value)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("1C", 1.0), ("C/10", 0.1), ("2.5C", 2.5), ("C", 1.0), ("2C/5", 0.4), (" 3 C ", 3.0)],
)
def test_c_rate(text: str, rate: float) -> None:
    """Exact: one division of literals."""
    assert parse_c_rate(text) == rate


@pytest.mark.parametrize("text", ["3.0 V", "5 A/m^2", "C/", "1 c", "one C", "-1C", "10 C/s"])
def test_no_c_rate(text: str) -> None:
    """Other units are no C-rate; a lower-case c is the speed of light in pint."""
    assert parse_c_rate(text) is None


@pytest.mark.parametrize("text", ["0C", "C/0"])
def test_zero_c_rate(text: str) -> None:
    """A C-rate of zero or infinity is refused."""
    with pytest.raises(ValueError, match="no usable C-rate"):
        parse_c_rate(text)
