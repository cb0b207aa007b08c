"""The lattice that is meshed: spacing, cropping, down-sampling by majority, separator layers."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from mpi4py import MPI

from voxtrode.data.errors import InputError
from voxtrode.data.volume import Volume, write_volume
from voxtrode.meshing.lattice import plan, read_lattice, separator_layers

COMM = MPI.COMM_WORLD
VOXEL = (1e-6, 1e-6, 1e-6)


def write(folder: Path, labels: np.ndarray, particles: np.ndarray | None = None) -> None:
    """The files of the image stage; phases are named by their labels. Collective."""
    if COMM.rank == 0:
        labels = labels.astype(np.uint8)
        ids = labels if particles is None else particles
        names = tuple("abcdef"[: int(labels.max()) + 1])
        write_volume(Volume(labels, names, VOXEL, ids.astype(np.int32)), folder)
    COMM.barrier()


def coarse(folder: Path, labels: np.ndarray, particles: np.ndarray | None = None) -> tuple:
    """Labels and ids down-sampled by two, whole."""
    write(folder, labels, particles)
    slab = read_lattice(folder, plan(folder, 2e-6, 5e-6), MPI.COMM_SELF)
    return slab.labels, slab.particles


@pytest.mark.parametrize(("thickness", "first"), [(25e-6, 1e-6), (25e-6, 0.8e-6), (3e-7, 1e-6)])
def test_separator_layers_fill_the_separator(thickness: float, first: float) -> None:
    """They add up to rounding, start no coarser than the electrode, grow by 1.25 up to thrice."""
    layers = np.array(separator_layers(thickness, first))
    assert layers.sum() == pytest.approx(thickness, rel=1e-14)
    assert layers[0] <= first * (1.0 + 1e-14)
    growth = layers[1:] / layers[:-1]
    assert np.all((growth >= 1.0 - 1e-12) & (growth <= 1.25 + 1e-12))
    assert layers.max() <= 3.0 * first * (1.0 + 1e-14)


def test_the_nearest_multiple_of_the_voxel_is_taken(tmp_path: Path) -> None:
    """2.4 µm on voxels of 1 µm is 2 of them; 11, 8 and 5 voxels leave 1, 0 and 1 over."""
    write(tmp_path, np.zeros((11, 8, 5)))
    lattice = plan(tmp_path, 2.4e-6, 5e-6)
    assert lattice.factor == (2, 2, 2)
    assert lattice.shape == (5, 4, 2)
    assert lattice.cropped == (1, 0, 1)
    assert lattice.spacing == pytest.approx((2e-6, 2e-6, 2e-6), rel=1e-14)
    assert lattice.planes()[-1] == pytest.approx(15e-6, rel=1e-14)
    assert lattice.area == pytest.approx(8e-6 * 4e-6, rel=1e-14)


def test_a_size_below_the_voxel_takes_the_voxel(tmp_path: Path) -> None:
    """The voxel mesh cannot be finer than its image."""
    write(tmp_path, np.zeros((4, 4, 4)))
    assert plan(tmp_path, 0.2e-6, 5e-6).factor == (1, 1, 1)


def test_a_lattice_coarser_than_the_volume_is_refused(tmp_path: Path) -> None:
    """No cell would be left."""
    write(tmp_path, np.zeros((8, 8, 3)))
    with pytest.raises(InputError, match=r"mesh\.size"):
        plan(tmp_path, 4e-6, 5e-6)


def test_the_majority_wins(tmp_path: Path) -> None:
    """Random lattice voxels of five to eight equal image voxels give back the lattice."""
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 3, (4, 5, 6))
    labels = wanted.repeat(2, 0).repeat(2, 1).repeat(2, 2)
    for corner in ((0, 0, 0), (0, 1, 0), (1, 1, 1)):  # three of eight, any other label
        place = tuple(slice(start, None, 2) for start in corner)
        labels[place] = rng.integers(0, 3, wanted.shape)
    found, _ = coarse(tmp_path, labels)
    assert np.array_equal(found, wanted)


def test_a_tie_goes_to_the_first_voxel(tmp_path: Path) -> None:
    """Four and four: the phase of the voxel nearest the origin wins, whichever it is."""
    labels = np.zeros((2, 2, 4))
    labels[:, :, 0] = 1
    labels[:, :, 3] = 1
    found, _ = coarse(tmp_path, labels)
    assert found.ravel().tolist() == [1, 0]


@pytest.mark.parametrize("axis", range(3))
def test_flat_interfaces_favour_no_phase(tmp_path: Path, axis: int) -> None:
    """A plate whose two faces both halve lattice voxels keeps its volume.

    Half of the undecided voxels may go to either phase; all to one would change the plate's share
    from 1/2 to 1/3 or 2/3.
    """
    labels = np.zeros((12, 12, 12))
    np.moveaxis(labels, axis, 0)[3:9] = 1
    found, _ = coarse(tmp_path, labels)
    assert np.mean(found == 1) == pytest.approx(0.5, abs=0.03)


def test_particle_ids_follow_the_winning_phase(tmp_path: Path) -> None:
    """The most frequent id among voxels of the winning label; the smaller of two; 0 without."""
    labels, ids = np.zeros((2, 2, 6)), np.zeros((2, 2, 6), dtype=np.int32)
    labels[:, :, :4] = 1
    ids[..., 0:2] = 7
    ids[0, :, 0] = 9  # two of eight
    labels[1, 1, 1] = 0
    ids[..., 2] = 5  # four and four
    ids[..., 3] = 3
    ids[0, 0, 4] = 4  # an active voxel in a voxel of the other phase
    labels[0, 0, 4] = 1
    found, particles = coarse(tmp_path, labels, ids)
    assert found.ravel().tolist() == [1, 1, 0]
    assert particles.ravel().tolist() == [7, 3, 0]


@pytest.mark.mpi
@pytest.mark.mpi3
@pytest.mark.parametrize("size", [1e-6, 2e-6])
def test_slabs_are_pieces_of_the_whole(shared_path: Path, size: float) -> None:
    """Labels, ids and halos are those of the lattice read by one rank, ties included."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 3, (23, 8, 9))
    write(shared_path, labels, rng.integers(0, 20, labels.shape))
    lattice = plan(shared_path, size, 4e-6)
    whole = read_lattice(shared_path, lattice, MPI.COMM_SELF)
    slab = read_lattice(shared_path, lattice, COMM)
    assert np.array_equal(slab.labels, whole.labels[slab.low : slab.high])
    assert np.array_equal(slab.particles, whole.particles[slab.low : slab.high])
    bounds = COMM.allgather((slab.first, slab.last))
    assert bounds[0][0] == 0
    assert bounds[-1][1] == lattice.layers
    assert all(a[1] == b[0] for a, b in pairwise(bounds))


@pytest.mark.mpi
def test_more_ranks_than_layers_are_refused(shared_path: Path) -> None:
    """A rank without a layer has no slab; every rank hears of it."""
    write(shared_path, np.zeros((COMM.size, 4, 4)))
    read_lattice(shared_path, plan(shared_path, 1e-6, 4e-6), COMM)
    if COMM.size > 1:
        lattice = plan(shared_path, 2e-6 if COMM.size == 2 else 3e-6, 4e-6)
        with pytest.raises(InputError, match="ranks"):
            read_lattice(shared_path, lattice, COMM)
