"""The same trees in NumPy and in UFL: values and derivatives of every law of the library."""

import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from voxtrode.data.expression import Symbol, Table
from voxtrode.data.law import Law
from voxtrode.data.materials import catalogue, material
from voxtrode.data.parsing import parse
from voxtrode.data.tables import piecewise_cubic
from voxtrode.solvers.ufl_operations import UFL, law_as_ufl

RANGES = {"theta": (-0.02, 1.02), "c_e": (0.0, 4000.0)}


@pytest.fixture(scope="module")
def line():
    """A mesh of its own on each rank: what is compared is no matter of MPI."""
    return mesh.create_unit_interval(MPI.COMM_SELF, 1733)


def spanning(line, names):
    """A P1 field per argument: each runs through its range, the second one eleven times."""
    space = fem.functionspace(line, ("P", 1))
    fields = {name: fem.Function(space) for name in names}
    for turns, (name, field) in zip((1, 11), fields.items(), strict=False):
        low, high = RANGES[name]
        zigzag = np.abs((turns * space.tabulate_dof_coordinates()[:, 0]) % 2.0 - 1.0)
        field.x.array[:] = low + (high - low) * zigzag
    return fields


def at_vertices(line, expressions):
    """Values of UFL expressions at the vertices, one row each; one compilation for all."""
    space = fem.functionspace(line, ("P", 1, (len(expressions),)))
    vector = ufl.as_vector(expressions)
    points = space.element.interpolation_points
    found = fem.Function(space)
    found.interpolate(fem.Expression(vector, points() if callable(points) else points))
    return found.x.array.reshape(-1, len(expressions)).T


def compare(line, laws):
    """Each law, and its derivative by each argument, in both algebras at the same arguments.

    UFL derives its own expression (as for a Jacobian); NumPy evaluates the derived tree. Both do
    the same operations up to their order, so that they agree to rounding: 1e-11 of the value, and
    of the largest slope (differences of tanh cancel to 1e-13 of their terms).
    """
    names = sorted({name for law in laws for name in law.arguments}, reverse=True)
    fields = spanning(line, names)
    arrays = {name: field.x.array for name, field in fields.items()}
    variables = {name: ufl.variable(field) for name, field in fields.items()}
    expressions, expected = [], []
    for law in laws:
        value = law_as_ufl(law, **variables)
        expressions.append(value)
        expected.append(law(**arrays))
        for name in law.arguments:
            expressions.append(ufl.diff(value, variables[name]))
            expected.append(law.derivative(name)(**arrays))
    for found, wanted in zip(at_vertices(line, expressions), expected, strict=True):
        assert np.all(np.isfinite(wanted))
        np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-11 * np.max(np.abs(wanted)))


def laws_of(name):
    return [value for value in vars(material(name)).values() if isinstance(value, Law)]


@pytest.mark.parametrize("name", [entry.name for entry in catalogue() if laws_of(entry.name)])
def test_laws_are_the_same_in_numpy_and_ufl(line, name):
    held = {"theta": (1e-6, 1 - 1e-6), "c_e": (1e-3, 1e5)}
    compare(line, [law.held(**{key: held[key] for key in law.arguments}) for law in laws_of(name)])


def test_potentials_agree_outside_zero_to_one_as_well(line):
    potentials = [vars(material(entry.name)).get("U") for entry in catalogue()]
    compare(line, [law for law in potentials if law is not None])


def law(expression):
    return Law(expression, ("theta",), "1", "made up for a test")


def test_every_elementary_function_is_the_same(line):
    compare(
        line,
        [
            law(parse(text, ["theta"]))
            for text in (
                "exp(theta) - log(theta + 2) + log10(theta + 3)",
                "sqrt(theta + 1) + tanh(theta) - sinh(theta)*cosh(theta)",
                "(theta + 2)**theta + 2**theta + (theta + 1)**-1.5 + theta**3",
                "min(theta, 0.4321) + max(theta, 0.6789)**2 + clip(theta, 0.1234, 0.2345)",
                "1/(theta + 2)",
            )
        ],
    )


@pytest.mark.parametrize("pieces", [1, 2, 7, 64])
def test_tables_are_the_same(line, pieces):
    """Also beyond both ends, where a table continues as a straight line; no vertex is a break."""
    knots = np.linspace(0.0123, 0.9817, pieces + 1)
    table = piecewise_cubic(knots, 4.3 - knots - 0.3 * knots**5)
    compare(
        line, [law(Table(table, Symbol("theta"))), law(Table(table, parse("theta**2", ["theta"])))]
    )


def test_a_constant_law_is_a_ufl_expression():
    constant = Law(parse("0.2594", ["c_e"]), ("c_e",), "1", "made up for a test")
    assert float(law_as_ufl(constant, c_e=1000.0)) == pytest.approx(0.2594)


def test_shared_subtrees_become_one_ufl_expression(line):
    """Without that, 60 products of a tree with itself would be 2^60 expressions."""
    tree = parse("exp(x)", ["x"])
    for _ in range(60):
        tree = tree * tree
    field = fem.Function(fem.functionspace(line, ("P", 1)))
    assert tree.evaluate({"x": field}, UFL).ufl_shape == ()
