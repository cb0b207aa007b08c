"""Phases: what a region of the volume can do, never what it is called (model: capabilities)."""

from dataclasses import dataclass

from voxtrode.data.materials import ActiveMaterial, Electrolyte


@dataclass(frozen=True)
class Liquid:
    """Electrolyte that fills a phase.

    Attributes:
        electrolyte: Transport functions of the free electrolyte.
        porosity: Intrinsic volume fraction ε of electrolyte inside the phase (1 for a pore).
        tortuosity: Intrinsic tortuosity factor τ inside the phase; D_eff = (ε/τ) D_e.
    """

    electrolyte: Electrolyte
    porosity: float = 1.0
    tortuosity: float = 1.0

    @property
    def transport(self) -> float:
        """ε/τ, the factor between free and effective transport coefficients."""
        return self.porosity / self.tortuosity


@dataclass(frozen=True)
class Anisotropy:
    """Diffusion in a layered lattice: fast along its layers, slow along its c axis.

    D = D_ab (I − c c^T) + D_c c c^T with D_ab = D_s(θ) of the material.

    Attributes:
        ratio: D_c/D_ab.
        axis: Unit vector c as (x, y, z); None where each grain has its own.
    """

    ratio: float
    axis: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Phase:
    """One phase of a volume, described by what it stores and conducts.

    Attributes:
        name: Name in the study file.
        active: Material that stores lithium, or None.
        sigma: Effective electronic conductivity inside the phase [S/m], or None.
        liquid: Ion-conducting liquid inside the phase, or None.
        kappa: Conductivity of lithium ions in a single-ion conductor (t₊ = 1, no salt) [S/m],
            effective inside the phase, or None.
        anisotropy: How lithium diffuses in other directions than along the layers; None where it
            diffuses alike in all.
    """

    name: str
    active: ActiveMaterial | None = None
    sigma: float | None = None
    liquid: Liquid | None = None
    kappa: float | None = None
    anisotropy: Anisotropy | None = None

    @property
    def stores(self) -> bool:
        """Whether lithium is stored in the phase."""
        return self.active is not None

    @property
    def conducts_electrons(self) -> bool:
        """Whether electrons are conducted in the phase."""
        return self.sigma is not None

    @property
    def conducts_ions(self) -> bool:
        """Whether ions are conducted in the phase."""
        return self.liquid is not None or self.kappa is not None

    @property
    def holds_salt(self) -> bool:
        """Whether the ions are those of a salt in a liquid."""
        return self.liquid is not None
