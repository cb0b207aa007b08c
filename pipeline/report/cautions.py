"""What a reader should know before trusting the numbers, found in the results."""

from collections.abc import Iterator

from voxtrode.pipeline.analysis.limits import DEPLETED
from voxtrode.pipeline.build import build_electrolyte, holds_salt
from voxtrode.pipeline.report.findings import BALANCES, balance_state
from voxtrode.pipeline.report.numbers import is_number, number, percent, quantity
from voxtrode.pipeline.report.results import Results

_FLUX_LIMIT = 1e-3
_AREA_LIMIT = 0.05
_VOLUME_LIMIT = 0.01


def cautions(results: Results) -> list[str]:
    """What to know before trusting the numbers, each thing once; empty if nothing stands out."""
    found = [
        text
        for find in (_of_volume, _of_mesh, _of_transport, _of_solution, _of_electrolyte, _of_ranges)
        for text in find(results)
    ]
    return list(dict.fromkeys(found))


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
            f" statistics of particles, which rest on those that are whole ({count - touching})."
        )


def _of_mesh(results: Results) -> Iterator[str]:
    mesh = results.mesh
    if any(mesh.get("cropped_voxels", ())):
        z, y, x = mesh["cropped_voxels"]
        yield (
            f"The image is no whole multiple of the lattice: {z}, {y} and {x} voxels (z, y, x) at"
            " its far ends are left out."
        )
    off = [
        f"{name} {percent(error, 2)}"
        for name, error in mesh.get("volume_error", {}).items()
        if is_number(error) and abs(error) > _VOLUME_LIMIT
    ]
    if off:
        yield f"Volumes of phases on the mesh differ from the cleaned image: {', '.join(off)}."
    wrong = [
        f"{pair.replace('|', ' | ')} {number(ratio)} times"
        for pair, ratio in _area_ratios(results)
        if abs(ratio - 1.0) > _AREA_LIMIT
    ]
    if wrong:
        yield (
            "The solver integrates electrochemical interfaces over another area than that by"
            f" marching cubes: {', '.join(wrong)}. The mesh is coarse for these surfaces."
        )
    for key, what in (("inverted", "inverted cells"), ("nonmanifold_facets", "crowded facets")):
        if mesh.get(key):
            yield f"The mesh has {mesh[key]} {what}: do not trust the solution."


def _area_ratios(results: Results) -> Iterator[tuple[str, float]]:
    """Mesh area over marching-cubes area of the pairs that react."""
    able = results.able
    for pair, entry in results.mesh.get("interfaces", {}).items():
        sides = [able[name] for name in pair.split("|") if name in able]
        reacts = any(side["stores"] for side in sides) and any(side["ions"] for side in sides)
        area = entry.get("area_m2", {})
        smooth, used = area.get("marching_cubes"), area.get("mesh")
        if reacts and smooth and used:
            yield pair, used / smooth


def _of_transport(results: Results) -> Iterator[str]:
    rows = results.transport.get("rows", [])
    limit = max(_FLUX_LIMIT, results.transport.get("tolerance") or 0.0)  # what was asked for
    closed: dict[str, list[str]] = {}
    for row in rows:
        if not is_number(row.get("tortuosity_factor")):
            axes = closed.setdefault(str(row.get("phase")), [])
            if str(row.get("axis")) not in axes:
                axes.append(str(row.get("axis")))
    for phase, axes in closed.items():
        yield f"There is no path of {phase} along {', '.join(axes)}: it conducts nothing that way."
    for row in rows:
        imbalance = row.get("flux_imbalance")
        if is_number(imbalance) and abs(imbalance) > limit:
            yield (
                f"The flux of {row.get('phase')} along {row.get('axis')} is off by"
                f" {percent(imbalance, 2)}."
            )


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


def _of_ranges(results: Results) -> Iterator[str]:
    """Stoichiometries beyond what the sources of a material's laws cover."""
    for entry in results.summary.get("out_of_range", []):
        if entry["argument"] != "theta":
            continue  # of the electrolyte
        after = (
            "it is held constant beyond"
            if entry["held"]
            else "beyond it continues, as the study assumes"
        )
        low, high = (number(value) for value in entry["range"])
        least, most = (number(value) for value in entry["reached"])
        yield (
            f"{entry['law']} of {entry['material']} is known for θ from {low} to {high}; surfaces"
            f" and insides went from {least} to {most}: {after}."
        )


def _of_electrolyte(results: Results) -> Iterator[str]:
    table = results.cell
    if table is None or not holds_salt(results.study):
        return
    salt = build_electrolyte(results.study)
    low, high = table["Min c_e [mol.m-3]"].min(), table["Max c_e [mol.m-3]"].max()
    if high > salt.c_max_fit.value:
        yield (
            f"cₑ rises to {quantity(high, 'mol m⁻³')}, beyond the range of the fits"
            f" ({quantity(salt.c_max_fit.value, 'mol m⁻³')}): the transport functions are held"
            " constant there."
        )
    if low < DEPLETED * salt.c_e0.value:
        yield f"The electrolyte is depleted: cₑ falls to {quantity(low, 'mol m⁻³')}."
