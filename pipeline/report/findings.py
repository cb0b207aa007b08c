"""What a reader should learn first: what was run, how it ended, and what to be careful about."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from voxtrode.data.materials import electrolyte
from voxtrode.pipeline.report.blocks import State, Tile
from voxtrode.pipeline.report.numbers import box, duration, is_number, number, percent, quantity
from voxtrode.pipeline.report.results import Results
from voxtrode.pipeline.study_protocol import Step, Stop, StopKind

BALANCE_LIMIT = 1e-9
BALANCES = {
    "lithium_balance": "Lithium",
    "salt_balance": "Salt",
    "charge_balance": "Charge",
}
_FLUX_LIMIT = 1e-3
_AREA_LIMIT = 0.05
_MAH_PER_CM2 = 1.0 / 36000.0
_STOPS: dict[StopKind, Callable[[float], str]] = {
    StopKind.VOLTAGE: lambda value: quantity(value, "V"),
    StopKind.CURRENT: lambda value: quantity(value, "A m⁻²"),
    StopKind.TIME: duration,
    StopKind.CAPACITY: lambda value: quantity(value, "mA h cm⁻²", _MAH_PER_CM2),
    StopKind.DOD: lambda value: percent(value) + " DoD",
}


def protocol_text(results: Results) -> str:
    """The protocol in words."""
    return ", then ".join(_step_text(step) for step in results.study.protocol)


def _step_text(step: Step) -> str:
    ends = " or ".join(_stop_text(stop) for stop in step.stops)
    name = next(iter(type(step).model_fields))
    if name == "rest":
        return f"rest for {ends}"
    return f"{_current_text(step)} {name} to {ends}"


def _current_text(step: Step) -> str:
    one_c = 1.0
    density = step.current_density(one_c)
    given = str(step.model_dump(mode="json").get("discharge", ""))
    return f"{density:g}C" if given.endswith("C") else quantity(density, "A m⁻²")


def _stop_text(stop: Stop) -> str:
    return f"{stop.value:g}C" if stop.is_c_rate else _STOPS[stop.kind](stop.value)


def verdict(results: Results) -> str:
    """What was run and how it ended."""
    study, summary = results.study, results.summary
    materials = [entry.material for name, entry in study.phases.items() if name in results.active]
    what = protocol_text(results)
    size = f" of {box(results.header.size)} (z × y × x)" if results.header else ""
    text = (
        f"{what[:1].upper()}{what[1:]}: a half cell of {' and '.join(map(str, materials))},"
        f" electrode{size}, {quantity(study.separator.thickness, 'µm', 1e6)} separator, against"
        f" {study.counter}, at {quantity(study.temperature, 'K', digits=5)}."
    )
    if not summary:
        return text + " It has not been simulated."
    reason = summary.get("stop_reason")
    return (
        f"{text} It ended at {quantity(summary.get('voltage_end_V'), 'V', digits=4)} after"
        f" {duration(summary.get('time_end_s'))} with"
        f" {quantity(summary.get('areal_capacity_mAh_cm2'), 'mA h cm⁻²', digits=4)} passed"
        + (f"; the last step was ended by: {reason}." if reason else ".")
    )


def balance_state(value: Any) -> State:
    """Whether a balance holds."""
    if not is_number(value):
        return ""
    return "good" if abs(float(value)) <= BALANCE_LIMIT else "bad"


def tiles(results: Results) -> list[Tile]:
    """The numbers to remember."""
    summary = results.summary
    if not summary:
        return []
    found = [float(summary[key]) for key in BALANCES if is_number(summary.get(key))]
    worst = max(found) if found else None
    nominal = summary.get("nominal_capacity_mAh_cm2")
    walls: Mapping[str, float] = summary.get("wall_s", {})
    return [
        Tile("End voltage", number(summary.get("voltage_end_V"), 4), "", "V"),
        Tile(
            "Areal capacity",
            number(summary.get("areal_capacity_mAh_cm2"), 4),
            "",
            "mA h cm⁻²" + (f", nominal {number(nominal)}" if is_number(nominal) else ""),
        ),
        Tile("DoD", number(summary.get("dod_end"), 4), "", "depth of discharge"),
        Tile(
            "Worst balance",
            number(worst, 2),
            "",
            f"limit {number(BALANCE_LIMIT, 1)}",
            balance_state(worst),
        ),
        Tile(
            "Unknowns",
            number(summary.get("dofs")),
            "",
            f"{number(summary.get('steps'))} time steps",
        ),
        Tile("Wall time", duration(sum(walls.values()) if walls else None), "", "all stages"),
    ]


def cautions(results: Results) -> list[str]:
    """What to know before trusting the numbers; empty where nothing stands out."""
    return [
        text
        for find in (_of_volume, _of_mesh, _of_transport, _of_solution, _of_electrolyte)
        for text in find(results)
    ]


def _of_volume(results: Results) -> Iterator[str]:
    particles = results.image.get("particles", {})
    if dead := particles.get("dead"):
        yield (
            f"{dead} of {particles.get('count')} particles are dead, with"
            f" {percent(particles.get('dead_volume_share'))} of the particles' volume: no path to"
            " the collector, or not wetted. They take no part and count in no capacity."
        )
    for name, phase in results.image.get("phases", {}).items():
        lost = {
            role: share for role, share in phase.get("isolated_by_role", {}).items() if share > 0.0
        }
        if lost:
            roles = ", ".join(f"{role} {percent(share, 2)}" for role, share in lost.items())
            yield f"Islands of {name} take no part (share of the phase cut off, by role: {roles})."
    count, touching = particles.get("count", 0), particles.get("touching_box", 0)
    if count and touching > 0.5 * count:
        yield (
            f"{touching} of {count} particles are cut by the box: the volume is small for"
            f" statistics of particles, which rest on the {count - touching} whole ones."
        )


def _of_mesh(results: Results) -> Iterator[str]:
    mesh = results.mesh
    if any(mesh.get("cropped_voxels", ())):
        z, y, x = mesh["cropped_voxels"]
        yield (
            f"The image is no whole multiple of the lattice: {z}, {y} and {x} voxels (z, y, x) at"
            " its far ends are left out."
        )
    for name, error in mesh.get("volume_error", {}).items():
        if is_number(error) and abs(error) > 0.01:
            way = "larger" if error > 0 else "smaller"
            yield f"On the mesh {name} is {percent(abs(error), 2)} {way} than on the cleaned image."
    for pair, entry in mesh.get("interfaces", {}).items():
        area = entry.get("area_m2", {})
        smooth, used = area.get("marching_cubes"), area.get("mesh")
        if smooth and used and abs(used / smooth - 1.0) > _AREA_LIMIT:
            yield (
                f"The solver integrates {pair.replace('|', ' | ')} over {number(used / smooth)}"
                " times its area by marching cubes: the mesh is coarse for this surface."
            )
    for key, what in (("inverted", "inverted cells"), ("nonmanifold_facets", "crowded facets")):
        if mesh.get(key):
            yield f"The mesh has {mesh[key]} {what}: do not trust the solution."


def _of_transport(results: Results) -> Iterator[str]:
    for row in results.transport.get("rows", []):
        where = f"{row.get('phase')} along {row.get('axis')}"
        if not is_number(row.get("tortuosity_factor")):
            yield f"There is no path of {where}: its conductivity is zero."
        elif is_number(row.get("flux_imbalance")) and abs(row["flux_imbalance"]) > _FLUX_LIMIT:
            yield f"The flux of {where} is off by {percent(row['flux_imbalance'], 2)}."


def _of_solution(results: Results) -> Iterator[str]:
    summary = results.summary
    for key, name in BALANCES.items():
        if balance_state(summary.get(key)) == "bad":
            yield f"{name} is not conserved: {number(summary[key], 2)} of the reference amount."
    nominal = summary.get("nominal_capacity_mAh_cm2")
    connected = summary.get("connected_capacity_mAh_cm2")
    if is_number(nominal) and is_number(connected):
        share = float(nominal) / float(connected)  # type: ignore[arg-type]
        if not 0.8 < share < 1.25:
            yield (
                f"The nominal capacity is {number(share)} times that of the connected active"
                f" material ({quantity(connected, 'mA h cm⁻²')}): DoD and C-rates refer to the"
                " nominal one."
            )
    cap = results.study.solver.max_krylov
    if is_number(summary.get("krylov_max")) and summary["krylov_max"] >= cap:
        yield (
            f"Linear solves met their cap of {cap} iterations; the steps they belonged to were"
            " rejected and repeated with a smaller time step."
        )


def _of_electrolyte(results: Results) -> Iterator[str]:
    table = results.cell
    if table is None:
        return
    salt = electrolyte(results.study.electrolyte)
    low, high = table["Min c_e [mol.m-3]"].min(), table["Max c_e [mol.m-3]"].max()
    if high > salt.c_max_fit.value:
        yield (
            f"cₑ rises to {quantity(high, 'mol m⁻³')}, beyond the range of the fits"
            f" ({quantity(salt.c_max_fit.value, 'mol m⁻³')}): the transport functions are held"
            " constant there."
        )
    if low < 0.05 * salt.c_e0.value:
        yield f"The electrolyte is depleted: cₑ falls to {quantity(low, 'mol m⁻³')}."
