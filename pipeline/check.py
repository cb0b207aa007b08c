"""`voxtrode check`: a study's faults, or its size and its cost, without running anything."""

from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.estimates import Estimate, estimate, unknown_fields
from voxtrode.pipeline.expected_iterations import expected_iterations
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.validation import inspect_volume, validate

_LATTICES = {
    "smooth": "body-centred cubes, larger ones away from interfaces",
    "voxel": "six tetrahedra a lattice voxel",
}
_UNSEGMENTED = " (taken as equal: the image is grey, and not segmented here)"


def check(study: Study) -> dict[str, str]:
    """What a study will take, as texts by name.

    Raises:
        InputError: The first fault of the study or of its image.
    """
    validate(study)
    found = inspect_volume(study, simulated=True)
    header, shares = found.header, found.shares
    cost = estimate(
        header,
        shares,
        found.area,
        build_phases(study),
        study.mesh,
        study.separator_thickness,
        unknown_fields(study.surroundings),
        expected_iterations(study),
    )
    size = " x ".join(f"{edge * 1e6:g}" for edge in header.size)
    voxel = " x ".join(f"{edge * 1e9:g}" for edge in header.voxel)
    grey = study.volume.image is not None and study.volume.image.segment is not None
    fractions = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    return {
        "volume": f"{_times(header.shape)} voxels (z, y, x) of {voxel} nm, {size} um",
        "phases": fractions + (_UNSEGMENTED if grey else _looked_at(found.layers)),
        "voxels": f"{cost.voxels:,}",
        **_costs(cost, _LATTICES[study.mesh.method]),
    }


def _looked_at(layers: tuple[int, int] | None) -> str:
    return "" if layers is None else f" (in layers {layers[0]} to {layers[1]}: the file is large)"


def _costs(cost: Estimate, lattice: str) -> dict[str, str]:
    mesh = cost.mesh
    layers = f"{_times(mesh.lattice)} and {mesh.separator_layers} separator layers"
    return {
        "cells": f"{mesh.cells:,} expected ({layers}, {lattice})",
        "vertices": f"{round(mesh.inside + mesh.behind):,} (estimate)",
        "unknowns": f"{cost.unknowns:,} (estimate)",
        "memory": f"{cost.memory / 2**30:.2g} GiB (estimate)",
        "time": f"{_duration(cost.seconds)} on one core (estimate)",
    }


def _times(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(count) for count in shape)


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.2g} s"
