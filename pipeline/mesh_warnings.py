"""What a user should know about a mesh before going on, found in its evidence."""

from collections.abc import Iterator, Mapping
from typing import Any

VOLUME = 1e-3
"""Relative error of a phase's volume from which it is worth a word."""
SPACING = 1e-3
"""Relative change of the lattice spacing from which it is worth a word."""
_FATES = ("lost", "joined", "split", "new")
"""What becomes of the image's regions: see `voxtrode.meshing.regions`."""


def mesh_warnings(mesh: Mapping[str, Any], size: float) -> list[str]:
    """Faults of a mesh, a line each.

    Args:
        mesh: Content of `mesh.json`; keys that a method does not write are passed over.
        size: Lattice spacing that was asked for [m].
    """
    finders = (_spacing(mesh, size), _cropped(mesh), _volumes(mesh), _components(mesh), _tags(mesh))
    return [text for found in finders for text in found]


def lost_or_joined(mesh: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Face-connected regions in the image and on the mesh, of the phases where they differ."""
    image, here = mesh.get("image_components", {}), mesh.get("components", {})
    regions = mesh.get("regions", {})
    return {
        name: (count, here[name])
        for name, count in image.items()
        if name in here
        and (here[name] != count or any(regions.get(name, {}).get(what) for what in _FATES))
    }


def _spacing(mesh: Mapping[str, Any], size: float) -> Iterator[str]:
    spacing = mesh.get("spacing_m", ())
    if any(abs(edge / size - 1.0) > SPACING for edge in spacing):
        edges = " x ".join(f"{1e6 * edge:.4g}" for edge in spacing)
        yield (
            f"the lattice spacing is {edges} um (z, y, x) instead of {1e6 * size:.4g} um, so that"
            " a whole number of cells fits"
        )


def _cropped(mesh: Mapping[str, Any]) -> Iterator[str]:
    if any(mesh.get("cropped_voxels", ())):
        z, y, x = mesh["cropped_voxels"]
        yield (
            f"the image is no whole multiple of the lattice: {z}, {y}, {x} voxels (z, y, x) at its"
            " far ends are left out; choose mesh.size as a divisor of the image to keep them"
        )


def _volumes(mesh: Mapping[str, Any]) -> Iterator[str]:
    off = [
        f"{name} {100.0 * error:+.2g} %"
        for name, error in mesh.get("volume_error", {}).items()
        if abs(error) > VOLUME
    ]
    if off:
        yield (
            f"volumes on the mesh differ from the image: {', '.join(off)}; a smaller mesh.size"
            " meets them better"
        )


def _components(mesh: Mapping[str, Any]) -> Iterator[str]:
    regions = mesh.get("regions", {})
    for name, (image, here) in lost_or_joined(mesh).items():
        found = regions.get(name, {})
        told = [f"{found[what]} {what}" for what in _FATES if found.get(what)]
        if found.get("lost"):
            told[0] += f" ({found['lost_voxels']} voxels in all)"
        fate = f": {', '.join(told)}" if told else ""
        yield (
            f"{name} has {image} face-connected regions in the image and {here} on the mesh{fate}"
        )


def _tags(mesh: Mapping[str, Any]) -> Iterator[str]:
    if count := mesh.get("untagged_cells"):
        yield f"{count} cells of active material belong to no particle"
