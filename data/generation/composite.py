"""Composite electrodes: solid electrolyte, carbon and void in the space between particles."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from voxtrode.data.connectivity import neighbours, percolating_shares, scipy_label
from voxtrode.data.errors import InputError
from voxtrode.data.generation.binder_space import Ids, Mask, checked_particles
from voxtrode.data.generation.composite_canvas import Canvas, scatter_balls
from voxtrode.data.generation.composite_carbon import Carbon
from voxtrode.data.interfaces import Triple, voxel_face_areas

PHASES = ("active", "electrolyte", "carbon", "void")
ACTIVE, ELECTROLYTE, CARBON, VOID = range(4)


@dataclass(frozen=True)
class Composite:
    """What is asked for; electrolyte fills the rest.

    Attributes:
        carbon_fraction: Share of the box, met to one voxel.
        carbon: Its morphology: `CarbonSpheres` or `CarbonFibres`.
        void_fraction: Share of the box, met to one voxel.
        pocket_diameter: Diameter of the balls that void consists of [m], wanted where there is
            void.
    """

    carbon_fraction: float
    carbon: Carbon
    void_fraction: float = 0.0
    pocket_diameter: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("carbon", self.carbon_fraction), ("void", self.void_fraction)):
            if not 0.0 <= value < 1.0:
                raise InputError(
                    f"{name} fraction is {value:g}: expected 0 <= value < 1 of the box"
                )
        size = self.pocket_diameter
        if self.void_fraction > 0.0 and not (size is not None and 0.0 < size < np.inf):
            raise InputError(
                f"void of {self.void_fraction:g} of the box in pockets of {size} m: give their "
                "diameter"
            )


@dataclass(frozen=True, eq=False)
class CompositeFill:
    """A composite in voxels.

    Attributes:
        labels: Index into `PHASES` of each voxel, uint8[z, y, x].
        evidence: What was asked for and what was met (JSON-able).
    """

    labels: NDArray[np.uint8]
    evidence: dict[str, Any]

    @property
    def electrolyte(self) -> Mask:
        """The solid electrolyte, bool[z, y, x]."""
        mask: Mask = self.labels == ELECTROLYTE
        return mask

    @property
    def carbon(self) -> Mask:
        """The carbon, bool[z, y, x]."""
        mask: Mask = self.labels == CARBON
        return mask

    @property
    def void(self) -> Mask:
        """What nothing fills, bool[z, y, x]."""
        mask: Mask = self.labels == VOID
        return mask


def fill_composite(
    particles: NDArray[np.integer[Any]],
    voxel: Triple,
    settings: Composite,
    random: np.random.Generator,
) -> CompositeFill:
    """Fill the space between particles with carbon, void and, for the rest, solid electrolyte.

    Carbon comes first; void consists of balls at random places in what is left, cut by carbon and
    particles. The sides of the box are mirrors.

    Args:
        particles: Particle of each voxel, 0 for free space, [z, y, x].
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        settings: How much of what.
        random: Source of everything random.

    Returns:
        The phases, and as evidence: `fraction_asked` and `fraction` by phase; `carbon`, what its
        morphology reports; `void_pockets`, their number; `percolating_share` along z, y, x of the
        electrolyte and of carbon and active material together (0 where there is no path);
        `contact_area_voxel_faces_m2` per pair of phases; `carbon_clusters`, of particles that
        carbon joins: how many particles and clusters there are, and the largest cluster's share of
        the particles (contacts between particles not counted).

    Raises:
        InputError: The fractions do not fit beside the particles, the bodies do not fit, or the
            particles or the voxel are unusable.
    """
    ids = checked_particles(particles, voxel)
    labels = np.where(ids > 0, ACTIVE, ELECTROLYTE).astype(np.uint8)
    room = int(np.count_nonzero(labels))
    carbon = round(settings.carbon_fraction * labels.size)
    void = round(settings.void_fraction * labels.size)
    if carbon + void > room:
        raise InputError(
            f"carbon of {settings.carbon_fraction:g} and void of {settings.void_fraction:g} of the "
            f"box do not fit: the particles leave {room / labels.size:.4f}; give less of them or "
            "fewer particles"
        )
    canvas = Canvas(labels, ids, voxel, ELECTROLYTE)
    report = settings.carbon.paint(canvas, carbon, CARBON, random) if carbon else {}
    pockets = 0
    if void and settings.pocket_diameter is not None:
        pockets = scatter_balls(
            canvas, "void pockets", settings.pocket_diameter, void, VOID, random
        )
    asked = {"carbon": settings.carbon_fraction, "void": settings.void_fraction}
    asked["electrolyte"] = room / labels.size - sum(asked.values())
    evidence = {
        "fraction_asked": asked,
        "carbon": report,
        "void_pockets": pockets,
        **_evidence(labels, ids, voxel),
    }
    return CompositeFill(labels, evidence)


def _evidence(labels: NDArray[np.uint8], particles: Ids, voxel: Triple) -> dict[str, Any]:
    counts = np.bincount(labels.ravel(), minlength=len(PHASES))
    areas = voxel_face_areas(labels, len(PHASES), voxel)
    pairs = ((ACTIVE, ELECTROLYTE), (ELECTROLYTE, CARBON), (ACTIVE, CARBON))
    return {
        "fraction": {
            name: int(count) / labels.size for name, count in zip(PHASES, counts, strict=True)
        },
        "percolating_share": {
            "electrolyte": percolating_shares(labels == ELECTROLYTE),
            "carbon+active": percolating_shares((labels == CARBON) | (labels == ACTIVE)),
        },
        "contact_area_voxel_faces_m2": {
            f"{PHASES[a]}|{PHASES[b]}": float(areas[a, b]) for a, b in pairs
        },
        "carbon_clusters": _clusters(labels == CARBON, particles),
    }


def _clusters(carbon: Mask, particles: Ids) -> dict[str, Any]:
    """Clusters of particles that touch the same face-connected piece of carbon."""
    pieces, count = scipy_label(carbon)
    ids = np.unique(particles[particles > 0])
    if len(ids) == 0:
        return {"particles": 0, "clusters": 0, "largest_share": None}
    links = []
    for here, there in neighbours():
        for one, other in ((here, there), (there, here)):
            touch = (pieces[one] > 0) & (particles[other] > 0)
            pair = np.stack([pieces[one][touch], particles[other][touch]], axis=1)
            links.append(np.unique(pair, axis=0))
    linked = np.concatenate(links).astype(np.int64)
    top = int(ids[-1]) + 1
    graph = sparse.coo_array(
        (np.ones(len(linked), dtype=np.int8), (linked[:, 1], linked[:, 0] + top - 1)),
        shape=(top + count, top + count),
    )
    cluster = connected_components(graph, directed=False)[1][ids]
    members = np.unique(cluster, return_counts=True)[1]
    return {
        "particles": len(ids),
        "clusters": len(members),
        "largest_share": int(members.max()) / len(ids),
    }
