"""What was asked of a packing and what was met."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from voxtrode.data.generation.orientation import Order, order
from voxtrode.data.generation.populations import Population
from voxtrode.data.generation.relax import Relaxed
from voxtrode.data.generation.request import PackingRequest
from voxtrode.data.generation.selection import Selection, connected
from voxtrode.data.generation.sizes import Statistics, sample_statistics, statistics
from voxtrode.data.generation.voxelise import Scene, contacts

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def evidence(
    request: PackingRequest,
    selection: Selection,
    outcome: Relaxed,
    overlap: float,
    tried: int,
) -> dict[str, object]:
    """Everything a report needs to judge a packing by; lengths in metres, JSON-able."""
    voxel = request.voxel
    owner, pieces = selection.drawn.owner, selection.scene
    filled = int(np.count_nonzero(owner))
    return {
        "asked": _asked(request),
        "active_fraction": filled / owner.size,
        "active_fraction_error": selection.error,
        "layers": _layers(request, selection),
        "groups": _groups(selection),
        "sizes": _sizes(request, selection),
        "bodies": len(np.unique(pieces.body)),
        "particles": len(pieces),
        "particles_with_own_path": _with_own_path(selection),
        **_contacts(selection, voxel),
        "contact_policy": request.contacts.name,
        "particle_volume_error_max": selection.drawn.volume_error_max,
        "diameter_change": selection.drawn.scale - 1.0,
        "overlap_of_cores": overlap,
        "relaxation": {
            "steps": outcome.steps,
            "residual_overlap_mean": outcome.overlap_mean,
            "residual_overlap_max": outcome.overlap_max,
        },
        "dense_fraction": selection.available / owner.size,
        "attempts": tried,
        "domain_m": (selection.bed.box * voxel).tolist(),
        "thickness_m": owner.shape[0] * voxel,
        "depth_profile": (owner > 0).mean(axis=(1, 2)).tolist(),
        "seed": request.seed,
    }


def _asked(request: PackingRequest) -> dict[str, Any]:
    calender = request.calender
    return {
        "active_fraction": request.final_fraction,
        "active_fraction_before_calendering": None if calender is None else request.active_fraction,
        "size_m": list(request.size),
        "voxel_m": request.voxel,
        "mixing_m": request.mixing,
        "seed": request.seed,
    }


def _layers(request: PackingRequest, selection: Selection) -> list[dict[str, float]]:
    """Active fraction of each sub-layer between its limits, and from its own bodies."""
    owner, pieces = selection.drawn.owner, selection.scene
    nz, ny, nx = owner.shape
    limits = request.boundaries / request.shape[0] * nz
    profile = (owner > 0).sum(axis=(1, 2))
    volumes = pieces.voxels_of(owner)
    layer = selection.bed.members.layer[pieces.body]
    total = float(volumes.sum())
    rows = []
    for index, (low, high) in enumerate(pairwise(limits)):
        part = np.clip(np.minimum(np.arange(nz) + 1, high) - np.maximum(np.arange(nz), low), 0, 1)
        space = float(part.sum()) * ny * nx
        wanted = float((selection.target.layers * part).sum()) * ny * nx
        rows.append(
            {
                "thickness_m": float(high - low) * request.voxel,
                "active_fraction_asked": wanted / space,
                "active_fraction": float((profile * part).sum()) / space,
                "share_of_active_asked": wanted / selection.target.volume,
                "share_of_active": float(volumes[layer == index].sum()) / total,
            }
        )
    return rows


def _groups(selection: Selection) -> list[dict[str, float]]:
    """Share of each group of particles in the active volume."""
    bed, pieces = selection.bed, selection.scene
    group_of_kind = np.zeros(len(bed.shares), dtype=np.intp)
    group_of_kind[bed.members.kind] = bed.bodies.group
    volumes = pieces.voxels_of(selection.drawn.owner)
    group = bed.bodies.group[pieces.body]
    return [
        {
            "group": int(one),
            "share_asked": float(bed.shares[group_of_kind == one].sum()),
            "share": float(volumes[group == one].sum()) / float(volumes.sum()),
        }
        for one in np.unique(bed.bodies.group)
    ]


def _sizes(request: PackingRequest, selection: Selection) -> list[dict[str, Any]]:
    """Diameters of each population: asked, of the bodies chosen, and the share of each size."""
    bed, pieces = selection.bed, selection.scene
    scale = selection.drawn.scale
    volumes = pieces.voxels_of(selection.drawn.owner)
    rows: list[dict[str, Any]] = []
    number = 0
    for index, layer in enumerate(request.layers):
        for population in layer.populations:
            own = bed.members.population[pieces.body] == number
            number += 1
            if population.share == 0.0 or not own.any():
                continue
            body, first = np.unique(pieces.body[own], return_index=True)
            diameters = bed.bodies.diameters[body] * scale * request.voxel
            # A body at the window's side counts by the part of it inside, as in a larger piece.
            inside = np.bincount(
                np.repeat(np.arange(len(body)), np.diff([*first, int(own.sum())])),
                weights=pieces.share[own],
            )
            kinds = np.unique(bed.members.kind[body])
            kind = bed.members.kind[pieces.body]
            rows.append(
                {
                    "layer": index,
                    "group": population.group,
                    "bodies": len(body),
                    "asked_m": _named(statistics(population.sizes)),
                    "bodies_m": _named(sample_statistics(diameters)),
                    "alignment": _alignment(population, bed.bodies.rotations[body]),
                    "inside_m": _named(sample_statistics(diameters, np.minimum(inside, 1.0))),
                    "classes": [
                        {
                            "diameter_mean_m": float(diameters[bed.members.kind[body] == k].mean()),
                            "share_of_active_asked": float(bed.shares[k]),
                            "share_of_active": float(volumes[kind == k].sum())
                            / float(volumes.sum()),
                        }
                        for k in kinds
                    ],
                }
            )
    return rows


def _alignment(population: Population, rotations: Floats) -> dict[str, dict[str, float]] | None:
    """Order of the short axes about z, and about their own director; None for balls."""
    if population.order is None:
        return None
    return {name: _order(o) for name, o in (("asked", population.order), ("met", order(rotations)))}


def _order(alignment: Order) -> dict[str, float]:
    return {"about_z": alignment.about_z, "nematic": alignment.nematic}


def _named(values: Statistics) -> dict[str, float]:
    return {"mean": values.mean, "d10": values.d10, "d50": values.d50, "d90": values.d90}


def _with_own_path(selection: Selection) -> int:
    everything = np.ones(len(selection.scene), dtype=bool)
    return int(np.count_nonzero(connected(selection.drawn.owner, everything)))


def _contacts(selection: Selection, voxel: float) -> dict[str, Any]:
    """Contacts by shared voxel faces; necks of balls by geometry."""
    pieces = selection.scene
    pairs, faces = contacts(selection.drawn.owner)
    counts = np.bincount(pairs.ravel(), minlength=len(pieces))
    whole = pieces.share == 1.0
    necks, overlaps, per_diameter, touching = _necks(selection)
    return {
        "contacts": len(pairs),
        "contact_faces_mean": _mean(faces),
        "coordination_of_whole": _mean(counts[whole]),
        "coordination_of_whole_by_geometry": _mean(touching[whole & pieces.round]),
        "particles_whole": int(np.count_nonzero(whole)),
        "neck_diameter_mean_m": _mean(necks * voxel),
        "neck_diameter_max_m": _largest(necks * voxel),
        "neck_over_diameter_mean": _mean(per_diameter),
        "neck_over_diameter_max": _largest(per_diameter),
        "overlap_at_contact_mean": _mean(overlaps),
        "overlap_at_contact_max": _largest(overlaps),
    }


def _necks(selection: Selection) -> tuple[Floats, Floats, Floats, Indices]:
    """Where balls meet inside the window.

    Returns:
        Diameters of the circles [voxels], overlaps over the sums of radii, circles over the smaller
        ball's diameter, and the number of contacts of each piece.
    """
    pieces: Scene = selection.scene
    centres = pieces.centres[pieces.round]
    radii = pieces.radii[pieces.round] * selection.drawn.scale
    count = np.zeros(len(pieces), dtype=np.int64)
    if len(radii) < 2:
        return np.zeros(0), np.zeros(0), np.zeros(0), count
    pairs = _pairs(centres, radii)
    first, second = pairs[:, 0], pairs[:, 1]
    between = centres[second] - centres[first]
    distance = np.sqrt((between**2).sum(axis=1))
    along = 0.5 * (distance + (radii[first] ** 2 - radii[second] ** 2) / distance)
    middle = centres[first] + (along / distance)[:, None] * between
    seen = np.all((middle >= 0.0) & (middle <= np.asarray(pieces.shape)), axis=1)
    # A ball inside another has no circle.
    seen &= distance > np.abs(radii[first] - radii[second])
    first, second, distance, along = first[seen], second[seen], distance[seen], along[seen]
    necks = 2.0 * np.sqrt(np.maximum(radii[first] ** 2 - along**2, 0.0))
    count[pieces.round] = np.bincount(np.concatenate([first, second]), minlength=len(radii))
    return (
        necks,
        1.0 - distance / (radii[first] + radii[second]),
        necks / (2.0 * np.minimum(radii[first], radii[second])),
        count,
    )


def _pairs(centres: Floats, radii: Floats) -> Indices:
    """Pairs of overlapping balls, int[k, 2]: each ball looks for those that are no larger."""
    order = np.argsort(-radii, kind="stable")
    tree = cKDTree(centres)
    near = tree.query_ball_point(centres[order], 2.0 * radii[order], return_sorted=True)
    first = np.repeat(order, [len(one) for one in near])
    second = np.concatenate([np.asarray(one, dtype=np.int64) for one in near])
    smaller = (radii[second] < radii[first]) | ((radii[second] == radii[first]) & (second > first))
    first, second = first[smaller], second[smaller]
    squared = ((centres[first] - centres[second]) ** 2).sum(axis=1)
    touching = squared < (radii[first] + radii[second]) ** 2
    return np.stack([first[touching], second[touching]], axis=1)


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def _largest(values: NDArray[Any]) -> float | None:
    return float(values.max()) if len(values) else None
