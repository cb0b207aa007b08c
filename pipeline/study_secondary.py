"""The generator of one secondary particle."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, model_validator

from voxtrode.data.generation.limits import FEWEST_ACROSS
from voxtrode.data.generation.weights import VOID
from voxtrode.pipeline.quantities import Length
from voxtrode.pipeline.study_base import Section
from voxtrode.pipeline.study_box import Seed, check_cracks
from voxtrode.pipeline.study_filling import Cracks, Grains
from voxtrode.pipeline.study_population import Roughness

if TYPE_CHECKING:
    from voxtrode.data.volume import Volume


class GenerateSecondary(Section):
    """One secondary particle of grains in electrolyte, standing on the collector or floating.

    Attributes:
        diameter: Of the particle [m].
        voxel: Edge of a voxel [m].
        margin: Electrolyte around it [m].
        flat: Diameter of the flat that it stands on at z = 0, over its own; 0: it floats, for
            `surroundings: stirred`.
        section: A section one voxel thick along x in the place of the whole particle.
        grains: Its crystals.
        roughness: A rough surface.
        cracks: Cracks; internal ones are the phase `void`.
        seed: Seed of everything random.
    """

    kind: Literal["secondary_particle"]
    diameter: Length
    voxel: Length
    margin: Length
    flat: Annotated[float, Field(ge=0.0, le=0.8)] = 0.25
    section: bool = False
    grains: Grains | None = None
    roughness: Roughness | None = None
    cracks: Cracks | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        check_cracks(self.cracks, self.voxel)
        if self.diameter < FEWEST_ACROSS * self.voxel:
            raise ValueError(
                f"a particle of {self.diameter * 1e6:g} um in voxels of {self.voxel * 1e6:g} um;"
                f" expected {FEWEST_ACROSS:g} voxels across it at least, give smaller voxels"
            )
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along (z, y, x), about."""
        margins = 1.0 if self.flat > 0.0 else 2.0
        height = round((self.diameter + margins * self.margin) / self.voxel)
        width = round((self.diameter + 2.0 * self.margin) / self.voxel)
        return height, width, 1 if self.section else width

    @property
    def phase_names(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the labels."""
        return tuple(self.expected_shares)

    @property
    def expected_shares(self) -> dict[str, float]:
        """About what each phase will have of the volume."""
        z, y, x = self.shape
        cells = self.diameter / self.voxel
        ball = 0.785 * cells**2 / (z * y) if self.section else 0.524 * cells**3 / (z * y * x)
        void = ball * self.cracks.internal if self.cracks is not None else 0.0
        rest = {VOID: void} if void > 0.0 else {}
        return {"active": ball - void, "pore": 1.0 - ball} | rest

    def make(self) -> "Volume":
        """Generates the volume."""
        from voxtrode.pipeline.generate import make_secondary

        return make_secondary(self)
