"""voxtrode: from a 3D image of an electrode to per-particle state of lithiation."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voxtrode.pipeline.opened import Run

__version__ = version("voxtrode")


def open(path: str | Path) -> "Run":  # noqa: A001 - voxtrode.open
    """A run as tables and meshes: `voxtrode.open("runs/x").cell`.

    Args:
        path: The run folder.

    Raises:
        InputError: It is no run folder.
    """
    from voxtrode.pipeline.opened import open_run

    return open_run(path)
