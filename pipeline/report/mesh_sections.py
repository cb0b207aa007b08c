"""The section on the mesh."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from voxtrode.pipeline.mesh_figures import CUT
from voxtrode.pipeline.mesh_warnings import lost_or_joined
from voxtrode.pipeline.report.blocks import Block, Cell, Missing, Section, State, Table
from voxtrode.pipeline.report.mesh_pictures import angles_figure, cut_figure
from voxtrode.pipeline.report.numbers import (
    NONE,
    box,
    is_number,
    number,
    percent,
    quantity,
    square_microns,
)
from voxtrode.pipeline.report.results import Results

type Row = list[Cell | str]


def mesh_section(results: Results) -> Section:
    """What the mesh is like, and how well it keeps the volume."""
    mesh = results.mesh
    if not mesh:
        missing = Missing("No mesh here: run the mesh stage, `voxtrode mesh`.")
        return Section("mesh", "Mesh", [missing])
    rows = [row for rows_of in _ROWS for row in rows_of(mesh)]
    pictures = [cut_figure(results.folder / "mesh" / CUT), angles_figure(mesh)]
    parts = "electrode and separator" if results.study.separator_thickness > 0.0 else "the volume"
    blocks: list[Block] = [Table([], rows, f"The tetrahedral mesh of {parts}.")]
    blocks += [picture for picture in pictures if picture is not None]
    return Section("mesh", "Mesh", [*blocks, _mesh_phases(mesh), _mesh_areas(mesh)])


def _sizes(mesh: Mapping[str, Any]) -> Iterator[Row]:
    yield ["Method", str(mesh.get("method", NONE))]
    yield ["Spacing (z × y × x)", box(mesh.get("spacing_m"), digits=4)]
    if is_number(mesh.get("separator_spacing_m")):
        yield ["Spacing in the separator, z", quantity(mesh["separator_spacing_m"], "µm", 1e6)]
    if layers := mesh.get("separator_layers_m"):
        thinnest, thickest = (quantity(of(layers), "µm", 1e6) for of in (min, max))
        yield ["Separator layers", f"{len(layers)}, {thinnest} to {thickest} thick"]
    yield ["Tetrahedra", number(mesh.get("cells"))]
    yield ["Vertices", number(mesh.get("vertices"))]


def _shapes(mesh: Mapping[str, Any]) -> Iterator[Row]:
    ends = [f"{number(mesh.get(f'{end}_dihedral_deg'))}°" for end in ("min", "max")]
    yield ["Dihedral angles", " to ".join(ends)]
    for limit, count in mesh.get("cells_below_deg", {}).items():
        yield [f"Cells with an angle below {limit}°", number(count)]
    if worst := mesh.get("worst_cell"):
        place = ", ".join(number(1e6 * edge) for edge in worst["position_m"])
        yield [
            "Worst cell",
            f"{number(worst['angle_deg'])}° in {worst['phase']} at z, y, x = {place} µm",
        ]
    mended = mesh.get("mended", {})
    if is_number(mended.get("points_moved")):
        far = quantity(mended.get("largest_move_m"), "µm", 1e6)
        yield ["Points moved for better cells", f"{number(mended['points_moved'])}, at most {far}"]
    yield ["Inverted cells", _none_wanted(mesh.get("inverted"))]
    yield ["Facets of more than two cells", _none_wanted(mesh.get("nonmanifold_facets"))]


def _contents(mesh: Mapping[str, Any]) -> Iterator[Row]:
    errors = mesh.get("particle_volume_error") or {}
    if is_number(errors.get("mean")):
        weighted = percent(errors.get("volume_weighted_rms"), 2)
        yield [
            "Volumes of particles, error",
            f"{percent(errors['mean'], 2)} on average, {weighted} rms by volume",
        ]
    if "untagged_cells" in mesh:
        yield ["Active cells without a particle", _none_wanted(mesh["untagged_cells"])]
    contacts = mesh.get("contacts", {})
    if "smooth" in contacts:
        area = f"{square_microns(contacts.get('area_m2'))} µm²"
        rough = "follow the voxels: no areas to be used"
        yield ["Contacts between particles", area if contacts["smooth"] else rough]
    islands = mesh.get("islands", {})
    if islands.get("smaller_than_voxels"):
        gone = ", ".join(f"{name} {number(n)}" for name, n in islands.get("voxels", {}).items())
        below = islands["smaller_than_voxels"]
        yield [f"Voxels of islands below {below} given to the phase around", gone]


_ROWS: tuple[Callable[[Mapping[str, Any]], Iterator[Row]], ...] = (_sizes, _shapes, _contents)


def _none_wanted(count: Any) -> Cell:
    state: State = "" if count is None else "bad" if count else "good"
    return Cell(number(count), state)


def _mesh_phases(mesh: Mapping[str, Any]) -> Table:
    errors, components = mesh.get("volume_error", {}), mesh.get("components", {})
    image, regions = mesh.get("image_components", {}), mesh.get("regions", {})
    changed = lost_or_joined(mesh)
    fates = ("lost", "joined", "split", "new") if regions else ()
    rows = [
        [
            name,
            percent(errors.get(name), 2),
            number(image.get(name)),
            Cell(number(components.get(name)), "warn" if name in changed else ""),
            *(number(regions.get(name, {}).get(fate)) for fate in fates),
        ]
        for name in dict.fromkeys([*errors, *components])
    ]
    return Table(
        [
            "Phase",
            "Volume error",
            "Regions, image",
            "Regions, mesh",
            *(fate.title() for fate in fates),
        ],
        rows,
        "Volume of each phase on the mesh against the cleaned image, and its face-connected"
        " regions in both: those without a cell (lost), joined where they touched at edges or"
        " corners, split at thin necks, and new ones of a few cells.",
    )


def _mesh_areas(mesh: Mapping[str, Any]) -> Table:
    interfaces = mesh.get("interfaces", {})
    weighted = any("facet_weight_mean" in entry for entry in interfaces.values())
    extra = ("facet_weight_mean", "facet_weight_factor") if weighted else ()
    kinds = ("mesh", "marching_cubes", "voxel_faces")
    rows = []
    for pair, entry in interfaces.items():
        area = entry.get("area_m2", {})
        areas = [square_microns(area.get(kind)) for kind in kinds]
        rows.append([pair.replace("|", " | "), *areas, *(number(entry.get(key)) for key in extra)])
    caption = "Interfaces as the solver integrates them, beside two measures of the image."
    if weighted:
        caption += f" Facet weight: {mesh.get('facet_weight', 'none')}."
    return Table(
        [
            "Interface",
            "Mesh, weighted [µm²]" if weighted else "Mesh [µm²]",
            "Marching cubes [µm²]",
            "Voxel faces [µm²]",
            *(("Mean facet weight", "Factor") if weighted else ()),
        ],
        rows,
        caption,
    )
