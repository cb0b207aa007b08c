"""What a mesh must be like; one that is not is refused."""

from collections.abc import Mapping
from typing import Any

from voxtrode.data.errors import NumericalError

LIMITS = ((2.0, 0.0), (5.0, 1e-5), (10.0, 1e-4))
"""Dihedral angles [degrees] and the share of the cells that may have a smaller one."""
_FEW = 1
"""Cells that are let pass below an angle of which some share may be, however small the mesh."""


def refuse_bad_cells(evidence: Mapping[str, Any]) -> None:
    """Raise where a mesh misses what every mesh must meet.

    Args:
        evidence: Content of ``mesh.json``, equal on every rank.

    Raises:
        NumericalError: Inverted cells, facets of more than two cells, or too many flat cells; says
            where the worst one is.
    """
    faults = [
        f"{evidence[key]} {what}"
        for key, what in (
            ("inverted", "inverted cells"),
            ("nonmanifold_facets", "facets of more than two cells"),
        )
        if evidence[key]
    ]
    below = evidence["cells_below_deg"]
    for limit, share in LIMITS:
        allowed = max(share * evidence["cells"], _FEW if share else 0)
        if below[f"{limit:g}"] > allowed:
            faults.append(f"{below[f'{limit:g}']} cells with angles below {limit:g} degrees")
    if faults:
        worst = evidence["worst_cell"]
        z, y, x = (f"{1e6 * value:.2f}" for value in worst["position_m"])
        raise NumericalError(
            f"the mesh is not good enough: {', '.join(faults)}; the worst has "
            f"{worst['angle_deg']:.2f} degrees in {worst['phase']} at z, y, x = {z}, {y}, {x} um; "
            "choose another "
            "mesh.size, or remove small features with mesh.islands"
        )
