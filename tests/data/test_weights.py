"""Weight and volume fractions: by hand, there and back, and the published composite."""

import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.generation.weights import (
    accompanying_fractions,
    volume_fractions,
    weight_fractions,
    with_nanopores,
)

COMPOSITE = {"active": 4700.0, "electrolyte": 1860.0, "carbon": 670.0}


def test_by_hand():
    """One part of a heavy and one of a light material, three times as light: 1/4 and 3/4."""
    fractions = volume_fractions({"a": 0.5, "b": 0.5}, {"a": 3000.0, "b": 1000.0}, void=0.2)
    assert fractions == pytest.approx({"a": 0.2, "b": 0.6, "void": 0.2})


@pytest.mark.parametrize("void", [0.0, 0.13])
def test_there_and_back(void):
    weights = {"active": 0.80, "electrolyte": 0.17, "carbon": 0.03}
    fractions = volume_fractions(weights, COMPOSITE, void)
    assert sum(fractions.values()) == pytest.approx(1.0)
    assert weight_fractions(fractions, COMPOSITE) == pytest.approx(weights)


def test_published_composite():
    """90 wt % active with 3 wt % carbon: 0.70 active and 13.9 vol % electrolyte.

    That is without void. At 4700 kg/m³ the electrolyte comes to 13.7 vol %, at 4780 to 13.9.
    """
    weights = {"active": 0.90, "electrolyte": 0.07, "carbon": 0.03}
    fractions = volume_fractions(weights, COMPOSITE)
    assert fractions["active"] == pytest.approx(0.70, abs=0.005)
    assert fractions["electrolyte"] == pytest.approx(0.1374, abs=5e-5)
    denser = volume_fractions(weights, {**COMPOSITE, "active": 4780.0})
    assert denser["active"] == pytest.approx(0.70, abs=0.005)
    assert denser["electrolyte"] == pytest.approx(0.139, abs=5e-5)
    assert volume_fractions(weights, COMPOSITE, 0.05)["active"] < 0.67


def test_what_comes_with_the_active_material():
    """96:2:2 on 0.60 of the box: 2 % of 96 % by weight, at the ratio of densities."""
    densities = {"active": 4800.0, "carbon": 1800.0, "binder": 1600.0}
    weights = {"active": 0.96, "carbon": 0.02, "binder": 0.02}
    fractions = accompanying_fractions("active", 0.60, weights, densities)
    assert fractions["active"] == pytest.approx(0.60)
    assert fractions["carbon"] == pytest.approx(0.60 * 4800 / 0.96 * 0.02 / 1800)
    assert sum(fractions.values()) == pytest.approx(1.0)
    assert weight_fractions(fractions, densities) == pytest.approx(weights)
    assert with_nanopores(0.06, 0.5) == pytest.approx(0.12)


@pytest.mark.parametrize(
    ("weights", "densities", "void", "message"),
    [
        ({"a": 0.5, "b": 0.4}, {"a": 1.0, "b": 1.0}, 0.0, "add up to 0.9"),
        ({"a": 80.0, "b": 20.0}, {"a": 1.0, "b": 1.0}, 0.0, "weight fraction of a is 80"),
        ({"a": 1.5, "b": -0.5}, {"a": 1.0, "b": 1.0}, 0.0, "expected 0 to 1"),
        ({"a": 1.0}, {}, 0.0, "no density for a"),
        ({"a": 1.0}, {"a": 0.0}, 0.0, "density of a"),
        ({"a": 1.0}, {"a": 1.0}, 1.0, "void fraction is 1"),
        ({"a": 0.5, "void": 0.5}, {"a": 1.0}, 0.0, "weight given for void"),
        ({"a": float("nan")}, {"a": 1.0}, 0.0, "weight fraction of a is nan"),
        ({}, {}, 0.0, "add up to 0"),
    ],
)
def test_bad_weights(weights, densities, void, message):
    with pytest.raises(InputError, match=message):
        volume_fractions(weights, densities, void)


def test_other_bad_input():
    with pytest.raises(InputError, match="all volume fractions are zero"):
        weight_fractions({"a": 0.0, "void": 1.0}, {"a": 1.0})
    with pytest.raises(InputError, match=r"volume fraction of a is -0\.1"):
        weight_fractions({"a": -0.1}, {"a": 1.0})
    with pytest.raises(InputError, match=r"need 1\.800 of the box"):
        accompanying_fractions("a", 0.9, {"a": 0.5, "b": 0.5}, {"a": 1.0, "b": 1.0})
    with pytest.raises(InputError, match="has no weight"):
        accompanying_fractions("c", 0.5, {"a": 1.0}, {"a": 1.0})
    with pytest.raises(InputError, match="porosity of the domain is 1"):
        with_nanopores(0.1, 1.0)
