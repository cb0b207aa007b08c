"""Sections on the cell, the particles and the fields."""

from collections.abc import Mapping
from typing import Any

from voxtrode.pipeline.analysis.delivered import Delivered, delivered
from voxtrode.pipeline.report.blocks import Block, Figure, Missing, Section, Table
from voxtrode.pipeline.report.cell_figures import overpotential_figure, voltage_figure
from voxtrode.pipeline.report.field_figures import sol_map_figure
from voxtrode.pipeline.report.numbers import number, percent, quantity
from voxtrode.pipeline.report.particle_figures import rate_figure, sol_figure
from voxtrode.pipeline.report.profile_figures import profile_figure
from voxtrode.pipeline.report.results import OCV, TIME, VOLTAGE, Results

_SIMULATE = "run the simulation, `voxtrode simulate`"


def cell_section(results: Results) -> Section:
    """Voltage, current, and where the voltage is lost."""
    voltage = voltage_figure(results)
    if voltage is None:
        return Section("cell", "Cell", [Missing(f"No voltage curve here: {_SIMULATE}.")])
    losses = overpotential_figure(results) or Missing(
        "No split of the overpotential: no instants under current."
    )
    blocks: list[Block] = [voltage, losses, _instant_table(results)]
    if discharge := delivered(results):
        blocks.append(_delivered_table(discharge))
    if found := results.summary.get("solid_tortuosity"):
        blocks.append(_tortuosity_table(found))
    return Section("cell", "Cell", blocks)


def _delivered_table(found: Delivered) -> Table:
    rows = [
        ["Mean current density", quantity(found.current_A_m2, "A m⁻²")],
        ["C-rate", number(found.c_rate)],
        ["Capacity by area", quantity(found.areal_mAh_cm2, "mA h cm⁻²", digits=4)],
        ["of the nominal one", percent(found.share)],
        ["by volume of the electrode", quantity(found.volumetric_mAh_cm3, "mA h cm⁻³")],
        ["by mass of its active material", quantity(found.active_mAh_g, "mA h g⁻¹")],
        ["Mean voltage", quantity(found.mean_V, "V", digits=4)],
        ["Energy by area", quantity(found.energy_Wh_m2, "W h m⁻²")],
        ["by volume of the electrode", quantity(found.energy_Wh_L, "W h L⁻¹")],
        ["Power by area", quantity(found.power_W_m2, "W m⁻²")],
    ]
    return Table([], rows, "What the first discharge delivered.")


def _tortuosity_table(found: Mapping[str, Any]) -> Table:
    rows = [["Solid-state tortuosity, D_primary/D_secondary", number(found.get("ratio"))]]
    if found.get("reason"):
        rows.append(["None, because", str(found["reason"])])
    if found.get("capacity_As"):
        share = found["homogeneous_As"] / found["capacity_As"]
        rows += [
            [f"Radius of the homogeneous {found['shape']} [µm]", number(1e6 * found["radius_m"])],
            ["Its capacity with the material's D_s, over the particle's", number(share)],
            ["Its d ln capacity / d ln D_s", number(found.get("sensitivity"))],
        ]
    return Table(
        [],
        rows,
        "The homogeneous particle of the same volume that delivers the same capacity: by how much"
        " less its D_s is than the material's. Cracks that let electrolyte in make it less than 1.",
    )


def _instant_table(results: Results) -> Table:
    table, rows = results.cell, []
    assert table is not None
    for time in results.instants()[TIME]:
        row = table.iloc[(table[TIME] - time).abs().argmin()]
        rows.append(
            [
                number(row["DoD"]),
                number(time / 60.0),
                number(row[VOLTAGE], 5),
                number(row[OCV], 5),
                number(1e3 * row["Total overpotential [V]"]),
                number(row["SoL"]),
                number(row["Min c_e [mol.m-3]"]),
                number(row["Max c_e [mol.m-3]"]),
            ]
        )
    return Table(
        [
            "DoD",
            "Time [min]",
            "V [V]",
            "U(θ̄) [V]",
            "U(θ̄) − V [mV]",
            "SoL",
            "Lowest cₑ [mol\u00a0m⁻³]",
            "Highest cₑ [mol\u00a0m⁻³]",
        ],
        rows,
        "The cell at the stored instants.",
        left=(),
    )


def particle_section(results: Results) -> Section:
    """Lithiation and C-rate of particles against depth."""
    blocks = _present(sol_figure(results), rate_figure(results))
    missing = Missing(f"No particles here: {_SIMULATE}.")
    return Section("particles", "Particles", blocks or [missing])


def field_section(results: Results) -> Section:
    """Maps and profiles of the stored fields."""
    blocks = _present(sol_map_figure(results), profile_figure(results))
    missing = Missing(f"No fields here: {_SIMULATE}.")
    return Section("fields", "Fields", blocks or [missing])


def _present(*figures: Figure | None) -> list[Block]:
    return [figure for figure in figures if figure is not None]
