"""Random packings of equal spheres: centres through PoreSpy, then thinned to a volume fraction."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from voxtrode.data.errors import NotAvailableError

Centres = NDArray[np.float64]

# Lattice units between two touching centres: gaps at contacts are about 1/32 of a diameter.
_RESOLUTION = 32


@dataclass(frozen=True, eq=False)
class Contacts:
    """Pairs of spheres that overlap inside the box.

    Attributes:
        pairs: Indices of the two spheres, int[n, 2].
        distance: Between their centres [m], float[n].
    """

    pairs: NDArray[np.intp]
    distance: NDArray[np.float64]

    def neck_diameters(self, diameter: float) -> NDArray[np.float64]:
        """Diameter of the circle in which the two spheres of each pair meet [m]."""
        necks: NDArray[np.float64] = np.sqrt(np.maximum(diameter**2 - self.distance**2, 0.0))
        return necks


def gravity_packing(
    size: tuple[float, float, float], diameter: float, overlap: float, seed: int
) -> Centres:
    """Centres of spheres dropped one by one to the lowest free place, in random order of ties.

    PoreSpy's pseudo-gravity packing (its packing engine; the public function sorts the sites with
    an unstable sort whose order of ties depends on the CPU's vector units, so that one seed would
    give different packings on different machines; here each layer's sites are permuted instead).
    Spheres lie between the faces z = 0 and z = L and press into them by half the overlap; across
    the other sides the packing goes on for a diameter, so that the box cuts it as out of a larger
    piece.

    Args:
        size: Edge lengths of the box along (z, y, x) [m].
        diameter: Of every sphere [m].
        overlap: Share of the diameter by which touching centres are closer than a diameter.
        seed: Of the random order.

    Returns:
        Centres [z, y, x] in metres, float[n, 3], lowest first; some lie beside the box.
    """
    try:
        from porespy.generators._pseudo_packings import _do_packing
    except ImportError as error:
        raise NotAvailableError(
            "generating spheres needs the packing engine of PoreSpy 3.2; install porespy 3.2"
        ) from error
    separation = diameter * (1.0 - overlap)
    step = separation / _RESOLUTION
    lowest = 0.5 * separation
    margin = np.array([0.0, diameter, diameter])
    extent = np.array([max(size[0] - separation, 0.0), *size[1:]]) + 2 * margin
    free = np.ones(tuple(np.floor(extent / step).astype(int) + 1), dtype=bool)
    centres = np.zeros_like(free)
    random = np.random.default_rng(seed)
    for layer in range(free.shape[0]):
        sites = np.argwhere(free[layer])
        queue = np.insert(random.permutation(sites), 0, layer, axis=1)
        # Radius 0 marks the centre alone; the clearance keeps later centres a separation away.
        _do_packing(centres, free, queue, 0, True, _RESOLUTION, False, len(queue) + 1)
    # Both ends of the lattice at equal distance from the box's faces.
    origin = np.array([lowest, -diameter, -diameter])
    located: Centres = np.argwhere(centres) * step + origin
    return located


def fill_spheres(
    centres: Centres, diameter: float, shape: tuple[int, int, int], voxel: float
) -> NDArray[np.int32]:
    """Sphere of each voxel: of those that contain its centre, the one with the nearest centre.

    Args:
        centres: [z, y, x] in metres from the box's corner, float[n, 3]; infinite ones fill nothing.
        diameter: Of every sphere [m].
        shape: Voxels along (z, y, x).
        voxel: Edge length of a voxel [m].

    Returns:
        1 + index of the sphere, 0 outside all, int32[z, y, x].
    """
    owner = np.zeros(shape, dtype=np.int32)
    nearest = np.full(shape, (0.5 * diameter / voxel) ** 2)
    reach = 0.5 * diameter / voxel + 0.5
    for index in np.flatnonzero(np.isfinite(centres).all(axis=1)):
        centre = centres[index] / voxel
        first = np.maximum(np.ceil(centre - reach).astype(int), 0)
        last = np.minimum(np.floor(centre + reach).astype(int), shape)
        if np.any(first >= last):
            continue
        box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
        z, y, x = (
            (np.arange(low, high) + 0.5 - place) ** 2
            for low, high, place in zip(first, last, centre, strict=True)
        )
        squared = z[:, None, None] + y[None, :, None] + x[None, None, :]
        closer = squared < nearest[box]
        nearest[box][closer] = squared[closer]
        owner[box][closer] = index + 1
    return owner


def find_contacts(centres: Centres, diameter: float, size: tuple[float, float, float]) -> Contacts:
    """Pairs of spheres whose neck has its middle inside the box.

    Args:
        centres: [z, y, x] in metres, float[n, 3].
        diameter: Of every sphere [m].
        size: Edge lengths of the box along (z, y, x) [m].
    """
    pairs = cKDTree(centres).query_pairs(diameter, output_type="ndarray").astype(np.intp)
    pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    middle = 0.5 * (centres[pairs[:, 0]] + centres[pairs[:, 1]])
    pairs = pairs[np.all((middle >= 0) & (middle <= np.asarray(size)), axis=1)]
    between = centres[pairs[:, 0]] - centres[pairs[:, 1]]
    return Contacts(pairs, np.sqrt((between**2).sum(axis=1)))


def grounded(
    kept: NDArray[np.bool_], contacts: Contacts, floor: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The kept spheres with a path through contacts of kept spheres to one that touches the floor.

    Args:
        kept: bool[n].
        contacts: Between the n spheres.
        floor: Spheres that touch the collector, bool[n].
    """
    count = len(kept)
    pairs = contacts.pairs[kept[contacts.pairs].all(axis=1)]
    graph = sparse.coo_array(
        (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(count, count)
    )
    _, component = connected_components(graph, directed=False)
    reached: NDArray[np.bool_] = kept & np.isin(component, component[kept & floor])
    return reached


def thin(
    kept: NDArray[np.bool_],
    excess: float,
    volumes: NDArray[np.int64],
    layers: NDArray[np.intp],
    connected: Callable[[NDArray[np.bool_]], NDArray[np.bool_]],
    random: np.random.Generator,
) -> NDArray[np.bool_]:
    """Take spheres out until their volumes add up to an excess, closely from below.

    Each time a random sphere of the fullest layer goes, which evens out the depth profile. A sphere
    stays if taking it out would cut off others from the collector.

    Args:
        kept: Spheres to start from, bool[n].
        excess: Volume to take out [voxels].
        volumes: Of each sphere [voxels], int[n].
        layers: The layer (0, 1, ... of equal thickness) of each sphere, int[n].
        connected: Gives the part of a selection that is connected to the collector.
        random: Source of the order.

    Returns:
        The spheres that stay, bool[n].
    """
    kept = kept.copy()
    filled = np.bincount(layers, weights=volumes * kept)
    order = random.permutation(np.flatnonzero(kept))
    needed = np.zeros_like(kept)
    while True:
        open_ = order[(kept & ~needed & (volumes <= excess))[order]]
        if len(open_) == 0:
            return kept
        sphere = open_[np.argmax(filled[layers[open_]])]
        kept[sphere] = False
        if np.array_equal(connected(kept), kept):
            excess -= int(volumes[sphere])
            filled[layers[sphere]] -= volumes[sphere]
        else:
            kept[sphere] = needed[sphere] = True
