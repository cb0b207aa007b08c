"""Generated volumes: packed spheres of an active material in a lumped non-solid domain."""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.errors import InputError, NotAvailableError
from voxtrode.data.packing import find_contacts
from voxtrode.data.sphere_selection import (
    Packing,
    Request,
    best_packing,
    sphere_voxels,
    um,
)
from voxtrode.data.volume import Volume

PHASES = ("active", "nsd")
_VOXELS_PER_DIAMETER = 3


def spheres(
    diameters: Sequence[float],
    active_fraction: float,
    size: tuple[float, float, float],
    voxel: float,
    seed: int,
) -> Volume:
    """Equal spheres, touching and slightly overlapping, at a given volume fraction.

    A dense packing under gravity (PoreSpy) whose touching centres are a few per cent closer than a
    diameter is thinned at random and evenly over the depth, every sphere keeping a path through
    contacts to the collector, until the voxels' active fraction is met. Where the dense packing is
    too loose, its overlap is raised (to 15 % at most). The diameter is never changed. Spheres lie
    between the collector and the counter face; the other four sides cut them. A voxel in several
    spheres belongs to the one whose centre is nearest.

    Args:
        diameters: Of the spheres [m]; one value.
        active_fraction: Volume fraction of the spheres, met within 0.5 % absolute.
        size: Edge lengths of the box along (z, y, x) [m], whole multiples of the voxel.
        voxel: Edge length of a voxel [m].
        seed: The same seed gives the same volume, bit for bit.

    Returns:
        A volume of the phases `active` and `nsd` with particle ids 1..n, lowest centre first, and
        the evidence: achieved fraction, contacts, neck sizes, connection to the collector.

    Raises:
        InputError: A value is out of range, or the fraction cannot be reached with these spheres.
        NotAvailableError: More than one diameter.
    """
    if len(diameters) != 1:
        raise NotAvailableError(
            f"spheres of {len(diameters)} diameters: not available yet (bimodal and layered "
            "packings are to come); give one diameter"
        )
    request = _request(float(diameters[0]), active_fraction, size, voxel)
    if seed < 0:
        raise InputError(f"seed is {seed}: expected a whole number from 0")
    packing = best_packing(request, seed)
    labels = np.where(packing.particles > 0, 0, 1).astype(np.uint8)
    evidence = {
        "kind": "spheres",
        "asked": {
            "diameters_m": [request.diameter],
            "active_fraction": active_fraction,
            "size_m": list(size),
            "voxel_m": voxel,
            "seed": seed,
        },
        "method": "pseudo-gravity packing, thinned at random and evenly over the depth",
        "porespy": version("porespy"),
        **_evidence(request, packing),
    }
    return Volume(labels, PHASES, (voxel, voxel, voxel), packing.particles, evidence)


def _request(
    diameter: float, fraction: float, size: tuple[float, float, float], voxel: float
) -> Request:
    if not 0.0 < fraction < 1.0:
        raise InputError(f"active_fraction is {fraction:g}: expected a value between 0 and 1")
    for name, value in (("diameter", diameter), ("voxel", voxel), ("size", min(size))):
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{name} is {value:g} m: expected a positive length")
    if diameter < _VOXELS_PER_DIAMETER * voxel:
        raise InputError(
            f"spheres of {um(diameter)} in voxels of {um(voxel)}: expected at least "
            f"{_VOXELS_PER_DIAMETER} voxels per diameter; give a smaller voxel"
        )
    if size[0] < diameter:
        raise InputError(
            f"spheres of {um(diameter)} do not fit in a thickness of {um(size[0])}: "
            "give a thicker volume or smaller spheres"
        )
    counts = [max(round(length / voxel), 1) for length in size]
    for axis, length, count in zip("zyx", size, counts, strict=True):
        if abs(count * voxel - length) > 1e-6 * length:
            raise InputError(
                f"size {um(length)} along {axis} is no whole multiple of the voxel {um(voxel)}: "
                f"give {um(count * voxel)}, or another voxel"
            )
    return Request(diameter, fraction, size, voxel, (counts[0], counts[1], counts[2]))


def _evidence(request: Request, packing: Packing) -> dict[str, Any]:
    centres, diameter = packing.centres, request.diameter
    contacts = find_contacts(centres, diameter, request.size)
    necks = contacts.neck_diameters(diameter)
    sides = np.asarray(request.size[1:])
    whole = np.all(np.abs(centres[:, 1:] - 0.5 * sides) <= 0.5 * (sides - diameter), axis=1)
    coordination = np.bincount(contacts.pairs.ravel(), minlength=len(centres))
    volumes = sphere_voxels(packing.particles, len(centres)) * request.voxel**3
    components, _ = ndimage.label(packing.particles > 0)
    own_path = np.isin(components, components[0][components[0] > 0])
    return {
        "active_fraction": packing.fraction,
        "active_fraction_error": packing.fraction - request.fraction,
        "spheres": len(centres),
        "spheres_whole": int(whole.sum()),
        "spheres_with_own_path": len(np.unique(packing.particles[own_path])),
        "overlap_at_contact": packing.overlap,
        "attempt": packing.attempt,
        "contacts": len(necks),
        "coordination_of_whole": _mean(coordination[whole]),
        "neck_diameter_mean_m": _mean(necks),
        "neck_diameter_max_m": float(necks.max()) if len(necks) else None,
        "neck_over_diameter_mean": _mean(necks / diameter),
        "neck_over_diameter_max": float(necks.max()) / diameter if len(necks) else None,
        "equivalent_diameter_of_whole_m": _mean((6.0 / np.pi * volumes[whole]) ** (1.0 / 3.0)),
    }


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None
