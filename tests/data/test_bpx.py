"""Materials from BPX files: what the file says, as BPX and PyBaMM evaluate it."""

import math
import warnings

import bpx_cells
import numpy as np
import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY, GAS_CONSTANT
from voxtrode.data.materials import assumed_parameters, stoichiometry_at
from voxtrode.data.sources.bpx import read_bpx
from voxtrode.data.sources.tails import reaching

T_REF = 298.15
THETA = np.linspace(0.03, 0.97, 95)
SALT = np.linspace(50.0, 2350.0, 93)
VERSIONS = {"0.x": bpx_cells.version_0, "1.x": bpx_cells.version_1}


@pytest.fixture(params=VERSIONS)
def cell(request, tmp_path):
    """The same cell from files of both versions."""
    return read_bpx(bpx_cells.write(tmp_path / "cell.json", VERSIONS[request.param]()))


@pytest.fixture(scope="module")
def reference():
    """The cell as the package `bpx` reads it."""
    bpx = pytest.importorskip("bpx", reason="missing package bpx (extra twin)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file is made up: its limits and cut-offs disagree
        return bpx.parse_bpx_obj(bpx_cells.version_1())


def by_bpx(function, points):
    """A formula at each point, by the code that `bpx` makes of it."""
    evaluate = function.to_python_function()
    return np.array([evaluate(float(point)) for point in points])


def arrhenius(energy, temperature):
    return math.exp(energy / GAS_CONSTANT * (1.0 / T_REF - 1.0 / temperature))


@pytest.mark.parametrize("temperature", [T_REF, 318.15])
def test_formulas_are_those_of_bpx(cell, reference, temperature):
    """Same formula, other order of operations: rounding is all that may differ."""
    parts = reference.parameterisation
    anode, cathode = (cell.active_material(s, None, temperature) for s in ("negative", "positive"))
    shift = temperature - T_REF
    potential = by_bpx(parts.positive_electrode.ocp, THETA) - 1e-5 * shift
    np.testing.assert_allclose(cathode.U(theta=THETA), potential, rtol=1e-12)
    D_s = by_bpx(parts.negative_electrode.diffusivity, THETA) * arrhenius(30300, temperature)
    np.testing.assert_allclose(anode.D_s(theta=THETA), D_s, rtol=1e-12)
    salt = cell.electrolyte(temperature)
    factor = arrhenius(17100, temperature)
    kappa, D_e = parts.electrolyte.conductivity, parts.electrolyte.diffusivity
    np.testing.assert_allclose(salt.kappa(c_e=SALT), by_bpx(kappa, SALT) * factor, rtol=1e-12)
    np.testing.assert_allclose(salt.D_e(c_e=SALT), by_bpx(D_e, SALT) * factor, rtol=1e-12)
    np.testing.assert_array_equal(salt.t_plus(c_e=SALT), 0.2594)
    np.testing.assert_array_equal(salt.chi(c_e=SALT), 1.0)
    np.testing.assert_allclose(SALT * salt.kappa_over_c(c_e=SALT), salt.kappa(c_e=SALT), rtol=1e-14)


@pytest.mark.parametrize("temperature", [T_REF, 318.15])
def test_kinetics_are_those_of_bpx(cell, temperature):
    """F k √((c_e/c_e0) θ (1 − θ)): c_e0 is the file's initial concentration, 1200 mol m⁻³."""
    i0 = cell.active_material("positive", None, temperature).i0
    k = 3.545e-6 * arrhenius(17800, temperature)
    expected = FARADAY * k * np.sqrt(900.0 / 1200.0 * THETA * (1.0 - THETA))
    np.testing.assert_allclose(i0(theta=THETA, c_e=900.0), expected, rtol=1e-12)


def test_kinetics_are_those_pybamm_makes_of_bpx(cell, tmp_path):
    """To the 11th digit: PyBaMM's Faraday constant differs in that one."""
    pybamm = pytest.importorskip("pybamm", reason="missing package pybamm (extra twin)")
    path = bpx_cells.write(tmp_path / "again.json", bpx_cells.version_1())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = pybamm.ParameterValues.create_from_bpx(str(path))
    c_max, T = 63104.0, 318.15
    function = values["Positive electrode exchange-current density [A.m-2]"]
    expected = [function(900.0, c_max * theta, c_max, T).evaluate() for theta in THETA]
    i0 = cell.active_material("positive", None, T).i0
    np.testing.assert_allclose(i0(theta=THETA, c_e=900.0), np.ravel(expected), rtol=1e-10)


def test_tables_pass_through_their_points(cell):
    """Exact at the points, in whatever order they stand; monotone between; constant beyond."""
    D_s = cell.active_material("positive", None, T_REF).D_s
    np.testing.assert_allclose(D_s(theta=[0.2, 0.6, 1.0]), [6e-15, 4e-15, 2e-15], rtol=1e-12)
    between = np.linspace(0.2, 1.0, 41)
    assert np.all(np.diff(D_s(theta=between)) < 0.0)
    linear = np.interp(between, [0.2, 0.6, 1.0], [6e-15, 4e-15, 2e-15])
    np.testing.assert_allclose(D_s(theta=between), linear, rtol=1e-12)  # a straight line stays one
    np.testing.assert_allclose(D_s(theta=[0.0, 0.1]), 6e-15, rtol=1e-12)
    assert D_s.valid["theta"] == (0.2, 1.0)


def test_a_table_bends_less_than_its_steps(cell):
    """A C1 cubic differs from straight lines; here by 12 % of the step at most."""
    anode = cell.active_material("negative", None, T_REF + 1.0)
    change = anode.U(theta=THETA) - cell.active_material("negative", None, T_REF).U(theta=THETA)
    linear = np.interp(THETA, [0.0, 0.5, 1.0], [1e-4, -2e-5, -8e-5])
    assert 1e-7 < np.max(np.abs(change - linear)) < 0.12 * 1.2e-4


def test_numbers_and_their_source(cell):
    """c_max, σ, limits of stoichiometry, separator: as in the file, each with where it is from."""
    anode = cell.active_material("negative", None, T_REF)
    assert anode.name == "cell.json: negative electrode"
    assert (anode.c_max.value, anode.sigma.value) == (33133.0, 215.0)
    assert (anode.alpha_a.value, anode.alpha_c.value) == (0.5, 0.5)
    for quantity in (anode.c_max, anode.sigma, anode.U, anode.D_s, anode.i0):
        assert quantity.source == "BPX: cell.json, made-up cell"
    assert anode.i0.constants["k"].value == 6.716e-6
    assert {entry.name for entry in assumed_parameters(anode)} == {"density"}
    assert {entry.name for entry in assumed_parameters(cell.electrolyte(T_REF))} == {"c_max_fit"}
    assert cell.electrolyte(T_REF).c_e0.value == 1200.0
    separator = cell.separator()
    assert separator.tortuosity.value == pytest.approx(0.47 / 0.3222)
    for electrode, empty, full in (("negative", 0.0263, 0.9106), ("positive", 0.8540, 0.2638)):
        window = cell.window(electrode, None)
        assert (window.empty.value, window.full.value) == (empty, full)
        U = cell.active_material(electrode, None, T_REF).U
        assert U.valid["theta"] == (min(empty, full), max(empty, full))


def test_the_initial_stoichiometry_follows_the_state_of_charge(tmp_path):
    """Version 1 says it; version 0 has none."""
    new = read_bpx(bpx_cells.write(tmp_path / "new.json", bpx_cells.version_1()))
    old = read_bpx(bpx_cells.write(tmp_path / "old.json", bpx_cells.version_0()))
    expected = 0.8540 + 0.75 * (0.2638 - 0.8540)
    assert new.window("positive", None).initial.value == pytest.approx(expected)
    assert old.window("positive", None).initial is None


def test_particles_of_a_blend_are_told_apart(tmp_path):
    """Each is a material of its own; which one must be said."""
    cell = read_bpx(bpx_cells.write(tmp_path / "blend.json", bpx_cells.blend()))
    assert cell.particles("negative") == ("graphite", "silicon")
    silicon = cell.active_material("negative", "silicon", T_REF)
    assert silicon.name == "blend.json: negative, silicon electrode"
    assert (silicon.c_max.value, silicon.sigma.value) == (278000.0, 215.0)
    np.testing.assert_allclose(silicon.U(theta=THETA), 0.6 - 0.5 * THETA, rtol=1e-12)
    with pytest.raises(InputError, match=r"names no particle; particles of .*: graphite, silicon"):
        cell.active_material("negative", None, T_REF)
    with pytest.raises(InputError, match="has no particle 'tin'"):
        cell.active_material("negative", "tin", T_REF)
    with pytest.raises(InputError, match=r"has no particle 'tin'; .* none, it is no blend"):
        cell.active_material("positive", "tin", T_REF)


def test_the_electrolyte_is_held_where_nothing_is_known(tmp_path):
    """Formulas: beyond twice the initial concentration, assumed; tables: beyond their ends."""
    content = bpx_cells.version_1()
    salt = read_bpx(bpx_cells.write(tmp_path / "a.json", content)).electrolyte(T_REF)
    assert (salt.c_max_fit.value, salt.c_max_fit.assumed) == (2400.0, True)
    np.testing.assert_array_equal(salt.kappa(c_e=[2400.0, 9e3]), float(salt.kappa(c_e=2400.0)))
    assert np.all(np.isfinite(salt.kappa_over_c(c_e=[0.0, 1e-6])))
    table = {"x": [100.0, 1000.0, 1800.0], "y": [0.2, 0.95, 0.7]}
    content["Parameterisation"]["Electrolyte"]["Conductivity [S.m-1]"] = table
    salt = read_bpx(bpx_cells.write(tmp_path / "b.json", content)).electrolyte(T_REF)
    assert (salt.c_max_fit.value, salt.c_max_fit.assumed) == (1800.0, False)
    np.testing.assert_allclose(salt.kappa(c_e=[0.0, 100.0, 1e3, 5e3]), [0.2, 0.2, 0.95, 0.7])


def test_tails_lead_to_the_cut_offs_and_leave_the_rest(cell):
    """The fit ends at 3.5 V: a tail, marked as assumed, reaches 2.8 V; 4.2 V needs none."""
    found = cell.active_material("positive", None, T_REF)
    with pytest.raises(InputError, match=r"does not reach 2.8 V"):
        stoichiometry_at(found.U, 2.8)
    U = reaching(found, 2.8, 4.2).U
    assert [tail.start for tail in U.tails] == [0.8540]
    assert stoichiometry_at(U, 2.8) == pytest.approx(0.927)
    inside = THETA[THETA < 0.8540]
    np.testing.assert_array_equal(U(theta=inside), found.U(theta=inside))
    assert np.all(np.diff(U(theta=np.linspace(0.2, 0.999, 999))) < 0.0)
    high = reaching(found, 3.6, 4.8).U  # the other end
    assert stoichiometry_at(high, 4.8) == pytest.approx(0.1319)
    assert reaching(found, 3.6, 4.2) == found
