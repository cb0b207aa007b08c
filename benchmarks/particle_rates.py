"""Capacity against rate of single secondary particles, and the sensitivity to D_c/D_ab.

`python particle_rates.py`: sections of 10 µm in a stirred electrolyte, NMC622, 4.2 to 3.0 V. The
table is in README.md. By the command line the same is a run a rate and a ratio, see
docs/single-particle.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import process_time
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray
from smooth_cases import generated, written

from voxtrode.data import materials
from voxtrode.data.connectivity import Roles
from voxtrode.data.grain_axes import c_axes_at
from voxtrode.data.phases import Anisotropy, Liquid, Phase
from voxtrode.meshing.build import build_voxel_mesh
from voxtrode.meshing.tagged import TaggedMesh, distribute
from voxtrode.solvers.cell import Cell, Step
from voxtrode.solvers.homogeneous import Homogeneous, Tortuosity, solid_tortuosity
from voxtrode.solvers.kinetics import InsertionKinetics
from voxtrode.solvers.simulation import Settings, Simulation
from voxtrode.solvers.stirred import StirredSystem
from voxtrode.solvers.units import UM

Floats = NDArray[np.float64]
UPPER, LOWER, TEMPERATURE = 4.2, 3.0, 298.15
SECTION: dict[str, Any] = {
    "kind": "secondary_particle",
    "section": True,
    "diameter": "10 um",
    "voxel": "0.5 um",
    "margin": "1 um",
    "flat": 0,
    "seed": 1,
}
PARTICLES: dict[str, dict[str, Any]] = {
    "whole": {},
    "cracks to the surface": {"cracks": {"surface": 0.06, "width": "1 um"}},
    "cracks inside": {"cracks": {"internal": 0.06, "width": "1 um"}},
    "radial grains": {"grains": {"arrangement": "radial", "size": "2 um"}},
    "four directions": {"grains": {"arrangement": "voronoi", "size": "2 um", "groups": 4}},
}


@dataclass(frozen=True, eq=False)
class Section:
    """A section's mesh, its phases, the c axis of each cell, and its thickness [m]."""

    mesh: TaggedMesh
    phases: tuple[str, ...]
    c_axes: Floats
    thickness: float

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Section":
        """Generate and mesh a section."""
        volume = generated({**SECTION, **given})
        active, pore = (volume.phases.index(name) for name in ("active", "pore"))
        sides = tuple(k for k, n in enumerate(volume.labels.shape) if n > 1)
        roles = Roles((active,), (active,), (pore,), (), sides, True)
        with written(volume, MPI.COMM_SELF) as (folder, measured):
            built = build_voxel_mesh(folder, volume.voxel[0], 0.0, roles, measured, MPI.COMM_SELF)
            mesh = distribute(built.block, built.info, MPI.COMM_SELF)
            axes = np.zeros((len(mesh.phase), 3))
            if "grains" in given:
                geometry = mesh.mesh.geometry
                middles = geometry.x[geometry.dofmaps[0]].mean(axis=1)
                axes = c_axes_at(folder, middles / UM)
        return cls(mesh, volume.phases, axes, volume.voxel[2])

    def discharged(self, rate: float, ratio: float) -> tuple[float, Tortuosity]:
        """A discharge at a C-rate with D_c/D_ab: DoD at the cut-off, and the tortuosity."""
        material = materials.active_material("nmc622")
        fluid = materials.electrolyte("lipf6-ec-emc-nyman2008")
        anisotropy = None if ratio == 1.0 else Anisotropy(ratio)
        kinds = {
            "active": Phase("active", material, 1.0, anisotropy=anisotropy),
            "pore": Phase("pore", liquid=Liquid(fluid)),
            "void": Phase("void"),
        }
        phases = {k: kinds[name] for k, name in enumerate(self.phases)}
        lithium = materials.metal_electrode("lithium")
        cell = Cell(phases, lithium, TEMPERATURE, UPPER, LOWER, c_axes=self.c_axes)
        simulation = Simulation(
            self.mesh,
            cell,
            lambda one_c: [Step(rate * one_c, voltage=LOWER)],
            Settings(),
            assemble=partial(StirredSystem, everywhere=True),
        )
        *_, last = simulation.run()
        quantities, area = simulation.quantities, self.mesh.info.area
        (surface,) = simulation.system.active
        particle = Homogeneous(
            material,
            InsertionKinetics.of(material, TEMPERATURE),
            fluid.c_e0.value,
            float(quantities.table.volume.sum()) / UM**3,
            self.thickness,
            quantities.at_start[surface.label],
        )
        charge = last.charge * area
        found = solid_tortuosity(particle, charge, last.current * area, LOWER)
        return simulation.dod, found


def row(name: str, section: Section, rate: float, ratio: float) -> float | None:
    """Print one line of the table; ln of the tortuosity."""
    start = process_time()
    dod, found = section.discharged(rate, ratio)
    tortuosity = "–" if found.ratio is None else f"{found.ratio:.2f}"
    sensitivity = "–" if found.sensitivity is None else f"{found.sensitivity:.3f}"
    print(
        f"| {name} | {ratio:g} | {rate:g}C | {dod:.4f} | {tortuosity} | {sensitivity}"
        f" | {process_time() - start:.0f} s |",
        flush=True,
    )
    return None if found.ratio is None else float(np.log(found.ratio))


def main() -> None:
    """Print the table."""
    print("| particle | D_c/D_ab | rate | DoD at 3.0 V | D_prim/D_sec | sensitivity | CPU |")
    print("| --- " * 7 + "|")
    slopes = []
    for name, given in PARTICLES.items():
        section = Section.of(given)
        ratios = (1.0, 0.1, 0.01) if "grains" in given else (1.0,)
        rates = (1.0, 5.0) if given else (1.0, 2.0, 5.0)
        for rate in rates:
            logs = [row(name, section, rate, ratio) for ratio in ratios]
            pairs = zip(ratios, ratios[1:], logs, logs[1:], strict=False)
            for low, high, one, two in pairs:
                if one is not None and two is not None:
                    slope = (two - one) / float(np.log(high / low))
                    slopes.append(f"{name}, {rate:g}C, {high:g} to {low:g}: {slope:+.2f}")
    print("\nd ln(D_primary/D_secondary) / d ln(D_c/D_ab):")
    print("\n".join(slopes))


if __name__ == "__main__":
    main()
