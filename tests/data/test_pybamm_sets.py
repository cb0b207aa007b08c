"""Materials from PyBaMM's parameter sets: the values that PyBaMM itself computes; faults named."""

import os
import subprocess
import sys

import numpy as np
import pytest

from voxtrode.data.errors import InputError
from voxtrode.data.operations import NUMPY
from voxtrode.data.sources.pybamm_package import import_pybamm, package_of
from voxtrode.data.sources.pybamm_sets import PybammCell, pybamm_set
from voxtrode.data.sources.pybamm_trees import translate

pytest.importorskip("pybamm", reason="missing package pybamm (extra twin)")
pybamm = import_pybamm()

SETS = (
    "Chen2020",
    "Marquis2019",
    "Ecker2015",
    "OKane2022",
    "Mohtat2020",
    "ORegan2022",
    "Prada2013",
)
BOTH = [(name, electrode) for name in SETS for electrode in ("negative", "positive")]
HALF = [(name, "positive") for name in ("Xu2019", "Ecker2015_graphite_halfcell")]
TEMPERATURES = (298.15, 313.15)
THETA = np.linspace(0.0113, 0.9917, 90)
SALT = np.linspace(30.0, 1990.0, 99)


def by_pybamm(cell, key, *arguments):
    """A function or number of a set, as PyBaMM evaluates it at points (in their shape)."""
    given = cell.values[key]
    inputs = [pybamm.InputParameter(f"input {n}") for n in range(len(arguments))]
    node = given(*inputs) if callable(given) else pybamm.Scalar(given)
    node = cell.values.process_symbol(pybamm.convert_to_symbol(node))
    points = zip(*np.broadcast_arrays(*arguments), strict=True)
    values = [
        node.evaluate(inputs={f"input {n}": float(x) for n, x in enumerate(point)})
        for point in points
    ]
    return np.array([float(np.squeeze(value)) for value in values])


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize(("name", "electrode"), BOTH + HALF)
def test_electrodes_are_those_of_pybamm(name, electrode, temperature):
    """U with its entropic change, D_s and i₀: the same operations, regrouped (rounding)."""
    cell, side = pybamm_set(name), f"{electrode.capitalize()} electrode"
    found = cell.active_material(electrode, None, temperature)
    U = by_pybamm(cell, f"{side} OCP [V]", THETA)
    shift = temperature - cell.values["Reference temperature [K]"]
    U += shift * by_pybamm(cell, f"{side} OCP entropic change [V.K-1]", THETA)
    np.testing.assert_allclose(found.U(theta=THETA), U, rtol=1e-12)
    key = f"{electrode.capitalize()} particle diffusivity [m2.s-1]"
    D_s = by_pybamm(cell, key, THETA, temperature)
    np.testing.assert_allclose(found.D_s(theta=THETA), D_s, rtol=1e-12)
    c_max = cell.values[f"Maximum concentration in {electrode} electrode [mol.m-3]"]
    assert found.c_max.value == c_max
    key = f"{side} exchange-current density [A.m-2]"
    for c_e in (120.0, 1000.0, 1800.0):
        i0 = by_pybamm(cell, key, c_e, c_max * THETA, c_max, temperature)
        np.testing.assert_allclose(found.i0(c_e=c_e, theta=THETA), i0, rtol=1e-12)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("name", [*SETS, "Ai2020", "Xu2019", "NCA_Kim2011"])
def test_electrolytes_are_those_of_pybamm(name, temperature):
    """κ, D_e, t₊ and the thermodynamic factor, up to where they are held constant."""
    cell = pybamm_set(name)
    found = cell.electrolyte(temperature)
    keys = {
        "D_e": "Electrolyte diffusivity [m2.s-1]",
        "kappa": "Electrolyte conductivity [S.m-1]",
        "t_plus": "Cation transference number",
        "chi": "Thermodynamic factor",
    }
    for law, key in keys.items():
        expected = by_pybamm(cell, key, SALT, temperature)
        np.testing.assert_allclose(getattr(found, law)(c_e=SALT), expected, rtol=1e-12)
    assert found.c_max_fit.value == 2.0 * found.c_e0.value
    assert found.c_max_fit.assumed
    held = float(found.kappa(c_e=found.c_max_fit.value))
    np.testing.assert_array_equal(found.kappa(c_e=[1.1 * found.c_max_fit.value, 9e3]), held)
    assert np.isfinite(found.kappa_over_c(c_e=0.0))


def table(kind, x, y):
    return pybamm.Interpolant(x, y, pybamm.InputParameter("theta"), interpolator=kind)


def test_cubic_tables_are_the_same_splines():
    """Digitised potential of Ai2020, 0.4 to 1: equal inside, straight lines outside."""
    cell = pybamm_set("Ai2020")
    found = cell.active_material("positive", None, 298.15)
    low, high = found.U.valid["theta"]
    theta = np.linspace(low, high, 991)
    expected = by_pybamm(cell, "Positive electrode OCP [V]", theta)
    np.testing.assert_allclose(found.U(theta=theta), expected, rtol=1e-12)
    beyond = found.U(theta=np.array([0.1, 0.2, 0.3]))
    assert beyond[0] - beyond[1] == pytest.approx(beyond[1] - beyond[2], rel=1e-12)


def test_linear_tables_keep_their_points():
    """1e-12 at the points; between them a C1 cubic, off by 9 % of the range here."""
    x = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
    y = np.array([1.2, 0.4, 0.2, 0.15, 0.02])
    tree = translate(table("linear", x, y))
    assert tree.ranges == {"theta": [(0.0, 1.0)]}
    law = tree.expression
    np.testing.assert_allclose(law.evaluate({"theta": x}, NUMPY), y, rtol=1e-12)
    between = np.linspace(0.0, 1.0, 501)
    values = law.evaluate({"theta": between}, NUMPY)
    off = np.max(np.abs(values - np.interp(between, x, y)))
    assert 0.05 < off < 0.1 * np.ptp(y)  # the slope falls from 8 to 1 in one point
    assert np.all(np.diff(values) < 0.0)
    pchip = translate(table("pchip", x, y)).expression.evaluate({"theta": between}, NUMPY)
    expected = [table("pchip", x, y).evaluate(inputs={"theta": point}).item() for point in between]
    np.testing.assert_allclose(pchip, expected, rtol=1e-12)


def test_every_listed_node_is_evaluated_as_by_pybamm():
    x = pybamm.InputParameter("theta")
    nodes = [
        -x + 2.0 * x**3 / (1.0 + x),
        abs(x - 0.5),
        pybamm.minimum(x, 0.4) + pybamm.maximum(x, 0.6),
        (x < 0.5) * 2.0 + (x <= 0.25) * 3.0 + (x > 0.75) * 5.0,
        pybamm.exp(-x) + pybamm.log(x) + pybamm.sqrt(x) + pybamm.tanh(x),
        pybamm.sinh(x) * pybamm.cosh(x) - pybamm.constants.F,
    ]
    points = np.array([0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9])
    for node in nodes:
        expected = [float(np.squeeze(node.evaluate(inputs={"theta": point}))) for point in points]
        found = translate(node).expression.evaluate({"theta": points}, NUMPY)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (pybamm.sin, r"the node Sin \(sin\(theta\)\)"),
        (pybamm.sign, "the node Sign "),
        (lambda x: pybamm.Parameter("unknown"), r"the node Parameter \(unknown\)"),
        (lambda x: pybamm.t, "the node Time "),
        (lambda x: pybamm.Variable("c"), "the node Variable "),
        (
            lambda x: pybamm.Interpolant(
                (np.arange(3.0), np.arange(4.0)), np.zeros((3, 4)), (x, x), name="map"
            ),
            "the table 'map' of PyBaMM is a linear one of 2 variables",
        ),
    ],
)
def test_other_nodes_are_refused_by_name(node, named):
    with pytest.raises(InputError, match=named):
        translate(node(pybamm.InputParameter("theta")))


def test_a_blend_and_its_particles():
    """Chen2020_composite: graphite and silicon, each with its own functions."""
    cell = pybamm_set("Chen2020_composite")
    silicon = cell.active_material("negative", "secondary", 298.15)
    assert silicon.name == "Chen2020_composite: negative, secondary electrode"
    assert silicon.c_max.value == 278000.0
    expected = by_pybamm(cell, "Secondary: Negative electrode OCP [V]", THETA)
    np.testing.assert_allclose(silicon.U(theta=THETA), expected, rtol=1e-12)
    with pytest.raises(InputError, match=r"no particle None; particles: primary, secondary"):
        cell.active_material("negative", None, 298.15)
    with pytest.raises(InputError, match=r"no particle 'primary'; particles: none"):
        cell.active_material("positive", "primary", 298.15)


def test_numbers_limits_and_their_source():
    """The limits are those PyBaMM computes from the inventory of lithium and the cut-offs."""
    cell = pybamm_set("Chen2020")
    found = cell.active_material("negative", None, 298.15)
    assert found.sigma.value == 215.0
    assert found.U.source == f"PyBaMM: Chen2020 ({package_of('Chen2020')})"
    assert found.source.endswith("Chen2020")
    negative, positive = cell.window("negative", None), cell.window("positive", None)
    U = {e: cell.active_material(e, None, 298.15).U for e in ("negative", "positive")}
    for at, voltage in (("empty", 2.5), ("full", 4.2)):
        cathode = U["positive"](theta=getattr(positive, at).value)
        anode = U["negative"](theta=getattr(negative, at).value)
        assert cathode - anode == pytest.approx(voltage, abs=1e-4)
    assert positive.initial.value == pytest.approx(17038.0 / 63104.0)
    separator = cell.separator()
    assert separator.porosity.value / separator.tortuosity.value == pytest.approx(0.47**1.5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Chen2021", "no parameter set 'Chen2021'; did you mean Chen2020"),
        ("Sulzer2019", "a lead_acid set; expected a lithium_ion one"),
        ("Chayambuka2022", "a sodium_ion set"),
    ],
)
def test_other_sets_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        pybamm_set(name)


@pytest.mark.parametrize(
    ("name", "electrode", "message"),
    [
        ("MSMR_Example", "positive", "has no 'Positive electrode exchange-current density"),
        ("Xu2019", "negative", "has no 'Maximum concentration in negative electrode"),
        ("Chen2020", "anode", "'anode', expected negative or positive"),
    ],
)
def test_what_a_set_lacks_is_named(name, electrode, message):
    with pytest.raises(InputError, match=message):
        pybamm_set(name).active_material(electrode, None, 298.15)


def cell_with(changes):
    """Chen2020 with other values."""
    values = pybamm.ParameterValues("Chen2020")
    values.update(changes, check_already_exists=False)
    return PybammCell("changed", "pybamm", pybamm, values)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("Positive electrode OCP [V]", pybamm.sin, "OCP .*: the node Sin"),
        ("Positive electrode OCP [V]", lambda sto, T, more: sto, "cannot use .*OCP"),
        ("Positive electrode conductivity [S.m-1]", -1.0, "conductivity .* is -1"),
        ("Positive particle diffusivity [m2.s-1]", lambda sto, T: sto - 1, "the diffusivity is -"),
    ],
)
def test_a_fault_of_a_set_is_named(key, value, message):
    with pytest.raises(InputError, match=message):
        cell_with({key: value}).active_material("positive", None, 298.15)


def test_a_missing_package_names_the_extra(monkeypatch):
    """None in `sys.modules` makes an import fail, as on a machine without the package."""
    monkeypatch.setitem(sys.modules, "pybamm", None)
    with pytest.raises(InputError, match=r"need PyBaMM .* pip install 'voxtrode\[twin\]'"):
        import_pybamm()


def test_an_environment_without_sets_names_the_extra(monkeypatch):
    monkeypatch.setattr("voxtrode.data.sources.pybamm_package.entry_points", lambda group: ())
    with pytest.raises(InputError, match=r"not installed; .* pip install 'voxtrode\[twin\]'"):
        package_of("Chen2020")


def test_telemetry_is_off_and_the_import_is_lazy():
    """In a process of its own, without the variables by which PyBaMM itself stays silent."""
    script = (
        "import sys, voxtrode.data.sources.pybamm_sets as s; assert 'pybamm' not in sys.modules;"
        "s.pybamm_set('Chen2020'); import pybamm;"
        "print(pybamm.telemetry._posthog.disabled, pybamm.config.check_opt_out())"
    )
    command = [sys.executable, "-P", "-c", script]
    silent = {"PYBAMM_DISABLE_TELEMETRY", "CI", "GITHUB_ACTIONS"}
    bare = {key: value for key, value in os.environ.items() if key not in silent}
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=True, env=bare
    )
    assert done.stdout.split() == ["True", "True"]
