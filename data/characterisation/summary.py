"""All numbers of a labelled volume at once."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.characterisation.lines import line_lengths
from voxtrode.data.characterisation.percolation import percolation
from voxtrode.data.characterisation.profiles import depth_profiles
from voxtrode.data.characterisation.representativity import representativity
from voxtrode.data.characterisation.sizes import size_distributions
from voxtrode.data.characterisation.surfaces import contacts, phase_areas
from voxtrode.data.interfaces import Triple, interface_areas

STEEPEST = math.sqrt(3.0)  # edges over length of a line along a space diagonal

Ids = NDArray[np.integer[Any]]


def characterise(
    labels: Ids,
    phases: Sequence[str],
    voxel: Triple,
    particles: Ids | None = None,
    unions: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Profiles, sizes, interfaces, three-phase lines, contacts, percolation, representativity.

    The sides of the box are mirrors: they are no interface, and nothing is narrower there.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1; z = 0 is the collector.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].
        particles: Particle of each voxel [z, y, x], 0 where there is none.
        unions: Phases to be judged together for percolation, by a name for them.

    Returns:
        Plain numbers, strings, lists and dictionaries; lengths in metres.
    """
    interfaces, surfaces = interface_numbers(labels, phases, voxel)
    return {
        "profiles": depth_profiles(labels, phases, voxel),
        "sizes": size_distributions(labels, phases, voxel),
        "interfaces": interfaces,
        "three_phase_lines": line_numbers(labels, phases, voxel),
        **({} if particles is None else {"contacts": contact_numbers(particles, voxel)}),
        "percolation": percolation(labels, phases, unions),
        "representativity": representativity(labels, phases, voxel),
        "evidence": {"surfaces": surfaces},
    }


def interface_numbers(
    labels: Ids, phases: Sequence[str], voxel: Triple
) -> tuple[dict[str, dict[str, dict[str, Any]]], dict[str, dict[str, float]]]:
    """Areas and specific areas of the interface of every pair of phases.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Per pair "a|b": `area_m2` by `marching_cubes`, `voxel_faces` and `projected_faces`; and
        `specific_area_m-1` by projected faces, `per_box` and `per_phase` (null for an empty phase).
        And the evidence of `interface_areas`.
    """
    areas, evidence = interface_areas(labels, phases, voxel)
    projected = phase_areas(labels, len(phases), voxel)
    volumes = np.bincount(labels.ravel(), minlength=len(phases)) * float(np.prod(voxel))
    numbers: dict[str, dict[str, dict[str, Any]]] = {}
    for a, first in enumerate(phases):
        for b, second in enumerate(phases[a + 1 :], a + 1):
            area = float(projected[a, b])
            pair = f"{first}|{second}"
            numbers[pair] = {
                "area_m2": {**areas[pair]["area_m2"], "projected_faces": area},
                "specific_area_m-1": {
                    "per_box": area / float(volumes.sum()),
                    "per_phase": {
                        phases[value]: area / float(volumes[value]) if volumes[value] else None
                        for value in (a, b)
                    },
                },
            }
    return numbers, evidence


def line_numbers(labels: Ids, phases: Sequence[str], voxel: Triple) -> dict[str, dict[str, Any]]:
    """Length of the lines of every three phases that meet.

    Args:
        labels: Phase of each voxel [z, y, x], values 0..n-1.
        phases: Name of each label.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        Per triple "a|b|c", in the order of `phases`: `length_m`, `per_volume_m-2` (of the box),
        `voxel_edges_m` (the staircase, some 3/2 of the length), and `resolved`: false where the
        staircase is more than √3 times as long. No smooth line has such a one: the phases are rough
        at the scale of the voxels, and the length would change with their size.
    """
    triples, lengths, edges = line_lengths(labels, len(phases), voxel)
    box = labels.size * float(np.prod(voxel))
    return {
        "|".join(phases[value] for value in triple): {
            "length_m": float(length),
            "per_volume_m-2": float(length) / box,
            "voxel_edges_m": float(edge),
            "resolved": bool(edge <= STEEPEST * length),
        }
        for triple, length, edge in zip(triples, lengths, edges, strict=True)
    }


def contact_numbers(particles: Ids, voxel: Triple) -> dict[str, Any]:
    """Contacts between particles.

    Args:
        particles: Particle of each voxel [z, y, x], 0 where there is none.
        voxel: Edge lengths of a voxel along (z, y, x) [m].

    Returns:
        `count`, `area_m2` (all, each once; too large for small necks, see `contacts`),
        `specific_area_m-1` (by volume of the box), `mean_area_m2` (null without contacts),
        `voxel_faces_m2` (the staircase) and `mean_coordination` (contacts per particle; null
        without particles).
    """
    found = contacts(particles, voxel)
    count, total = len(found.area), float(found.area.sum())
    number = len(np.unique(particles[particles > 0]))
    return {
        "count": count,
        "area_m2": total,
        "specific_area_m-1": total / (particles.size * float(np.prod(voxel))),
        "mean_area_m2": total / count if count else None,
        "voxel_faces_m2": float(found.faces.sum()),
        "mean_coordination": 2.0 * count / number if number else None,
    }
