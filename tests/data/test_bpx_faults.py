"""BPX files that are wrong in one place: refused with file, section, key and fault."""

import bpx_cells
import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.sources.bpx import read_bpx

T_REF = 298.15


def changed(*keys, value):
    """The cell with one entry replaced (or removed, by None)."""
    content = bpx_cells.version_1()
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    if value is None:
        del place[keys[-1]]
    return content


PARTS = "Parameterisation"
ANODE = (PARTS, "Negative electrode")
SALTS = (PARTS, "Electrolyte")
D_S = "Diffusivity [m2.s-1]"
FAULTS = {
    "no header": (changed("Header", value=None), "the key 'Header' is missing"),
    "no version": (changed("Header", "BPX", value=None), "Header: the key 'BPX' is missing"),
    "version": (changed("Header", "BPX", value="2.0.0"), "version is '2.0.0'; expected 0.x or 1.x"),
    "no electrode": (changed(*ANODE, value=None), "the key 'Negative electrode' is missing"),
    "no section": (changed(*ANODE, value=[1]), "Negative electrode: expected a mapping"),
    "missing key": (changed(*ANODE, "OCP [V]", value=None), r"the key 'OCP \[V\]' is missing"),
    "unknown key": (
        changed(*ANODE, "OCV [V]", value=1.0),
        "unknown key 'OCV .*'; did you mean OCP",
    ),
    "truth": (changed(*ANODE, D_S, value=True), "must be a number, a formula of x, or a table"),
    "attack": (changed(*ANODE, D_S, value="__import__('os')"), "'__import__' is no function"),
    "name": (changed(*ANODE, D_S, value="1e-14*sto"), r"unknown name 'sto' \(known: x\)"),
    "syntax": (changed(*ANODE, D_S, value="1e-14*(x"), "cannot read the formula"),
    "lengths": (
        changed(*ANODE, D_S, value={"x": [0, 1], "y": [1]}),
        "must be of one length",
    ),
    "table": (changed(*ANODE, D_S, value={"x": [0, 0], "y": [1, 2]}), "must increase strictly"),
    "table key": (changed(*ANODE, D_S, value={"x": [0, 1], "z": [1, 2]}), "unknown key 'z'"),
    "infinite": (changed(*ANODE, D_S, value=float("inf")), "expected a finite number, got inf"),
    "negative": (
        changed(*ANODE, D_S, value="1e-14*(0.5 - x)"),
        "the diffusivity is .* at theta",
    ),
    "no value": (
        changed(*ANODE, "OCP [V]", value="log(0.5 - x)"),
        "the potential is -inf at",
    ),
    "limits": (changed(*ANODE, "Minimum stoichiometry", value=0.95), "expected 0 <= minimum <"),
    "c_max": (changed(*ANODE, "Maximum concentration [mol.m-3]", value=0), "expected a positive"),
    "an SPM's": (
        changed(*ANODE, "Conductivity [S.m-1]", value=None),
        "'Conductivity .*' is missing",
    ),
    "reference": (
        changed(PARTS, "Cell", "Reference temperature [K]", value=None),
        r"needs the cell's 'Reference temperature \[K\]'",
    ),
}
SALT_FAULTS = {
    "none": (changed(*SALTS, value=None), "the key 'Electrolyte' is missing"),
    "negative": (
        changed(*SALTS, "Conductivity [S.m-1]", value="1 - x/1000"),
        "the conductivity is",
    ),
    "short table": (
        changed(*SALTS, "Conductivity [S.m-1]", value={"x": [100, 900], "y": [0.2, 0.9]}),
        "the tables cover 100 to 900 mol/m3, which leaves out the initial concentration 1200",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_an_electrode_is_named_with_its_place(fault, tmp_path):
    content, message = FAULTS[fault]
    path = bpx_cells.write(tmp_path / "cell.json", content)
    with pytest.raises(InputError, match=message) as refusal:
        read_bpx(path).active_material("negative", None, T_REF)
    assert str(refusal.value).startswith("cell.json")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("fault", SALT_FAULTS)
def test_a_fault_of_an_electrolyte_is_named_with_its_place(fault, tmp_path):
    content, message = SALT_FAULTS[fault]
    path = bpx_cells.write(tmp_path / "cell.json", content)
    with pytest.raises(InputError, match=message) as refusal:
        read_bpx(path).electrolyte(T_REF)
    assert str(refusal.value).startswith("cell.json")


def test_unreadable_files_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="cannot read the BPX file"):
        read_bpx(tmp_path / "missing.json")
    path = tmp_path / "cell.json"
    for text, message in (
        ("{", "is no valid JSON"),
        ("[1, 2]", "expected a mapping"),
        ('{"Header": {"BPX": 1.0, "BPX": 1.1}}', "the key 'BPX' stands twice"),
        ("[" * 100_000, "is no valid JSON"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_bpx(path)
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="cannot read the BPX file"):
        read_bpx(path)


def test_a_misspelled_electrode_is_an_input_error(tmp_path):
    cell = read_bpx(bpx_cells.write(tmp_path / "cell.json", bpx_cells.version_1()))
    with pytest.raises(InputError, match="'anode', expected negative or positive"):
        cell.active_material("anode", None, T_REF)
