"""Faults of a study that show before anything runs: materials, cut-offs, image, mesh.

The shape of the study file is checked where it is read (`voxtrode.pipeline.study`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.materials import ActiveMaterial, stoichiometry_at
from voxtrode.data.phases import Phase
from voxtrode.data.volume import VolumeHeader
from voxtrode.pipeline.build import (
    build_counter,
    build_phases,
    build_separator,
    capabilities,
    counter_ends,
    windows,
)
from voxtrode.pipeline.build_interfaces import build_contacts, build_junctions, build_reactions
from voxtrode.pipeline.expected_area import counted_area, made_area, unknown_area
from voxtrode.pipeline.stages import state_hash
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_counter import CounterMaterial
from voxtrode.pipeline.study_image import Image
from voxtrode.pipeline.study_protocol import OneStep, Placed, written
from voxtrode.pipeline.study_stops import StopKind

if TYPE_CHECKING:
    from voxtrode.data.reading.labels import LabelledImage

_JUDGED_EARLY = 200_000_000  # voxels; above, missing paths show in the stages
_READ_EARLY = 2_000_000_000  # voxels of the file; above, only layers in the middle are read


@dataclass(frozen=True)
class Inspected:
    """What a volume will be.

    Attributes:
        header: Shape, voxel and phases.
        shares: Volume fraction of each phase.
        area: Area of all interfaces over the volume [1/m], about.
        layers: Layers [first, last) that shares and area are from, where these are not all.
    """

    header: VolumeHeader
    shares: Mapping[str, float]
    area: float
    layers: tuple[int, int] | None = None


def validate(study: Study) -> None:
    """Checks everything but the voxels.

    Raises:
        InputError: The first fault, with the dotted key it stands at.
    """
    phases = build_phases(study)
    build_separator(study)
    build_counter(study)
    build_reactions(study)
    build_contacts(study)
    build_junctions(study)
    _check_capabilities(phases)
    _check_electrodes(study, phases)
    _check_voltages(study, phases)
    if study.initial.checkpoint is not None:
        state_hash(study.initial.checkpoint)
    if "taufactor" in study.transport.methods and find_spec("taufactor") is None:
        raise InputError(
            "transport.methods: TauFactor is not installed; install it with"
            " `pip install 'voxtrode[taufactor]'`, or leave taufactor out"
        )


def inspect_volume(study: Study, simulated: bool, meshed: bool = True) -> Inspected:
    """Checks the volume and says what it will be: shape, voxel size, phases and their shares.

    Labels are read whole, so that a damaged file, a wrong voxel size, a crop outside and labels
    that do not match are found; of more than two thousand million voxels only some layers in the
    middle are (the image stage finds what is wrong elsewhere). A grey image is not segmented (its
    phases count as equal), and a generated volume is not generated.

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
            opened = labelled(source, request)
            if opened.read_voxels > _READ_EARLY:
                return _middle(opened)
            volume = opened.volume()
        if simulated and volume.labels.size <= _JUDGED_EARLY:
            roles = roles_of(study, tuple(volume.phases), volume.labels.shape)
            flags = judge(volume.labels, roles)
            require_paths(volume.labels, roles, flags, volume.phases)
    except InputError as error:
        raise InputError(f"volume.image: {error}") from None
    shares = dict(volume.evidence["label_shares"])
    return Inspected(volume.header, shares, counted_area(volume.labels, volume.voxel))


def _middle(image: "LabelledImage") -> Inspected:
    """Shares and area from a tenth of what is read at most, or one layer of the volume."""
    header = image.header
    count = header.shape[0]
    wanted = max(1, min(count, count * (_READ_EARLY // 10) // image.read_voxels))
    first = (count - wanted) // 2
    labels = image.slab(first, first + wanted)
    found = np.bincount(labels.ravel(), minlength=len(header.phases)) / labels.size
    shares = dict(zip(header.phases, found.tolist(), strict=True))
    return Inspected(header, shares, counted_area(labels, header.voxel), (first, first + wanted))


def _check_capabilities(phases: dict[str, Phase]) -> None:
    if not any(phase.stores for phase in phases.values()):
        raise InputError("phases: no phase stores lithium; give one e.g. {material: nmc622}")
    if not any(phase.conducts_ions for phase in phases.values()):
        raise InputError(
            "phases: no phase conducts ions; give one e.g. {porosity: 0.5, tortuosity: bruggeman}"
        )


def _check_electrodes(study: Study, phases: Mapping[str, Phase]) -> None:
    """Every phase that stores lithium or conducts electrons is in one of two electrodes."""
    if study.negative is None or study.positive is None:
        return
    known = (*study.negative.phases, *study.positive.phases)
    for name, phase in phases.items():
        if name not in known and (phase.stores or phase.conducts_electrons):
            raise InputError(
                f"phases.{name}: stores lithium or conducts electrons, but is in neither"
                " negative.phases nor positive.phases; put it into one of them"
            )
    for key, entry in (("negative", study.negative), ("positive", study.positive)):
        if not any(phases[name].stores for name in entry.phases):
            raise InputError(f"{key}.phases: none of them stores lithium")


def _check_voltages(study: Study, phases: dict[str, Phase]) -> None:
    active = []
    for name, (lower, upper) in windows(study).items():
        material = phases[name].active
        if material is None:
            continue
        if study.negative is not None and name in study.negative.phases:
            ends = {"negative.potentials.0": lower, "negative.potentials.1": upper}
            _check_reach(material, ends)
            continue
        _check_reach(material, {"voltage_window": lower, "voltage_window.1": upper})
        active.append(material)
    charged, discharged = counter_ends(study)
    fixed = charged == discharged  # else the counter electrode's potential moves, too
    checked: set[OneStep] = set()
    for placed in written(study.protocol):
        if placed.step in checked:
            continue
        voltages = [stop.value for stop in placed.step.stops if stop.kind is StopKind.VOLTAGE]
        if fixed:
            asked = [(f"{placed.key}.until", voltage) for voltage in voltages]
            if placed.step.held is not None:
                asked.append((f"{placed.key}.hold", placed.step.held))
            for material, (key, voltage) in product(active, asked):
                _check_reach(material, {key: voltage + charged})
        _check_direction(study, placed, voltages)
        if not checked:
            _check_start(study, placed, voltages, fixed)
        checked.add(placed.step)
    _check_counter(study)


def _check_reach(material: ActiveMaterial, potentials: Mapping[str, float]) -> None:
    for key, potential in potentials.items():
        try:
            stoichiometry_at(material.U, potential)
        except InputError as error:
            raise InputError(f"{key}: {material.name}: {error}") from None


def _check_direction(study: Study, placed: Placed, voltages: Sequence[float]) -> None:
    """Refuse a discharge that ends above the upper cut-off, a charge that ends below the lower."""
    lower, upper = study.voltage_window
    for voltage in voltages:
        if placed.step.direction > 0 and voltage >= upper:
            raise InputError(
                f"{placed.key}.until: a discharge to {voltage:g} V cannot begin at {upper:g} V, the"
                " highest voltage of the study (voltage_window); give a lower voltage"
            )
        if placed.step.direction < 0 and voltage <= lower:
            raise InputError(
                f"{placed.key}.until: a charge to {voltage:g} V cannot begin at {lower:g} V, the"
                " lowest voltage of the study (voltage_window); give a higher voltage"
            )


def _check_start(study: Study, placed: Placed, voltages: Sequence[float], fixed: bool) -> None:
    """Refuse to begin with a charge of a full cell, or a discharge of an empty one.

    A voltage beyond the window at its end says that this is meant. The voltage of a cell at
    SoL 1 is its lower cut-off where the counter electrode's potential is `fixed`.
    """
    lower, upper = study.voltage_window
    sol, direction = study.initial.sol, placed.step.direction
    if sol == 0.0 and direction < 0 and (not voltages or min(voltages) <= upper):
        what, start, first, other = "charge", upper, "discharge", 1
    elif sol == 1.0 and direction > 0 and fixed and (not voltages or max(voltages) >= lower):
        what, start, first, other = "discharge", lower, "charge", 0
    else:
        return
    where = f"{placed.key}.until: a {what}" if voltages else f"{placed.key}: a {what}"
    nearest = min(voltages, default=0.0) if direction < 0 else max(voltages, default=0.0)
    to = f" to {nearest:g} V" if voltages else ""
    raise InputError(
        f"{where}{to} cannot begin at {start:g} V, the open-circuit voltage at the start (SoL"
        f" {sol:g}); {first} first, or say where to start, e.g. initial: {{sol: {other}}}"
    )


def _check_counter(study: Study) -> None:
    given = study.counter
    if isinstance(given, CounterMaterial):
        material = build_counter(study)
        assert isinstance(material, ActiveMaterial)
        charged, discharged = given.potentials
        _check_reach(
            material, {"counter.potentials.0": charged, "counter.potentials.1": discharged}
        )
