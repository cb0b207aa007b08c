"""States beyond what the sources of laws cover are found, with what the law does there."""

from dataclasses import replace

from voxtrode.data.materials import active_material, electrolyte, metal_electrode
from voxtrode.data.phases import Liquid, Phase
from voxtrode.pipeline.ranges import out_of_range
from voxtrode.solvers.cell import Cell

SALT = electrolyte("lipf6-ec-emc-nyman2008")
CELL = Cell(
    {
        0: Phase("pore", liquid=Liquid(SALT)),
        1: Phase("oxide", active_material("nmc811"), 1.0),
    },
    metal_electrode("lithium"),
    298.15,
    4.2,
    3.0,
)


def test_inside_nothing_is_said() -> None:
    """The edges are inside."""
    assert out_of_range(CELL, {"c_e": (200.0, 2000.0), "oxide": (0.27, 0.91)}) == []
    assert out_of_range(CELL, {}) == []


def test_each_law_that_was_left_is_named() -> None:
    """κ and D_e are held above 2 M; U goes on along its assumed tail."""
    found = out_of_range(CELL, {"c_e": (900.0, 2500.0), "oxide": (0.3, 0.94)})
    assert {(one["law"], one["held"]) for one in found} == {
        ("D_e", True),
        ("kappa", True),
        ("U", False),
    } | {("t_plus", True)}
    (potential,) = [one for one in found if one["law"] == "U"]
    assert potential["material"] == "nmc811"
    assert potential["range"] == [0.27, 0.91]
    assert potential["reached"] == [0.3, 0.94]
    assert potential["phase"] == "oxide"
    assert {one["phase"] for one in found if one["argument"] == "c_e"} == {None}


def test_a_phase_in_several_colours_is_named_once() -> None:
    """Split so that its particles come apart; another phase of the material speaks for itself."""
    oxide = CELL.phases[1]
    phases = {**CELL.phases, 2: oxide, 3: replace(oxide, name="other")}
    found = out_of_range(replace(CELL, phases=phases), {"oxide": (0.3, 0.94), "other": (0.2, 0.5)})
    assert [(one["phase"], one["law"]) for one in found] == [("oxide", "U"), ("other", "U")]


def test_below_its_range_the_formula_goes_on() -> None:
    """Towards c_e = 0, where a constant conductivity would be wrong."""
    found = out_of_range(CELL, {"c_e": (20.0, 1000.0)})
    assert {(one["law"], one["held"]) for one in found} == {("D_e", False), ("kappa", False)}
