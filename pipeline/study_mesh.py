"""The `mesh` section: how the volume becomes tetrahedra; each method has keys of its own."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from voxtrode.pipeline.quantities import Length
from voxtrode.pipeline.study_base import Section

DEFAULT = "smooth"


class _Mesh(Section):
    size: Length

    @property
    def smooth_contacts(self) -> bool:
        """Whether contacts between particles of a phase are smooth surfaces."""
        return False


class SmoothMesh(_Mesh):
    """Smooth interfaces, fine cells along them and coarser ones elsewhere.

    Attributes:
        size: Lattice spacing at interfaces [m].
        method: `smooth`.
        coarsening: How often cells may double in size away from interfaces.
        islands: Face-connected regions of a phase of fewer voxels are given to the phase that they
            touch most; 0 keeps all.
        contacts: Make contacts between particles of a phase smooth surfaces, too.
    """

    method: Literal["smooth"] = "smooth"
    coarsening: Annotated[int, Field(ge=0, le=3)] = 2
    islands: Annotated[int, Field(ge=0)] = 0
    contacts: bool = False

    @property
    def smooth_contacts(self) -> bool:
        """Whether contacts between particles of a phase are smooth surfaces."""
        return self.contacts


class VoxelMesh(_Mesh):
    """Six tetrahedra a voxel: a staircase, to compare with.

    Attributes:
        size: Lattice spacing [m]; the image is down-sampled to the nearest whole multiple.
        method: `voxel`.
    """

    method: Literal["voxel"]

    @model_validator(mode="before")
    @classmethod
    def _refuse_keys_of_the_smooth_one(cls, given: Any) -> Any:
        for key in SmoothMesh.model_fields:
            if isinstance(given, dict) and key in given and key not in cls.model_fields:
                raise PydanticCustomError(
                    "unknown_key",
                    "only the smooth mesher has this key; remove it, or use method: smooth",
                    {"key": key},
                )
        return given


def method(given: object) -> str:
    """The tag of a section by its `method`; smooth where it says none."""
    if isinstance(given, dict):
        return f"<{given.get('method', DEFAULT)}>"
    return f"<{getattr(given, 'method', DEFAULT)}>"


type Mesh = Annotated[
    Annotated[SmoothMesh, Tag("<smooth>")] | Annotated[VoxelMesh, Tag("<voxel>")],
    Discriminator(method),
]
"""The mesh, by its `method`; smooth where it names none."""
