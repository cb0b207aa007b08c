"""Faults of a study that show before anything runs: materials, cut-offs, image, mesh.

The shape of the study file is checked where it is read (`voxtrode.pipeline.study`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voxtrode.data.errors import InputError
from voxtrode.data.materials import stoichiometry_at
from voxtrode.data.phases import Phase
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.build import build_counter, build_phases, build_separator, capabilities
from voxtrode.pipeline.expected_area import counted_area, made_area, unknown_area
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_image import Image
from voxtrode.pipeline.study_protocol import StopKind

_JUDGED_EARLY = 200_000_000  # voxels; above, missing paths show in the stages


@dataclass(frozen=True)
class Inspected:
    """What a volume will be.

    Attributes:
        header: Shape, voxel and phases.
        shares: Volume fraction of each phase.
        area: Area of all interfaces over the volume [1/m], about.
    """

    header: VolumeHeader
    shares: Mapping[str, float]
    area: float


def validate(study: Study) -> None:
    """Checks everything but the voxels.

    Raises:
        InputError: The first fault, with the dotted key it stands at.
    """
    phases = build_phases(study)
    build_separator(study)
    build_counter(study)
    _check_capabilities(phases)
    _check_voltages(study, phases)


def inspect_volume(study: Study, simulated: bool, meshed: bool = True) -> Inspected:
    """Checks the volume and says what it will be: shape, voxel size, phases and their shares.

    Labels are read whole, so that a damaged file, a wrong voxel size, a crop outside and labels
    that do not match are found; a grey image is not segmented (its phases count as equal), and a
    generated volume is not generated.

    Args:
        study: The study.
        simulated: The study goes as far as a simulation, which needs paths for ions and electrons.
        meshed: It goes as far as a mesh, which cannot be coarser than the volume.

    Raises:
        InputError: A fault in the image, or a mesh coarser than the volume.
    """
    generate, image = study.volume.generate, study.volume.image
    active = [name for name, able in capabilities(study).items() if able["stores"]]
    if image is not None:
        found = _inspect_image(study, image, simulated, active)
    else:
        assert generate is not None
        edges = (generate.voxel, generate.voxel, generate.voxel)
        header = VolumeHeader(generate.shape, edges, generate.phase_names)
        shares = generate.expected_shares
        found = Inspected(header, shares, made_area(generate, shares, active))
    if meshed and study.mesh.size > min(found.header.size):
        raise InputError(
            f"mesh.size: {study.mesh.size:g} m is larger than the volume"
            f" ({' x '.join(f'{size:g}' for size in found.header.size)} m); choose a smaller size"
        )
    return found


def _inspect_image(study: Study, image: Image, simulated: bool, active: Sequence[str]) -> Inspected:
    from voxtrode.data.connectivity import judge, require_paths  # slow to import
    from voxtrode.data.reading.formats import open_image
    from voxtrode.data.reading.geometry import geometry_of
    from voxtrode.data.reading.labels import labelled
    from voxtrode.pipeline.image_source import request_of
    from voxtrode.pipeline.stage_image import roles_of

    request = request_of(image)
    try:
        with open_image(request.file, request.raw, request.dataset) as source:
            if image.segment is not None:
                geometry = geometry_of(request, source)
                names = image.phase_names
                header = VolumeHeader(geometry.shape, geometry.voxel, names)
                shares = dict.fromkeys(names, 1.0 / len(names))
                area = unknown_area(max(header.voxel), len(active) / len(names))
                return Inspected(header, shares, area)
            volume = labelled(source, request).volume()
        if simulated and volume.labels.size <= _JUDGED_EARLY:
            roles = roles_of(study, volume.phases, volume.labels.shape)
            flags = judge(volume.labels, roles)
            require_paths(volume.labels, roles, flags, volume.phases)
    except InputError as error:
        raise InputError(f"volume.image: {error}") from None
    shares = dict(volume.evidence["label_shares"])
    return Inspected(volume.header, shares, counted_area(volume.labels, volume.voxel))


def _check_capabilities(phases: dict[str, Phase]) -> None:
    if not any(phase.stores for phase in phases.values()):
        raise InputError("phases: no phase stores lithium; give one e.g. {material: nmc622}")
    if not any(phase.conducts_ions for phase in phases.values()):
        raise InputError(
            "phases: no phase conducts ions; give one e.g. {porosity: 0.5, tortuosity: bruggeman}"
        )


def _check_voltages(study: Study, phases: dict[str, Phase]) -> None:
    lower, upper = study.voltage_window
    ends = {
        f"protocol.{number}.until": stop.value
        for number, step in enumerate(study.protocol)
        for stop in step.stops
        if stop.kind is StopKind.VOLTAGE
    }
    for phase in phases.values():
        if phase.active is None:
            continue
        for key, voltage in {"voltage_window": lower, "voltage_window.1": upper, **ends}.items():
            try:
                stoichiometry_at(phase.active.U, voltage)
            except InputError as error:
                raise InputError(f"{key}: {phase.active.name}: {error}") from None
    for key, voltage in ends.items():
        if voltage >= upper:
            raise InputError(
                f"{key}: a discharge to {voltage:g} V cannot begin at {upper:g} V, the"
                " open-circuit voltage at the start (voltage_window); give a lower voltage"
            )
