"""The sub-layers of a layered volume."""

from typing import Annotated

from pydantic import Discriminator, Tag

from voxtrode.pipeline.quantities import Fraction, Length
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_population import Ellipsoids, Fragments, Plates, Spheres


class _InLayer(Section):
    """What a layer says beside its particles.

    Attributes:
        thickness: Thickness of the layer [m].
        active_fraction: Volume fraction of its particles; default: that of the volume.
        phase: Name of its active phase, where its diameters have none.
    """

    thickness: Length
    active_fraction: Fraction | None = None
    phase: str = "active"

    @property
    def active_phases(self) -> tuple[str, ...]:
        """Names of the layer's active phases, each once."""
        named: tuple[str, ...] = self.phases  # type: ignore[attr-defined]
        return tuple(dict.fromkeys(named or (self.phase,)))


class LayerOfSpheres(_InLayer, Spheres):
    """A layer of spheres."""


class LayerOfEllipsoids(_InLayer, Ellipsoids):
    """A layer of ellipsoids."""


class LayerOfPlates(_InLayer, Plates):
    """A layer of flakes."""


class LayerOfFragments(_InLayer, Fragments):
    """A layer of polyhedra."""


def kind(given: object) -> str:
    """The tag of a section by its `kind`; spheres where it says none."""
    named = given.get("kind", "spheres") if isinstance(given, dict) else getattr(given, "kind", "")
    return f"<{named}>"


type Layer = Annotated[
    Annotated[LayerOfSpheres, Tag("<spheres>")]
    | Annotated[LayerOfEllipsoids, Tag("<ellipsoids>")]
    | Annotated[LayerOfPlates, Tag("<plates>")]
    | Annotated[LayerOfFragments, Tag("<fragments>")],
    Discriminator(kind),
]
