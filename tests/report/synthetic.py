"""A small made-up run folder: plausible files of every stage, not the result of any simulation."""

from collections.abc import Sequence
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from voxtrode.data.particle_table import COLUMNS
from voxtrode.data.volume import Volume, write_volume
from voxtrode.pipeline.communicator import Communicator, Serial
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.study import Study, parse_study, write_study
from voxtrode.pipeline.vtk import write_part, write_pvd

type Floats = NDArray[np.float64]

UM = 1e-6
EDGE = 16  # µm and voxels along each axis
TIMES = (0.0, 900.0, 1800.0, 2700.0, 3300.0)
DODS = (0.0, 0.25, 0.5, 0.75, 0.75)  # the last instant is the end of a rest
NOMINAL = 0.576  # mAh/cm²
PARTS = {  # of the overpotential on discharge [mV]
    "Ohmic": 3.0,
    "Concentration": 5.0,
    "Electronic": 0.1,
    "Kinetic": 20.0,
    "Film": 0.0,
    "Solid diffusion": 9.0,
    "Particle-to-particle": -0.5,
    "Counter": 6.0,
}
BALLS = (((5, 5, 5), 4.5), ((11, 11, 8), 4.5), ((5, 12, 12), 3.0))  # (z, y, x), radius [µm]


def study(**changed: Any) -> Study:
    """A half cell of balls, discharged and left to rest, with other sections if given."""
    tree = {
        "name": "made-up",
        "volume": {
            "generate": {
                "diameters": ["8 um"],
                "active_fraction": 0.4,
                "size": ["16 um", "16 um", "16 um"],
                "voxel": "1 um",
            }
        },
        "phases": {
            "active": {"material": "nmc811"},
            "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
        },
        "separator": {"thickness": "8 um", "porosity": 0.5, "tortuosity": 1.5},
        "protocol": [{"discharge": "1C", "until": ["2.8 V", "75 % DoD"]}, {"rest": "10 min"}],
        "mesh": {"size": "2 um"},
        **changed,
    }
    return parse_study(tree, Path())


def write_run(folder: Path, **changed: Any) -> Study:
    """Writes files of every stage into a run folder; returns its study, see `study`."""
    made = study(**changed)
    folder.mkdir(parents=True, exist_ok=True)
    write_study(made, folder / "study.yaml")
    _write_image(folder / "image")
    _write_numbers(folder)
    _write_tables(folder / "simulate")
    write_fields(folder / "simulate", Serial())
    return made


def tetrahedra(cells: tuple[int, int, int], size: tuple[float, float, float]) -> tuple:
    """Six tetrahedra a brick: points (x, y, z) [m] and corners, the bricks in order (z, y, x)."""
    nz, ny, nx = cells
    axes = [np.linspace(0.0, edge, n + 1) for n, edge in zip(cells, size, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    step = ((ny + 1) * (nx + 1), nx + 1, 1)
    corners = []
    for place in product(range(nz), range(ny), range(nx)):
        first = sum(p * s for p, s in zip(place, step, strict=True))
        for order in permutations(step):
            corners.append(first + np.concatenate([[0], np.cumsum(order)]))
    return points, np.array(corners)


def write_fields(
    folder: Path,
    comm: Communicator,
    times: Sequence[float] = TIMES,
    dods: Sequence[float] = DODS,
    salty: bool = True,
) -> Path:
    """Fields with simple formulas: SoL = DoD + (z − z̄)/100 µm, c_e = 1000 + 5 z/µm mol/m³.

    Without salt there is no c_e.
    """
    entries = []
    solid, solid_cells = tetrahedra((8, 8, 8), (EDGE * UM, EDGE * UM, EDGE * UM))
    middle = solid[solid_cells].mean(axis=1) / UM
    in_ball = np.zeros(len(middle), bool)
    for (z, y, x), radius in BALLS:
        in_ball |= np.linalg.norm(middle - [x, y, z], axis=1) < radius
    solid_cells = solid_cells[in_ball]
    fluid, fluid_cells = tetrahedra((12, 4, 4), (1.5 * EDGE * UM, EDGE * UM, EDGE * UM))
    for number, (time, dod) in enumerate(zip(times, dods, strict=True)):
        sol = dod + (solid[:, 2] / UM - 8.0) / 100.0
        salt = 1000.0 + 5.0 * fluid[:, 2] / UM * (number > 0)
        ions = {"c_e [mol.m-3]": salt} if salty else {}
        parts = (
            ("solid", solid, solid_cells, {"SoL": sol}),
            (
                "electrolyte",
                fluid,
                fluid_cells,
                {**ions, "phi_e [V]": -0.01 * sol[0] + 0 * salt},
            ),
        )
        for part, (name, points, cells, data) in enumerate(parts):
            file = write_part(comm, folder / "fields", f"{name}_{number}", points, cells, data)
            entries.append((time, part, name, file))
    write_pvd(folder / "fields.pvd", entries)
    return folder / "fields.pvd"


def _write_image(folder: Path) -> None:
    z, y, x = np.indices((EDGE, EDGE, EDGE)) + 0.5
    labels = np.ones((EDGE, EDGE, EDGE), np.uint8)
    particles = np.zeros((EDGE, EDGE, EDGE), np.int32)
    for number, ((cz, cy, cx), radius) in enumerate(BALLS, start=1):
        inside = (z - cz) ** 2 + (y - cy) ** 2 + (x - cx) ** 2 < radius**2
        labels[inside], particles[inside] = 0, number
    write_volume(Volume(labels, ("active", "nsd"), (UM, UM, UM), particles), folder)
    rows = [
        (
            number,
            "active",
            4.19 * (r * UM) ** 3,
            2 * r * UM,
            cz * UM,
            cy * UM,
            cx * UM,
            number == 1,
            number == 3,
            1e-10,
        )
        for number, ((cz, cy, cx), r) in enumerate(BALLS, start=1)
    ]
    # Only what every version of the image stage has written.
    pd.DataFrame(rows, columns=list(COLUMNS[:10])).to_csv(folder / "particles.csv", index=False)
    whole = {"z": 1.0, "y": 1.0, "x": 1.0}
    none = {"z": 0.0, "y": 0.0, "x": 0.0}
    write_json(
        folder / "image.json",
        {
            "shape": [EDGE] * 3,
            "voxel_size_m": [UM] * 3,
            "size_m": [EDGE * UM] * 3,
            "phases": {
                "active": {
                    "label": 0,
                    "fraction": 0.21,
                    "percolates": dict.fromkeys("zyx", False),
                    "percolating_fraction": none,
                    "isolated_fraction": 0.03,
                    "isolated_by_role": {"active": 0.03, "electronic": 0.0},
                },
                "nsd": {
                    "label": 1,
                    "fraction": 0.79,
                    "percolates": dict.fromkeys("zyx", True),
                    "percolating_fraction": whole,
                    "isolated_fraction": 0.0,
                    "isolated_by_role": {"electronic": 0.0, "ionic": 0.0},
                },
            },
            "interfaces": {
                "active|nsd": {"area_m2": {"marching_cubes": 6.2e-10, "voxel_faces": 9.1e-10}}
            },
            "particles": {
                "count": 3,
                "touching_box": 1,
                "dead": 1,
                "dead_volume_share": 0.12,
                "mean_diameter_m": 7.5e-6,
                "std_diameter_m": 1.5e-6,
            },
            "evidence": {"volume": {"kind": "spheres", "neck_diameter_mean_m": 1.4e-6}},
        },
    )


def _write_numbers(folder: Path) -> None:
    area = {"mesh": 6.0e-10, "marching_cubes": 6.2e-10, "voxel_faces": 8.8e-10}
    counts = [0, 0, 0, 1, 20, 300, 500, 900, 1200, 1687] + [0] * 26
    write_json(
        folder / "mesh" / "mesh.json",
        {
            "method": "smooth",
            "spacing_m": [2 * UM] * 3,
            "separator_spacing_m": 2 * UM,
            "cells": 4608,
            "vertices": 1053,
            "worst_cell": {
                "angle_deg": 15.3,
                "position_m": [1e-6, 2.5e-6, 3e-6],
                "phase": "active",
            },
            "mended": {"points_moved": 3, "largest_move_m": 1e-7, "min_dihedral_before_deg": 8.0},
            "min_dihedral_deg": 15.3,
            "max_dihedral_deg": 155.0,
            "cells_below_deg": {"2": 0, "5": 0, "10": 0},
            "dihedral_histogram": {"bin_deg": 5, "smallest": counts, "largest": counts[::-1]},
            "inverted": 0,
            "nonmanifold_facets": 0,
            "volume_error": {"active": -0.0004, "nsd": 0.0001},
            "interfaces": {"active|nsd": {"area_m2": area}},
            "components": {"active": 3, "nsd": 1},
            "image_components": {"active": 5, "nsd": 1},
            "regions": {
                "active": {"image": 5, "mesh": 3, "lost": 1, "lost_voxels": 4, "joined": 1}
            },
            "particle_volume_error": {"mean": -0.003, "rms": 0.03, "volume_weighted_rms": 0.02},
            "untagged_cells": 0,
            "contacts": {"smooth": True, "area_m2": 1.25e-11},
            "islands": {"smaller_than_voxels": 9, "voxels": {"active": 0, "nsd": 17}},
        },
    )
    cut = Drawing(figsize=(4.0, 2.0))
    cut.add_subplot().imshow(np.arange(12.0).reshape(3, 4))
    cut.savefig(folder / "mesh" / "cut.png", dpi=60)
    row = {
        "phase": "nsd",
        "method": "mesh",
        "fraction": 0.79,
        "tortuosity_factor": 1.2345,
        "effective_ratio": 0.64,
        "flux_imbalance": 1e-9,
        "wall_s": 0.2,
    }
    write_json(
        folder / "transport.json",
        {
            "rows": [{**row, "axis": axis} for axis in "zyx"],
            "tolerance": 1e-3,
            "differences": [
                {"phase": "nsd", "axis": "z", "methods": ["mesh", "voxel"], "relative": -0.06}
            ],
            "parameters": {
                "bpx": {"Positive electrode": {"Transport efficiency": 0.31}},
                "pybamm": {"Positive electrode porosity": 0.4},
            },
        },
    )
    write_json(
        folder / "summary.json",
        {
            "voltage_end_V": 3.3456,
            "areal_capacity_mAh_cm2": 0.4321,
            "nominal_capacity_mAh_cm2": 0.576,
            "connected_capacity_mAh_cm2": 0.6,
            "time_end_s": TIMES[-1],
            "dod_end": DODS[-1],
            "stop_reason": "time 600 s",
            "lithium_balance": 1.5e-12,
            "salt_balance": 2.5e-12,
            "charge_balance": 3.5e-11,
            "dofs": 4242,
            "steps": 37,
            "rejected_steps": 2,
            "newton_iterations": 111,
            "krylov_mean": 11.5,
            "krylov_max": 17,
            "poisson_ratio": 4.4,
            "peak_memory_GiB": 0.31,
            "wall_s": {"image": 1.0, "mesh": 2.0, "simulate": 60.0},
        },
    )
    stages = {name: {"wall_s": 3.0, "ranks": 2, "started": "then"} for name in ("image", "mesh")}
    versions = {"voxtrode": "0", "DOLFINx": "0.11.0"}
    record = {"versions": versions, "commit": "abc", "code_sha256": "def", "stages": stages}
    write_json(folder / "provenance.json", record)


def _write_tables(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    drive = np.linspace(0.0, 2700.0, 28)
    time = np.concatenate([drive, [2700.0, 3000.0, 3300.0]])
    dod = np.minimum(time / 3600.0, 0.75)
    current = np.where(np.arange(len(time)) < 28, 5.76, 0.0)
    write_cell(folder, time, np.where(current == 0.0, 2, 1), current, dod)
    write_particles(folder, TIMES, DODS)


def write_cell(
    folder: Path,
    time: Floats,
    step: NDArray[np.int64],
    current: Floats,
    dod: Floats,
    start: float = 0.0,
) -> None:
    """The cell's table: parts of the overpotential are PARTS on discharge, −PARTS on charge.

    Args:
        folder: Where it goes.
        time, step, current, dod: Columns.
        start: DoD at which capacity is zero.
    """
    rest, sign = current == 0.0, np.sign(current)
    total = np.where(rest, 0.004, 1e-3 * sign * sum(PARTS.values()))
    voltage = 4.2 - 0.9 * dod
    cell = {
        "Time [s]": time,
        "Step": step,
        "Current density [A.m-2]": current,
        "Voltage [V]": voltage - total,
        "Areal capacity [mA.h.cm-2]": NOMINAL * (dod - start),
        "DoD": dod,
        "SoL": dod,
        "Mean c_e [mol.m-3]": 1000.0,
        "Min c_e [mol.m-3]": np.where(rest, 990.0, 900.0),
        "Max c_e [mol.m-3]": np.where(rest, 1010.0, 1100.0),
        **{
            f"{name} overpotential [V]": np.where(rest, np.nan, 1e-3 * sign * value)
            for name, value in PARTS.items()
        },
        "Total overpotential [V]": total,
        "Open-circuit voltage [V]": voltage,
    }
    pd.DataFrame(cell).to_csv(folder / "cell.csv", index=False)


def write_particles(folder: Path, times: Sequence[float], dods: Sequence[float]) -> None:
    """The particles' table at stored instants [s] with their DoD."""
    rows = [
        {
            "Particle": number,
            "Phase": "active",
            "Time [s]": stored,
            "DoD": passed,
            "Volume [m3]": 4.19 * (radius * UM) ** 3,
            "Wetted area [m2]": 12.6 * (radius * UM) ** 2,
            "Diameter [m]": 2 * radius * UM,
            "Depth [m]": place[0] * UM,
            "SoL": 0.0 if number == 3 else passed + (place[0] - 8.0) / 100.0,
            "SoL raw": 0.3 + 0.6 * passed,
            "SoL std": 0.01 * (stored > 0.0),
            "SoL range": 0.04,
            "J_ct [A.m-2]": -1.3,
            "Overpotential [V]": -0.017,
            "C_p": 0.9,
            "C_p*": 1.1,
            "C_t": 2.2,
            "C_diff": -1.3,
            "C_diff*": -1.1,
            "Diffusion radius [m]": radius * UM,
            "Touches box": number == 1,
            "Dead": number == 3,
        }
        for stored, passed in zip(times, dods, strict=True)
        for number, (place, radius) in enumerate(BALLS, start=1)
    ]
    pd.DataFrame(rows).to_csv(folder / "particles.csv", index=False)
