"""What the first discharge of a run delivered: capacity, energy and power."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from voxtrode.pipeline.build import build_phases
from voxtrode.pipeline.report.results import CAPACITY, CURRENT, TIME, VOLTAGE, Results

_HOUR = 3600.0
_MAH_PER_CM2 = 36_000.0  # A s/m²


@dataclass(frozen=True)
class Delivered:
    """The first discharge of a run.

    Attributes:
        current_A_m2: Mean current density.
        c_rate: The same over that of 1C; None where 1C is not known.
        areal_mAh_cm2: Charge passed.
        share: The same over the nominal capacity; None where that is not known.
        volumetric_mAh_cm3: By volume of the electrode (half cell) or of the whole volume.
        active_mAh_g: By mass of the active material, dead or not, that discharge fills.
        mean_V: Voltage averaged over charge.
        energy_Wh_m2: Energy by area.
        power_W_m2: The same over the discharge's time.
        energy_Wh_L: By volume as above.
    """

    current_A_m2: float
    c_rate: float | None
    areal_mAh_cm2: float
    share: float | None
    volumetric_mAh_cm3: float | None
    active_mAh_g: float | None
    mean_V: float
    energy_Wh_m2: float
    power_W_m2: float
    energy_Wh_L: float | None

    def tree(self) -> dict[str, float | None]:
        """By name."""
        return asdict(self)


def first_discharge(results: Results) -> pd.DataFrame | None:
    """Rows of the cell's table in the first step that discharges; None without one."""
    if results.cell is None:
        return None
    for _, rows in results.cell.groupby("Step"):
        if len(rows) > 1 and float(rows[CURRENT].iloc[-1]) > 0.0:
            found: pd.DataFrame = rows
            return found
    return None


def delivered(results: Results) -> Delivered | None:
    """What the first discharge delivered; None without one."""
    rows = first_discharge(results)
    if rows is None:
        return None
    capacity, volts = rows[CAPACITY].to_numpy(np.float64), rows[VOLTAGE].to_numpy(np.float64)
    passed = float(capacity[-1] - capacity[0])
    seconds = float(rows[TIME].iloc[-1] - rows[TIME].iloc[0])
    energy = float(np.trapezoid(volts, capacity)) * _MAH_PER_CM2 / _HOUR  # Wh/m²
    current = passed * _MAH_PER_CM2 / seconds
    one_c, nominal = (
        results.summary.get("one_c_A_m2"),
        results.summary.get("nominal_capacity_mAh_cm2"),
    )
    thickness, loading = results.thickness, _active_mass(results)
    return Delivered(
        current_A_m2=current,
        c_rate=None if not one_c else current / one_c,
        areal_mAh_cm2=passed,
        share=None if not nominal else passed / nominal,
        volumetric_mAh_cm3=None if thickness is None else passed / (100.0 * thickness),
        active_mAh_g=None if not loading else 10.0 * passed / loading,
        mean_V=float(np.trapezoid(volts, capacity)) / passed,
        energy_Wh_m2=energy,
        power_W_m2=energy * _HOUR / seconds,
        energy_Wh_L=None if thickness is None else 1e-3 * energy / thickness,
    )


def _active_mass(results: Results) -> float | None:
    """Mass of the active material that discharge fills [kg/m²]; None where not known."""
    if results.thickness is None:
        return None
    negative = results.study.negative
    emptied = () if negative is None else negative.phases
    total = 0.0
    for name, phase in build_phases(results.study).items():
        if phase.active is None or name in emptied:
            continue
        fraction = results.image.get("phases", {}).get(name, {}).get("fraction")
        if fraction is None:
            return None
        total += fraction * results.thickness * phase.active.density.value
    return total or None
