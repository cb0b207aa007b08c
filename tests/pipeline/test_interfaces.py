"""The `interfaces` section of a study: what it may say, and the charge transfer it gives."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY, GAS_CONSTANT
from voxtrode.data.reactions import Reaction, linear
from voxtrode.meshing.tagged import TaggedMesh
from voxtrode.pipeline.build import build_phases, build_separator, holds_salt
from voxtrode.pipeline.build_interfaces import build_contacts, build_junctions, build_reactions
from voxtrode.pipeline.check import check
from voxtrode.pipeline.stage_simulate import cell_of
from voxtrode.pipeline.study import Study, parse_study
from voxtrode.pipeline.validation import validate

TREE: dict[str, Any] = {
    "name": "cell",
    "volume": {
        "generate": {
            "kind": "spheres",
            "diameters": ["4 um"],
            "size": ["20 um", "10 um", "10 um"],
            "voxel": "0.5 um",
            "active_fraction": 0.5,
        }
    },
    "phases": {
        "active": {"material": "nmc622"},
        "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
    },
    "separator": {"thickness": "10 um", "porosity": 0.5, "tortuosity": 1.5},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "1 um"},
}


def reactions(interfaces: dict[str, Any], **changes: Any) -> dict[tuple[str, str], Reaction]:
    """What a study with these interfaces gives."""
    study = parse_study({**TREE, "interfaces": interfaces, **changes}, Path("/"))
    validate(study)
    return build_reactions(study)


def test_a_pair_comes_before_its_phase() -> None:
    """Whatever the order of keys and names; nothing is said of other pairs."""
    given = {
        "nsd|active": {"charge_transfer_resistance": "50 ohm*cm^2", "wetted": 0.7},
        "active": {"rate": "linear", "alpha_a": 0.4, "wetted": 0.9},
    }
    found = reactions(given, temperature=300.0)
    assert set(found) == {("active", "nsd"), ("active", "separator")}
    assert {one.rate for one in found.values()} == {linear}
    assert {one.alpha_a for one in found.values()} == {0.4}
    assert found["active", "separator"].wetted == 0.9
    assert found["active", "nsd"].wetted == 0.7
    i0 = float(found["active", "nsd"].i0(c_e=700.0, theta=0.4))
    assert i0 == pytest.approx(GAS_CONSTANT * 300.0 / FARADAY / 5e-3, rel=1e-12)
    own = Reaction.of(build_phases(parse_study(TREE, Path("/")))["active"].active)  # type: ignore[arg-type]
    assert found["active", "separator"].i0.formula == own.i0.formula


def test_formulas_of_the_stoichiometry() -> None:
    """i₀ and R_ct may depend on θ; an activation energy acts on them."""
    given = {"active|nsd": {"exchange_current": "2*sqrt(theta*(1 - theta))"}}
    i0 = reactions(given)["active", "nsd"].i0
    assert float(i0(c_e=1.0, theta=0.5)) == pytest.approx(1.0)
    warm = {"active|nsd": {**given["active|nsd"], "activation_energy": "30 kJ/mol"}}
    hot = reactions(warm, temperature=318.0)["active", "nsd"].i0
    assert float(hot(c_e=1.0, theta=0.5)) == pytest.approx(2.128, rel=1e-3)
    resisted = {"active": {"charge_transfer_resistance": "1e-2*(1 + theta)"}}
    i0 = reactions(resisted)["active", "nsd"].i0
    assert float(i0(c_e=1.0, theta=1.0)) == pytest.approx(0.025693 / 2e-2, rel=1e-4)


FAULTS = {
    "no phase": ({"active|nds": {"wetted": 0.5}}, 'no phase "nds"; did you mean "nsd"'),
    "three": ({"active|nsd|separator": {"wetted": 0.5}}, "names 3 phases"),
    "twice": ({"active|nsd": {"wetted": 0.5}, "nsd|active": {"wetted": 0.4}}, "same interface"),
    "no reaction": ({"nsd|separator": {"wetted": 0.5}}, "no charge is transferred"),
    "two ways": ({"active": {"exchange_current": 1.0, "rate_constant": 1e-6}}, "expected one of"),
    "law": ({"active": {"rate": "lineer"}}, 'did you mean "linear"'),
    "formula": ({"active": {"exchange_current": "2*thetta"}}, "exchange_current"),
    "resistance of c_e": (
        {"active": {"charge_transfer_resistance": "1e-2*c_e"}},
        r"charge_transfer_resistance.*'c_e'.*expected a formula of theta in ohm\*m\^2",
    ),
    "negative formula": (
        {"active": {"exchange_current": "-2*theta"}},
        r"exchange_current: -2\*theta is -0\.2 A/m\^2 at theta = 0\.1 and c_e = 1000 mol/m\^3",
    ),
    "negative somewhere": (
        {"active|nsd": {"charge_transfer_resistance": "1e-2*(0.8 - theta)"}},
        r"nsd\.charge_transfer_resistance: .* is -0\.001 ohm\*m\^2 at theta = 0\.9",
    ),
    "infinite": ({"active": {"exchange_current": "1/(theta - 0.5)**2"}}, r"inf A/m\^2 at theta"),
    "undefined": ({"active": {"exchange_current": "sqrt(theta - 0.5)"}}, r"nan A/m\^2 at theta"),
    "nothing": ({"active": {}}, "says nothing"),
    "energy alone": ({"active": {"activation_energy": 3e4}}, "beside it"),
    "share": ({"active": {"wetted": 1.5}}, "wetted"),
    "negative": ({"active": {"film_resistance": -1.0}}, "film_resistance"),
}


@pytest.mark.parametrize(("interfaces", "said"), FAULTS.values(), ids=list(FAULTS))
def test_what_is_refused(interfaces: dict[str, Any], said: str) -> None:
    """Before anything runs, with the key."""
    with pytest.raises(InputError, match=said) as caught:
        reactions(interfaces)
    assert "interfaces" in str(caught.value)


def two_sizes(given: dict[str, Any], materials: tuple[str, str], **more: Any) -> Study:
    """A study of two sizes, each a phase."""
    generate = {
        **TREE["volume"]["generate"],
        "diameters": ["3 um", "4 um"],
        "shares": [0.5, 0.5],
        "phases": ["fine", "coarse"],
    }
    phases = {
        "fine": {"material": materials[0]},
        "coarse": {"material": materials[1]},
        "nsd": TREE["phases"]["nsd"],
    }
    tree = {**TREE, "volume": {"generate": generate}, "phases": phases, "interfaces": given}
    for key in [key for key, value in more.items() if value is None]:
        del tree[key]
    tree |= {key: value for key, value in more.items() if value is not None}
    study = parse_study(tree, Path("/"))
    validate(study)
    return study


def contacts(given: dict[str, Any], materials: tuple[str, str]) -> dict[tuple[str, str], float]:
    """What it says of their contact."""
    study = two_sizes(given, materials)
    assert build_reactions(study) == {}
    return build_contacts(study)


SAME, OTHER = ("nmc622", "nmc622"), ("nmc622", "nmc811")


def test_contacts_of_a_study() -> None:
    """Open, closed, or a resistance."""
    pair = ("fine", "coarse")
    assert contacts({}, SAME) == {}
    assert contacts({"fine|coarse": {"lithium": "closed"}}, SAME) == {pair: float("inf")}
    assert contacts({"fine|coarse": {"lithium": "open", "electrons": "open"}}, SAME) == {pair: 0.0}
    found = contacts({"fine|coarse": {"lithium": "10 ohm*cm^2"}}, OTHER)
    assert found == {pair: pytest.approx(1e-3)}
    inside = contacts({"fine|fine": {"lithium": "closed"}}, SAME)
    assert inside == {("fine", "fine"): float("inf")}


def test_contacts_for_electrons() -> None:
    """Of any two electron conductors, of particles of a phase, and beside charge transfer."""
    given = {
        "fine|coarse": {"electrons": "5 ohm*cm^2", "lithium": "closed"},
        "coarse|coarse": {"electrons": "closed"},
        "nsd|fine": {"electrons": "1 ohm*cm^2", "wetted": 0.7},
    }
    study = two_sizes(given, OTHER)
    assert build_junctions(study) == {
        ("fine", "coarse"): pytest.approx(5e-4),
        ("coarse", "coarse"): float("inf"),
        ("nsd", "fine"): pytest.approx(1e-4),
    }
    assert build_reactions(study)["fine", "nsd"].wetted == 0.7
    assert build_contacts(study) == {("fine", "coarse"): float("inf")}
    stirred = {"surroundings": "stirred", "separator": None}
    with pytest.raises(InputError, match=r"surroundings\.stirred\.contact to collector"):
        two_sizes(given, OTHER, **stirred)
    study = full_cell({"anode|cathode": {"electrons": "1 ohm*cm^2"}}, FLUID)
    with pytest.raises(InputError, match="two electrodes"):
        build_junctions(study)


def full_cell(interfaces: dict[str, Any], fluid: dict[str, Any]) -> Study:
    """Both electrodes in one volume: one size of particles each."""
    generate = {
        **TREE["volume"]["generate"],
        "diameters": ["3 um", "4 um"],
        "shares": [0.5, 0.5],
        "phases": ["anode", "cathode"],
    }
    tree = {key: value for key, value in TREE.items() if key != "separator"} | {
        "volume": {"generate": generate},
        "phases": {
            "anode": {"material": "graphite-chen2020"},
            "cathode": {"material": "nmc622"},
            "nsd": fluid,
        },
        "negative": {"phases": ["anode"], "collector": "last", "potentials": ["0.1 V", "0.9 V"]},
        "positive": {"phases": ["cathode"], "collector": "first"},
        "interfaces": interfaces,
    }
    return parse_study(tree, Path("/"))


FLUID = {"porosity": 1, "tortuosity": 1}


def test_interfaces_of_a_full_cell_in_one_volume() -> None:
    """No separator is there: neither in the check, nor in the cell that is simulated."""
    study = full_cell({"cathode": {"wetted": 0.5}}, FLUID)
    assert "cells" in check(study)
    assert build_separator(study) is None
    assert set(build_reactions(study)) == {("cathode", "nsd")}
    info = SimpleNamespace(phases=(*study.phases, "separator"))
    cell = cell_of(study, cast("TaggedMesh", SimpleNamespace(info=info)))
    assert set(cell.phases) == {0, 1, 2}
    label = {phase.name: number for number, phase in cell.phases.items()}
    assert {pair: one.wetted for pair, one in cell.reactions.items()} == {
        (label["cathode"], label["nsd"]): 0.5
    }
    with pytest.raises(InputError, match='no phase "separator"'):
        full_cell({"cathode|separator": {"wetted": 0.5}}, FLUID)


def test_a_solid_full_cell_holds_no_salt() -> None:
    """A separator that is not there brings none."""
    assert holds_salt(full_cell({}, FLUID))
    assert not holds_salt(full_cell({}, {"ionic_conductivity": "0.1 S/m"}))


CONTACT_FAULTS = {
    "two materials": ({"fine|coarse": {"lithium": "open"}}, "two materials"),
    "an ion conductor": ({"fine|nsd": {"lithium": "closed"}}, "two active phases"),
    "alone": ({"fine": {"lithium": "closed"}}, "two active phases"),
    "both kinds": ({"fine|coarse": {"lithium": "closed", "wetted": 0.5}}, "one of them"),
    "insulator": ({"fine|separator": {"electrons": "closed"}}, "two electron conductors"),
    "electrons of one": ({"fine": {"electrons": "closed"}}, "two electron conductors"),
    "no particles": ({"nsd|nsd": {"electrons": "1 ohm*cm^2"}}, "nsd is none"),
    "no resistance": ({"fine|coarse": {"lithium": 0.0}}, "not positive"),
    "no word": ({"fine|coarse": {"lithium": "ajar"}}, "lithium"),
}


@pytest.mark.parametrize(("given", "said"), CONTACT_FAULTS.values(), ids=list(CONTACT_FAULTS))
def test_contacts_that_cannot_be(given: dict[str, Any], said: str) -> None:
    """Refused with a word on what to do."""
    with pytest.raises(InputError, match=said):
        contacts(given, OTHER)
