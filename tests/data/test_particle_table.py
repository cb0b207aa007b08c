"""The particle table against closed forms of balls, ellipsoids, cylinders and cuboids."""

import csv

import numpy as np
import pytest
from particle_volumes import CUBE, UM, small_electrode, table_of

from voxtrode.data.connectivity import Roles, judge
from voxtrode.data.morphology import particle_numbers
from voxtrode.data.particle_table import COLUMNS, particle_table, write_particles
from voxtrode.data.volume import Volume

FLAT = (2.0, 1.0, 1.0)


def places(shape, centre, voxel=CUBE):
    """(z, y, x) of the voxels' centres from a point, in µm."""
    return (np.stack(np.indices(shape), axis=-1) + 0.5) * voxel - centre


def ball(radius, voxel=CUBE, seed=0):
    """A ball anywhere on the grid, not touching the box."""
    shape = tuple(int(np.ceil(2 * radius / edge)) + 6 for edge in voxel)
    centre = 0.5 * np.multiply(shape, voxel) + np.random.default_rng(seed).random(3)
    return (places(shape, centre, voxel) ** 2).sum(axis=-1) < radius**2


def turned(seed):
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return matrix


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("radius", "voxel", "tolerance"),
    [(4.0, CUBE, 0.02), (8.0, CUBE, 0.015), (20.0, CUBE, 0.01), (8.0, FLAT, 0.02)],
)
def test_ball(radius, voxel, tolerance, seed):
    """The area scatters with the place on the grid; 0.7 % stay, the window's preferred directions.

    A voxel's own second moment is in the axes: squares longer by 20/12 of its edge's one.
    """
    table = table_of(ball(radius, voxel, seed), voxel)
    assert table.volume[0] == pytest.approx(4 / 3 * np.pi * (radius * UM) ** 3, rel=2 * tolerance)
    assert table.surface_area[0] == pytest.approx(4 * np.pi * (radius * UM) ** 2, rel=tolerance)
    assert table.sphericity[0] == pytest.approx(1.0, rel=tolerance)
    least, most = (np.sqrt((2 * radius) ** 2 + 20 / 12 * edge**2) for edge in (1.0, max(voxel)))
    assert np.all(table.axes[0] * 1e6 > least * (1 - 2.5 * tolerance))
    assert np.all(table.axes[0] * 1e6 < most * (1 + 2.5 * tolerance))
    assert table.wetted_area[0] == pytest.approx(table.surface_area[0], rel=1e-12)
    assert table.wetted_faces[0] == pytest.approx(1.5 * table.surface_area[0], rel=0.08)


def test_sphericity_tends_to_one():
    """The scatter over places on the grid is of first order in voxel over radius, or better."""
    scatter = []
    for radius in (3.0, 12.0):
        values = [table_of(ball(radius, seed=seed)).sphericity[0] for seed in range(8)]
        scatter.append(np.std(values))
        assert np.mean(values) == pytest.approx(1.0, abs=0.01)
    assert scatter[1] < scatter[0] / 4


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("voxel", [CUBE, FLAT])
def test_axes_of_an_ellipsoid(voxel, seed):
    """With the voxel's own moment (of second order) 1 %; 3 % where 6 is three voxels' lengths."""
    matrix = turned(seed)
    shape = tuple(int(44 / edge) for edge in voxel)
    local = places(shape, (22.1, 21.8, 22.3), voxel) @ matrix / (18.0, 10.0, 6.0)
    table = table_of((local**2).sum(axis=-1) < 1.0, voxel)
    exact = np.sqrt(np.square([36.0, 20.0, 12.0]) + 20 / 12)
    assert table.axes[0] * 1e6 == pytest.approx(exact, rel=0.01 if voxel == CUBE else 0.03)
    assert abs(table.direction[0] @ matrix[:, 0]) == pytest.approx(1.0, abs=1e-3)
    assert table.direction[0][np.abs(table.direction[0]).argmax()] > 0
    assert table.centroid[0] * 1e6 == pytest.approx([22.1, 21.8, 22.3], abs=0.05 * voxel[0] ** 2)


def test_spheroid_has_its_area():
    """Oblate, semi-axes 16, 16 and 8: 1.5 %, its rim's radius of curvature is 4 voxels."""
    local = places((40, 40, 40), (20.2, 19.7, 20.1)) @ turned(5) / (16.0, 16.0, 8.0)
    eccentricity = np.sqrt(1 - 0.25)
    area = 2 * np.pi * 16.0**2 * (1 + 0.25 * np.arctanh(eccentricity) / eccentricity)
    table = table_of((local**2).sum(axis=-1) < 1.0)
    assert table.surface_area[0] * 1e12 == pytest.approx(area, rel=0.015)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_cylinder_through_the_box(axis):
    """Its mantle; the ends lie in the sides of the box and count for the sphericity alone.

    2 %: directions in one plane of the lattice are not as well averaged as all of a ball.
    """
    circle = (places((30, 30), (15.2, 14.9), (1.0, 1.0)) ** 2).sum(axis=-1) < 10.0**2
    mask = np.repeat(np.expand_dims(circle, axis), 40, axis=axis)
    table = table_of(mask)
    assert table.surface_area[0] * 1e12 == pytest.approx(2 * np.pi * 10 * 40, rel=0.02)
    assert table.touches_box[0]
    closed = 2 * np.pi * 10 * (40 + 10)
    sphericity = np.cbrt(np.pi * (6 * np.pi * 10**2 * 40) ** 2) / closed
    assert table.sphericity[0] == pytest.approx(sphericity, rel=0.02)
    assert np.abs(table.direction[0]) == pytest.approx(np.eye(3)[axis], abs=1e-6)
    # Of a cylinder: variance L²/12 along, R²/4 across; of the ellipsoid a²/20.
    assert table.axes[0] * 1e6 == pytest.approx(
        [40 * np.sqrt(20 / 12), 10 * np.sqrt(5), 10 * np.sqrt(5)], rel=0.01
    )


@pytest.mark.parametrize("voxel", [CUBE, FLAT, (1.0, 0.5, 1.0)])
def test_cuboid(voxel):
    """Second moments are exact. Edges are rounded off: less than a voxel's width along them."""
    mask = np.zeros((16, 30, 24), bool)
    mask[3:13, 4:26, 4:20] = True
    sides = np.array([10, 22, 16]) * voxel
    table = table_of(mask, voxel)
    assert table.axes[0] * 1e6 == pytest.approx(np.sort(sides)[::-1] * np.sqrt(20 / 12), rel=1e-9)
    area = 2 * (sides.prod() / sides).sum()
    lost = area - table.surface_area[0] * 1e12
    assert 0 < lost < 4 * sides.sum() * max(voxel)
    assert table.wetted_faces[0] * 1e12 == pytest.approx(area, rel=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [1, 2, 7])
def test_slab_is_exact(axis, thickness):
    """Flat faces along an axis, between the sides of the box: whatever the window sees."""
    mask = np.zeros((12, 13, 14), bool)
    mask[(slice(None),) * axis + (slice(3, 3 + thickness),)] = True
    section = np.prod(np.delete(mask.shape, axis))
    table = table_of(mask)
    assert table.surface_area[0] * 1e12 == pytest.approx(2 * section, rel=1e-12)
    # Below a slab across z no pore reaches the counter face.
    wetted = 0.5 if axis == 0 else 1.0
    assert table.wetted_area[0] == pytest.approx(wetted * table.surface_area[0], rel=1e-12)


@pytest.mark.parametrize("voxel", [CUBE, FLAT])
@pytest.mark.parametrize("degrees", [10.0, 26.6, 45.0, 60.0])
def test_tilted_plane_up_to_the_sides(degrees, voxel):
    """Single directions: 3 %; no loss where the plane meets the sides of the box."""
    slope = np.tan(np.radians(degrees))
    shape = tuple(int(60 / edge) for edge in voxel)
    local = places(shape, (30.1, 0.0, 30.2), voxel)
    mask = local[..., 0] < slope * local[..., 2]
    length = 60.0 * min(1 / np.cos(np.radians(degrees)), 1 / np.sin(np.radians(degrees)))
    table = table_of(mask, voxel)
    assert table.surface_area[0] * 1e12 == pytest.approx(60.0 * length, rel=0.03)


def overlapping(apart, radius=12.0):
    """Two equal balls on a tilted line, cut where they meet."""
    line = np.array([2.0, 1.0, 0.5]) / np.linalg.norm([2.0, 1.0, 0.5])
    centres = (np.array([20.2, 20.1, 19.8]), np.array([20.2, 20.1, 19.8]) + apart * line)
    squares = [(places((60, 50, 46), centre) ** 2).sum(axis=-1) for centre in centres]
    return np.where(np.minimum(*squares) < radius**2, np.where(squares[0] < squares[1], 1, 2), 0)


@pytest.mark.parametrize("apart", [16.0, 20.0, 22.5])
def test_contact_of_overlapping_balls(apart):
    """A disc of π(R² - d²/4), out to where voxels h still bridge the gap: π R h/2 more at most."""
    radius = 12.0
    table = table_of(overlapping(apart))
    disc = np.pi * (radius**2 - apart**2 / 4)
    assert table.coordination.tolist() == [1, 1]
    assert np.all(table.contact_area * 1e12 > 0.99 * disc)
    assert np.all(table.contact_area * 1e12 < disc + 0.5 * np.pi * radius)
    free = 2 * np.pi * radius * (radius + apart / 2)
    assert table.wetted_area * 1e12 == pytest.approx(free, rel=0.02)
    assert table.surface_area == pytest.approx(table.wetted_area + table.contact_area, rel=1e-12)


def test_contacts_by_hand():
    """A row of three particles and one apart; across phases too, ids with gaps."""
    particles = np.zeros((9, 4, 8), np.int32)
    particles[0:3, :, :4], particles[3:6, :, :4], particles[6:, :, :4] = 2, 3, 7
    particles[:, :, 6:] = 9
    labels = np.where(particles == 7, 1, np.where(particles == 0, 2, 0)).astype(np.uint8)
    volume = Volume(labels, ("nmc", "lfp", "pore"), (UM,) * 3, particles)
    table = particle_table(volume, judge(labels, Roles((0, 1), (0, 1), (2,))))
    assert table.id.tolist() == [2, 3, 7, 9]
    assert table.phase.tolist() == [0, 0, 1, 0]
    assert table.coordination.tolist() == [1, 2, 1, 0]
    assert table.contact_area * 1e12 == pytest.approx([16.0, 32.0, 16.0, 0.0], rel=0.02)


def test_single_voxels_and_slivers():
    """Of a single voxel all faces count, in the middle and at a side."""
    particles = np.zeros((9, 9, 9), np.int32)
    particles[4, 4, 4], particles[0, 2, 7] = 1, 2
    table = table_of(particles)
    assert table.surface_area * 1e12 == pytest.approx([6.0, 5.0])
    assert table.sphericity == pytest.approx(np.cbrt(36 * np.pi) / 6, rel=1e-12)
    assert table.axes * 1e6 == pytest.approx(np.full((2, 3), np.sqrt(20 / 12)))
    assert table.touches_box.tolist() == [False, True]


def test_no_particles(tmp_path):
    volume = Volume(np.zeros((3, 4, 5), np.uint8), ("pore",), (UM,) * 3, np.zeros((3, 4, 5), int))
    table = particle_table(volume, judge(volume.labels, Roles((), (), (0,))))
    assert len(table) == 0
    write_particles(table, volume.phases, tmp_path / "particles.csv")
    assert (tmp_path / "particles.csv").read_text() == ",".join(COLUMNS) + "\n"
    numbers = particle_numbers(table)
    assert numbers["count"] == 0
    assert numbers["volume_weighted_m"] == {"D10": None, "D50": None, "D90": None}
    assert numbers["mean_sphericity"] is None


def test_everything_is_one_particle():
    """No surface at all inside the box; the piece is the box."""
    table = table_of(np.ones((2, 6, 5), np.int32))
    assert table.surface_area[0] == 0.0
    closed = 2 * (30 + 10 + 12)
    assert table.sphericity[0] == pytest.approx(np.cbrt(np.pi * (6 * 60) ** 2) / closed)
    assert table.coordination[0] == 0


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("voxel", [CUBE, (2.0, 1.0, 1.5)])
def test_section_one_voxel_thick(axis, voxel):
    """Circles, not balls: the thickness is in no size. A cuboid's section is a rectangle."""
    particles = np.zeros((18, 18, 18), np.int32)
    particles[2:12, 3:12, 4:12] = 1
    section = np.take(particles, [8], axis=axis)
    table = table_of(section, voxel)
    first, second = np.delete(np.array([10, 9, 8]) * voxel, axis)
    circle = 2 * np.sqrt(first * second / np.pi)
    assert table.diameter[0] * 1e6 == pytest.approx(circle, rel=1e-12)
    # Its corners are rounded off, by less than a voxel each.
    perimeter = np.pi * circle / table.sphericity[0]
    assert 0 < 2 * (first + second) - perimeter < 4 * max(np.delete(voxel, axis))
    numbers = particle_numbers(table)
    assert table.touches_box[0]
    assert numbers["whole"] == 1
    assert numbers["mean_diameter_m"] * 1e6 == pytest.approx(circle, rel=1e-12)
    assert numbers["diameter_of"].startswith("circle")


def test_lines_and_single_voxels():
    """On a line a diameter is a length; a single voxel is a body."""
    line = np.zeros((1, 9, 1), np.int32)
    line[0, 2:6, 0] = 1
    table = table_of(line, (1.0, 0.5, 3.0))
    assert table.diameter[0] * 1e6 == pytest.approx(2.0, rel=1e-12)
    assert table.sphericity[0] == pytest.approx(1.0, rel=1e-12)
    alone = table_of(np.ones((1, 1, 1), np.int32))
    assert alone.diameter[0] * 1e6 == pytest.approx(np.cbrt(6 / np.pi), rel=1e-12)
    assert particle_numbers(alone)["whole"] == 1  # nothing that could cut


def test_circle_in_a_section():
    """3 %: a third of the outline's directions lie where single directions err most."""
    mask = (places((40, 40), (20.2, 19.9), (1.0, 1.0)) ** 2).sum(axis=-1) < 12.0**2
    table = table_of(mask[None])
    assert table.diameter[0] * 1e6 == pytest.approx(24.0, rel=0.01)
    assert table.sphericity[0] == pytest.approx(1.0, rel=0.03)


def test_made_diameters(tmp_path):
    particles = np.zeros((6, 6, 6), np.int32)
    particles[1, 1, 1], particles[4, 4, 4] = 1, 3
    made = np.array([1.0, 2.0, 3.0]) * UM
    table = table_of(particles, made=made)
    assert table.made_diameter.tolist() == [1.0 * UM, 3.0 * UM]
    write_particles(table, ("nmc", "pore"), tmp_path / "particles.csv")
    with (tmp_path / "particles.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == (*COLUMNS, "made_diameter_m")
    assert float(rows[1]["made_diameter_m"]) == 3.0 * UM
    with pytest.raises(ValueError, match="2 made diameters for particle ids up to 3"):
        table_of(particles, made=made[:2])


def test_particle_table_by_hand():
    volume, flags = small_electrode()
    table = particle_table(volume, flags)
    assert table.id.tolist() == [1, 2, 5]
    assert table.phase.tolist() == [0, 0, 0]
    assert table.volume == pytest.approx([16e-18, 16e-18, 2e-18])
    assert table.diameter == pytest.approx(np.cbrt(6 / np.pi * table.volume))
    assert table.centroid == pytest.approx(
        np.array([[2.0, 1.0, 1.0], [6.0, 1.0, 1.0], [7.0, 3.5, 3.5]]) * 1e-6
    )
    assert table.touches_box.tolist() == [True, True, True]
    assert table.dead.tolist() == [False, False, True]
    # Faces across z are 1, across y and x 2 (in µm²): 1 has two open sides of 2 x 2 voxels (y, x).
    assert table.wetted_faces == pytest.approx(np.array([16.0, 20.0, 2 + 2 * 2.0]) * 1e-12)
    numbers = particle_numbers(table)
    assert numbers["count"] == 3
    assert numbers["dead"] == 1
    assert numbers["dead_volume_share"] == pytest.approx(2 / 34)
    assert numbers["mean_diameter_m"] is None


def test_touching_the_box():
    labels = np.zeros((5, 5, 5), np.uint8)
    particles = np.ones((5, 5, 5), np.int32)
    particles[1:4, 1:4, 1:4] = 2
    volume = Volume(labels, ("nmc",), (1e-6,) * 3, particles)
    table = particle_table(volume, judge(labels, Roles((0,), (0,), ())))
    assert table.touches_box.tolist() == [True, False]
    assert particle_numbers(table)["mean_diameter_m"] == pytest.approx(
        np.cbrt(6 / np.pi * 27) * 1e-6
    )


def test_particles_csv(tmp_path):
    volume, flags = small_electrode()
    table = particle_table(volume, flags)
    write_particles(table, volume.phases, tmp_path / "particles.csv")
    with (tmp_path / "particles.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == ["1", "2", "5"]
    assert [row["dead"] for row in rows] == ["False", "False", "True"]
    assert rows[1]["phase"] == "nmc"
    assert float(rows[1]["z_m"]) == table.centroid[1, 0]  # written to the last digit
