"""voxtrode: from a 3D image of an electrode to per-particle state of lithiation."""

from importlib.metadata import version

__version__ = version("voxtrode")
