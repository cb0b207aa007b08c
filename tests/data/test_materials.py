"""Every material of the library, found by itself: sane laws that say where they are from."""

import math

import numpy as np
import pint
import pytest
import yaml
from scipy.optimize import brentq

from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY, GAS_CONSTANT, Law, Parameter
from voxtrode.data.materials import (
    LIBRARY,
    active_material,
    assumed_parameters,
    at_temperature,
    catalogue,
    conductor,
    electrolyte,
    material,
    metal_electrode,
    solid_electrolyte,
    stoichiometry_at,
)

FILES = sorted(LIBRARY.glob("*.yaml"))
ACTIVE = [entry.name for entry in catalogue() if entry.kind == "active material"]
ELECTROLYTES = [entry.name for entry in catalogue() if entry.kind == "electrolyte"]
METALS = [entry.name for entry in catalogue() if entry.kind == "metal electrode"]
NEGATIVE = [name for name in ACTIVE if name.startswith("graphite")]
THETA = np.linspace(1e-4, 1.0 - 1e-4, 20001)
CONCENTRATIONS = np.concatenate([[0.0], np.geomspace(1e-6, 5000.0, 4001)])


def grid(law):
    """Points that span the arguments of a law, flat arrays of one length, off any kink."""
    theta, c_e = np.meshgrid(np.linspace(0.0113, 0.9917, 211), np.geomspace(0.37, 4321.0, 23))
    known = {"theta": theta.ravel(), "c_e": c_e.ravel()}
    return {name: known[name] for name in law.arguments}


def laws_of(name):
    found = material(name)
    return {key: law for key, law in vars(found).items() if isinstance(law, Law)}


LAWS = [(entry.name, law) for entry in catalogue() for law in laws_of(entry.name)]


def test_the_library_is_complete():
    expected = {"nmc811", "nmc622", "nmc532-xu2019", "lithium", "lithium-indium", "cbd"}
    assert expected | {"lipf6-ec-emc-nyman2008"} <= {entry.name for entry in catalogue()}
    assert {entry.kind for entry in catalogue()} == {
        "active material",
        "electrolyte",
        "metal electrode",
        "conductor",
        "dilute electrolyte",
        "solid electrolyte",
        "electron conductor",
    }
    assert all(len(entry.source) > 10 for entry in catalogue())


def numbers_of(content, place):
    """Every mapping of a file that holds a number or a formula, with its place."""
    if isinstance(content, dict):
        if {"value", "values", "formula", "msmr", "table", "voltage"} & set(content):
            yield place, content
        for key, part in content.items():
            yield from numbers_of(part, f"{place}: {key}")
    if isinstance(content, list):
        for position, part in enumerate(content):
            yield from numbers_of(part, f"{place}.{position}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_number_has_a_unit_that_parses_and_a_source(path):
    units = pint.UnitRegistry()
    found = list(numbers_of(yaml.safe_load(path.read_text(encoding="utf-8")), path.name))
    assert len(found) >= 2
    for place, content in found:
        assert len(content["source"].strip()) > 5, place
        assert units.Quantity(1.0, content["unit"]) is not None, place
        if content.get("assumed"):
            assert content["source"], place


@pytest.mark.parametrize("name", ACTIVE)
def test_potential_falls_strictly_and_smoothly(name):
    """Strictly: by 0.2 V per unit of θ at least (the flattest oxide has 0.28).

    Fits of graphite are flat in their plateaus, that of Chen et al. to 4e-9.
    C1: the slope may jump by rounding only; between points 1e-9 apart it moves by δ·U'' < 1e-2.
    """
    U = active_material(name).U
    slope = U.derivative("theta")
    assert np.all(np.diff(U(theta=THETA)) < 0.0)
    assert np.all(
        slope(theta=np.linspace(-0.01, 1.01, 20001)) < (0.0 if name in NEGATIVE else -0.2)
    )
    ends = [edge for tail in U.tails for edge in (tail.start, tail.at)]
    ends += list(np.linspace(1e-3, 1.0, 4001))
    before, at, after = (slope(theta=np.array(ends) + step) for step in (-5e-10, 0.0, 5e-10))
    np.testing.assert_allclose(before, after, rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(before, at, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize("name", ACTIVE)
def test_potential_reaches_every_cut_off_inside(name):
    """The cut-offs of all studies lie inside 0 < θ < 1, and the root is met to 1e-9 V."""
    U = active_material(name).U
    cut_offs = [4.5, 4.3, 4.2, 3.0, 2.8, 2.7, 2.5]
    if name in NEGATIVE:
        cut_offs = [1.2, 1.0, 0.5, 0.2, 0.05, 0.005]
    thetas = np.array([stoichiometry_at(U, voltage) for voltage in cut_offs])
    assert np.all(np.diff(thetas) > 0.0)
    assert thetas[0] > 0.001
    assert thetas[-1] < 0.9999
    np.testing.assert_allclose(U(theta=thetas), cut_offs, atol=1e-9)


@pytest.mark.parametrize("name", ACTIVE)
def test_tails_leave_the_fit_alone_and_meet_their_point(name):
    U = active_material(name).U
    fit = U.without_tails()
    inside = THETA
    for tail in U.tails:
        assert tail.assumed
        assert U(theta=tail.at) == pytest.approx(tail.voltage, abs=1e-9)
        inside = inside[(inside < tail.start) == (tail.at > tail.start)]
    assert inside.size > 0.9 * THETA.size
    np.testing.assert_array_equal(U(theta=inside), fit(theta=inside))
    assert not fit.tails


@pytest.mark.parametrize("name", ACTIVE)
def test_transport_and_kinetics_of_active_materials_are_positive(name):
    found = active_material(name)
    assert np.all(found.D_s(theta=np.linspace(0.0, 1.0, 2001)) > 0.0)
    assert np.all(found.i0(**grid(found.i0)) > 0.0)
    assert found.alpha_a.value + found.alpha_c.value == pytest.approx(1.0)


@pytest.mark.parametrize("name", METALS)
def test_kinetics_of_metals_are_positive(name):
    found = metal_electrode(name)
    assert np.all(found.i0(c_e=CONCENTRATIONS[1:]) > 0.0)
    assert found.alpha_a.value + found.alpha_c.value == pytest.approx(1.0)


@pytest.mark.parametrize("name", ELECTROLYTES)
def test_electrolyte_is_finite_positive_and_held_beyond_its_fit(name):
    found = electrolyte(name)
    for law in (found.D_e, found.kappa, found.kappa_over_c, found.t_plus, found.chi):
        value = law(c_e=CONCENTRATIONS)
        assert np.all(np.isfinite(value))
        assert np.all(value > 0.0)
        assert np.all(np.isfinite(law.derivative("c_e")(c_e=CONCENTRATIONS)))
    end = found.c_max_fit.value
    for law in (found.D_e, found.kappa):
        np.testing.assert_array_equal(law(c_e=[end, 1.5 * end, 9 * end]), float(law(c_e=end)))


@pytest.mark.parametrize("name", ELECTROLYTES)
def test_conductivity_over_concentration_is_that(name):
    """Above the floor of 1e-3 mol m-3 (which keeps roots finite) the two laws are one."""
    found = electrolyte(name)
    c_e = CONCENTRATIONS[CONCENTRATIONS > 1e-3]
    np.testing.assert_allclose(c_e * found.kappa_over_c(c_e=c_e), found.kappa(c_e=c_e), rtol=1e-12)
    assert found.kappa(c_e=0.0) < 1e-5


@pytest.mark.parametrize(("name", "key"), LAWS)
def test_derivative_is_the_limit_of_differences(name, key):
    """Central differences err by h² f''' and ε f/h: 1e-6 of the law's largest slope suffices."""
    law = laws_of(name)[key]
    points = grid(law)
    for argument, values in points.items():
        step = 1e-7 if argument == "theta" else 1e-6 * values
        above = law(**{**points, argument: values + step})
        below = law(**{**points, argument: values - step})
        expected = (above - below) / (2 * step)
        found = law.derivative(argument)(**points)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6 * np.max(np.abs(found)))


def test_formulas_are_the_published_ones():
    """Restated here in NumPy; the trees do the same operations, so rounding is all that differs."""
    x = np.linspace(0.05, 0.9, 18)
    c = np.linspace(0.1, 1.9, 18)
    nmc811, xu = active_material("nmc811"), active_material("nmc532-xu2019")
    chen = (
        -0.8090 * x
        + 4.4875
        - 0.0428 * np.tanh(18.5138 * (x - 0.5542))
        - 17.7326 * np.tanh(15.7890 * (x - 0.3117))
        + 17.5842 * np.tanh(15.9308 * (x - 0.3120))
    )
    np.testing.assert_allclose(nmc811.U(theta=x), chen, rtol=1e-13)
    bumps = (
        0.9231 * np.exp(-((x - 0.3216) ** 2) / 0.002534)
        + 0.4066 * np.exp(-((x - 0.4532) ** 2) / 0.003926)
        + 0.993 * np.exp(-((x - 0.8098) ** 2) / 0.09924)
    )
    np.testing.assert_allclose(nmc811.D_s(theta=x), 2.7 * 10 ** (-13.96 - bumps), rtol=1e-12)
    i0 = 3.2e-11 * FARADAY * np.sqrt(1000 * c * 49340 * x * (49340 - 49340 * x))
    np.testing.assert_allclose(nmc811.i0(theta=x, c_e=1000 * c), i0, rtol=1e-12)
    mohtat = np.polynomial.Polynomial([4.3452, -1.6518, 1.6225, -2.0843, 3.5146, -2.2166])(x)
    mohtat -= 0.5623e-4 * np.exp(109.451 * x - 100.006)
    np.testing.assert_allclose(xu.U(theta=x), mohtat, rtol=1e-13)
    i0 = 5.76e-11 * FARADAY * np.sqrt(1000 * c * 48230 * x * (48230 - 48230 * x))
    np.testing.assert_allclose(xu.i0(theta=x, c_e=1000 * c), i0, rtol=1e-12)
    liquid = electrolyte("lipf6-ec-emc-nyman2008")
    kappa = 0.1297 * c**3 - 2.51 * c**1.5 + 3.329 * c
    np.testing.assert_allclose(liquid.kappa(c_e=1000 * c), kappa, rtol=1e-13)
    D_e = 8.794e-11 * c**2 - 3.972e-10 * c + 4.862e-10
    np.testing.assert_allclose(liquid.D_e(c_e=1000 * c), D_e, rtol=1e-13)
    np.testing.assert_array_equal(liquid.t_plus(c_e=1000 * c), 0.2594)
    lithium = metal_electrode("lithium").i0(c_e=1000 * c)
    np.testing.assert_allclose(
        lithium, 3.5e-8 * FARADAY * 76900**0.7 * (1000 * c) ** 0.3, rtol=1e-13
    )


def test_figures_stated_with_the_parameter_sets():
    """Figures quoted with the sets, to the digits they are quoted with."""
    U = active_material("nmc811").U
    assert stoichiometry_at(U, 4.2) == pytest.approx(0.305, abs=5e-4)
    assert U(theta=0.91) == pytest.approx(3.56, abs=5e-3)
    assert U(theta=0.95) == pytest.approx(2.8, abs=1e-9)
    assert U.without_tails()(theta=1.0) == pytest.approx(3.487, abs=5e-4)
    assert metal_electrode("lithium").i0(c_e=1000.0) == pytest.approx(71.0, abs=0.5)
    assert metal_electrode("lithium-indium").potential.value == pytest.approx(0.62)
    cbd = conductor("cbd")
    assert (cbd.porosity.value, cbd.tortuosity.value, cbd.conductivity.value) == (0.5, 2.0, 10.0)


def test_msmr_table_is_within_a_tenth_of_a_millivolt():
    """θ(U) is inverted here by bisection, independently, wherever the fit is not replaced."""
    U0, X, w = (
        np.array([3.62274, 3.72645, 3.90575, 4.22955]),
        np.array([0.13442, 0.32460, 0.21118, 0.32980]),
        np.array([0.96710, 1.39712, 3.50500, 5.52757]),
    )

    def theta_at(voltage):
        return np.sum(X / (1.0 + np.exp(FARADAY * (voltage - U0) / (GAS_CONSTANT * 298.15 * w))))

    found = active_material("nmc622")
    thetas = np.concatenate([np.linspace(0.0016, 0.9982, 997), 1 - np.geomspace(0.1, 0.0018, 50)])
    exact = [brentq(lambda v, t=t: theta_at(v) - t, 2.0, 6.0, xtol=1e-13) for t in thetas]
    np.testing.assert_allclose(found.U(theta=thetas), exact, atol=1e-4)
    assert stoichiometry_at(found.U, 3.0) == pytest.approx(theta_at(3.0), abs=1e-3)


@pytest.mark.parametrize("name", [*ACTIVE, *METALS])
def test_rate_constants_have_the_dimension_of_their_formula(name):
    """F k √(c_e c_s (c_max − c_s)), F k c_Li^0.7 c_e^0.3 and RT/(F S R_ct) come out in A m-2."""
    units = pint.UnitRegistry()
    constants = laws_of(name)["i0"].constants
    if "k" in constants:
        k = constants["k"]
        order = 1.5 if name in ACTIVE else 1.0
        value = units.Quantity(k.value, k.unit) * units("C/mol") * units("mol/m^3") ** order
    else:
        value = units("V") / units.Quantity(1.0, constants["S"].unit) / units("ohm")
    assert value.check("[current]/[length]**2")


def test_graphites_of_layered_anodes_have_the_resistances_they_were_measured_with():
    """R_ct of 4.25, 8.79, 16.17 Ω at SOC 0, ½, 1 on a 16 mm disc with 17 times its area."""
    area = 17.0 * math.pi * 0.008**2
    synthetic = active_material("graphite-sg-kang2024")
    i0 = synthetic.i0(c_e=1150.0, theta=np.array([0.0, 0.5, 1.0]))
    found = GAS_CONSTANT * 298.15 / FARADAY / i0 / area
    np.testing.assert_allclose(found, [4.25, 8.79, 16.17], rtol=1e-4)
    films = [active_material(f"graphite-{kind}-kang2024").film_resistance for kind in ("sg", "ng")]
    np.testing.assert_allclose([film.value / area for film in films], [1.89, 4.50], rtol=1e-3)
    per_mass = FARADAY * synthetic.c_max.value / synthetic.density.value / 3.6
    assert per_mass == pytest.approx(340e3, rel=1e-3)  # mAh/kg


def test_assumed_numbers_are_listed():
    names = {entry.name for entry in assumed_parameters(active_material("nmc811"))}
    assert names == {"U: tail"}
    names = {entry.name for entry in assumed_parameters(active_material("nmc622"))}
    assert {"D_s", "i0: k", "sigma", "U: tail"} <= names
    names = {entry.name for entry in assumed_parameters(metal_electrode("lithium"))}
    assert names == {"alpha_a", "alpha_c"}
    assert len(assumed_parameters(conductor("cbd"))) == 3
    dilute = at_temperature(electrolyte("lipf6-dilute"), 310.0)
    assert [entry.name for entry in assumed_parameters(dilute)] == ["D_plus", "D_minus"]


def test_laws_can_be_held_inside_ranges():
    i0 = active_material("nmc811").i0.held(theta=(0.01, 0.99), c_e=(1.0, 1e4))
    edge = i0(theta=0.99, c_e=1.0)
    np.testing.assert_array_equal(i0(theta=[0.99, 1.0, 7.0], c_e=[1.0, 0.0, -3.0]), edge)
    np.testing.assert_array_equal(i0.derivative("theta")(theta=[1.0, -1.0], c_e=[0.0, 5.0]), 0.0)


def test_a_law_names_the_argument_it_misses():
    with pytest.raises(TypeError, match="theta"):
        active_material("nmc811").i0(c_e=1000.0)


def test_unreachable_voltage_is_an_input_error():
    with pytest.raises(InputError, match=r"does not reach 6 V"):
        stoichiometry_at(active_material("nmc811").U, 6.0)


def test_unknown_and_misplaced_materials_are_input_errors():
    with pytest.raises(InputError, match="did you mean nmc811"):
        active_material("nmc8111")
    with pytest.raises(InputError, match=r"unknown material '\.\./library/nmc811'"):
        active_material("../library/nmc811")
    with pytest.raises(InputError, match="lithium is no active material"):
        active_material("lithium")
    with pytest.raises(InputError, match=r"nmc811 is no electrolyte; .*: lipf6-dilute, lipf6-ec"):
        electrolyte("nmc811")


def test_parameters_keep_what_they_are():
    c_max = active_material("nmc811").c_max
    assert c_max == Parameter(49340.0, "mol/m^3", "crystal density", note=c_max.note)


@pytest.mark.parametrize("T", [283.15, 298.15, 318.15])
def test_laws_follow_the_temperature(T):
    """Arrhenius' law from 298.15 K, or the formula in T, as the source writes it."""
    warm = at_temperature(active_material("graphite-ecker2015"), T)
    D_s = (8.4e-13 * np.exp(-11.3 * 0.4) + 8.2e-15) * np.exp(
        30300 / GAS_CONSTANT * (1 / 296 - 1 / T)
    )
    assert float(warm.D_s(theta=0.4)) == pytest.approx(D_s, rel=1e-12)
    chen = active_material("graphite-chen2020")
    ratio = float(at_temperature(chen, T).i0(c_e=900.0, theta=0.4)) / float(
        chen.i0(c_e=900.0, theta=0.4)
    )
    assert ratio == pytest.approx(np.exp(35000 / GAS_CONSTANT * (1 / 298.15 - 1 / T)), rel=1e-12)
    solid = at_temperature(solid_electrolyte("argyrodite"), T)
    assert solid.kappa.value == pytest.approx(0.25 * ratio, rel=1e-12)
    assert at_temperature(warm, 298.15).U is warm.U
    dilute = electrolyte("lipf6-dilute")
    kappa = float(at_temperature(dilute, T).kappa(c_e=500.0))
    assert kappa == pytest.approx(298.15 / T * float(dilute.kappa(c_e=500.0)), rel=1e-12)
    names = {entry.name for entry in assumed_parameters(solid)}
    assert names == {"kappa", "kappa: E_a"}
