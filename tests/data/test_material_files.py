"""Material files that are wrong in one place: refused with the file, the key and the fault."""

import copy

import numpy as np
import pytest
import yaml

from voxtrode.data.errors import InputError
from voxtrode.data.materials import LIBRARY, read_material

GOOD = yaml.safe_load((LIBRARY / "nmc622.yaml").read_text(encoding="utf-8"))
TABLE = {
    "table": {"theta": [0.0, 0.2, 0.5, 1.0], "values": [4.6, 4.2, 3.8, 2.4]},
    "unit": "V",
    "source": "made up for a test",
}


def write(tmp_path, content, name="nmc622.yaml"):
    path = tmp_path / name
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def changed(*keys, value):
    """The good file with one entry replaced (or removed, by None)."""
    content = copy.deepcopy(GOOD)
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is None:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return content


FAULTS = {
    "missing key": (changed("c_max", value=None), "the key 'c_max' is missing"),
    "unknown key": (changed("densty", value={}), "unknown key 'densty'; did you mean density"),
    "kind": (changed("kind", value="metal"), "kind is 'metal', expected one of"),
    "name": (changed("name", value="other"), "name is 'other', but the file is called"),
    "no source": (changed("c_max", "source", value=None), "c_max: the key 'source' is missing"),
    "empty source": (changed("c_max", "source", value=" "), "c_max: the source is empty"),
    "unit": (changed("c_max", "unit", value="mol/l"), "unit is 'mol/l', expected 'mol/m\\^3'"),
    "no number": (changed("c_max", "value", value="many"), "expected a finite number, got 'many'"),
    "truth": (changed("c_max", "value", value=True), "expected a finite number, got True"),
    "infinite": (changed("c_max", "value", value=float("inf")), "expected a finite number"),
    "negative": (changed("density", "value", value=-1.0), "density is -1, expected a positive"),
    "bare number": (changed("sigma", value=0.17), "sigma: expected a mapping"),
    "assumed": (changed("sigma", "assumed", value="yes"), "assumed must be true or false"),
    "formula": (changed("D_s", "formula", value="1e-14*x"), "D_s: .*unknown name 'x'"),
    "number as formula": (changed("D_s", "formula", value=1.0), "formula must be text"),
    "attack": (changed("D_s", "formula", value="__import__('os')"), "'__import__' is no function"),
    "two bodies": (changed("U", "formula", value="4 - theta"), "exactly one of"),
    "no body": (changed("D_s", "formula", value=None), "exactly one of"),
    "msmr lengths": (changed("U", "msmr", "X", "values", value=[1.0]), "lists of one length"),
    "msmr shares": (
        changed("U", "msmr", "X", "values", value=[0.1, 0.1, 0.1, 0.1]),
        "sum to 0.4, expected 1",
    ),
    "msmr unit": (changed("U", "msmr", "U", "unit", value="mV"), "unit is 'mV', expected 'V'"),
    "msmr voltages": (
        changed("U", "msmr", "voltages", "values", value=[5.0, 3.0]),
        "the lower one first",
    ),
    "tail": (changed("U", "tails", 0, "at", value=0.99822), "start and at must differ"),
    "tail key": (changed("U", "tails", 0, "att", value=1), "tails.0: unknown key 'att'"),
    "tail of i0": (changed("i0", "tails", value=GOOD["U"]["tails"]), "only a law of theta alone"),
    "tails": (changed("U", "tails", value="steep"), "tails must be a list"),
    "range": (changed("D_s", "valid", value={"theta": [0.1]}), "list of 2 numbers"),
    "range of what": (changed("D_s", "valid", value={"c_e": [0, 1]}), "unknown key 'c_e'"),
    "list": ([1, 2], "expected a mapping"),
    "nothing": (None, "expected a mapping"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(fault, tmp_path):
    content, message = FAULTS[fault]
    with pytest.raises(InputError, match=message) as refusal:
        read_material(write(tmp_path, content))
    assert str(refusal.value).startswith("nmc622.yaml")
    assert "\n" not in str(refusal.value)


def test_the_file_these_faults_are_made_from_is_good(tmp_path):
    assert read_material(write(tmp_path, GOOD)).name == "nmc622"


def test_unreadable_files_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="cannot read the material file"):
        read_material(tmp_path / "missing.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1,\nb: }", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken.yaml is no valid YAML"):
        read_material(broken)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="cannot read the material file"):
        read_material(binary)
    unsafe = tmp_path / "unsafe.yaml"
    unsafe.write_text("a: !!python/object/apply:os.getcwd []", encoding="utf-8")
    with pytest.raises(InputError, match="no valid YAML"):
        read_material(unsafe)


def test_a_table_is_a_law(tmp_path):
    U = read_material(write(tmp_path, changed("U", value=TABLE))).U
    np.testing.assert_allclose(U(theta=[0.0, 0.2, 0.5, 1.0]), [4.6, 4.2, 3.8, 2.4], rtol=1e-15)
    assert np.all(U.derivative("theta")(theta=np.linspace(0.01, 0.99, 99)) < 0.0)
    assert "4 points of theta" in U.formula


def test_a_film_resistance_is_read_where_it_is_given(tmp_path):
    film = {"value": 6.5e-3, "unit": "ohm*m^2", "source": "made up for a test"}
    found = read_material(write(tmp_path, changed("film_resistance", value=film)))
    assert found.film_resistance.value == pytest.approx(6.5e-3)


def test_numbers_without_a_point_are_numbers(tmp_path):
    """YAML 1.1 reads 5e4 as text; a user means a number."""
    found = read_material(write(tmp_path, changed("c_max", "value", value="5e4")))
    assert found.c_max.value == pytest.approx(5e4)


ENERGY = {"value": 3e4, "unit": "J/mol", "source": "made up for a test"}


def test_activation_energies_that_would_not_be_followed_are_refused(tmp_path):
    """That of a constant inside a law."""
    one = {"value": 1.0, "unit": "A/m^2", "source": "made up for a test"}
    law = {
        "formula": "k*sqrt(c_e/1000)",
        "unit": "A/m^2",
        "source": "made up for a test",
        "constants": {"k": {**one, "activation_energy": ENERGY}},
    }
    with pytest.raises(InputError, match="belongs to the law"):
        read_material(write(tmp_path, changed("i0", value=law)))
