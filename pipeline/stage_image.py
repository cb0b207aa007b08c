"""The image stage: a study's volume is generated or read, judged, measured and drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from voxtrode.data.agreement import agreement
from voxtrode.data.characterisation.summary import characterise
from voxtrode.data.connectivity import Roles, judge
from voxtrode.data.errors import InputError
from voxtrode.data.morphology import particle_numbers, phase_numbers
from voxtrode.data.particle_table import ParticleTable, particle_table, write_particles
from voxtrode.data.partition import partition
from voxtrode.data.segmentation.segment import Segmented
from voxtrode.data.volume import Volume, write_volume
from voxtrode.pipeline.build import capabilities
from voxtrode.pipeline.image_figures.draw import draw_figures
from voxtrode.pipeline.image_figures.segmentation_figure import segmentation_figure
from voxtrode.pipeline.image_source import read_volume
from voxtrode.pipeline.progress import Reporter, Task
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study

_STEPS = 8.0


@dataclass(frozen=True, eq=False)
class Built:
    """The volume of a study.

    Attributes:
        volume: With its particles.
        segmented: How a grey image was segmented.
    """

    volume: Volume
    segmented: Segmented | None = None


def run(context: StageContext) -> None:
    """Write `image/`: volume.tif, particles.tif, image.json, particles.csv and pictures.

    A path that does not exist is a result here; the simulation refuses it
    (`voxtrode.data.connectivity.require_paths`).
    """
    if context.comm.rank != 0:
        return
    folder = context.staging / "image"
    study, log = context.study, context.log
    with log.task("image", total=_STEPS) as task:
        task.update(0.0, "volume")
        built = build_volume(study, task)
        volume = built.volume
        roles = roles_of(study, volume.phases, volume.labels.shape)
        task.update(3.0, "connectivity")
        flags = judge(volume.labels, roles)
        phases = phase_numbers(volume, roles, flags)
        task.update(4.0, "particles")
        table = particle_table(volume, flags, volume.made_diameters)
        write_volume(volume, folder)
        write_particles(table, volume.phases, folder / "particles.csv")
        task.update(5.0, "sizes, surfaces and lines")
        unions = unions_of(study)
        numbers = characterise(volume.labels, volume.phases, volume.voxel, volume.particles, unions)
        image = {
            "shape": volume.header.shape,
            "voxel_size_m": volume.voxel,
            "size_m": volume.header.size,
            "phases": phases,
            "particles": particle_numbers(table, walls=study.volume.generate is not None),
            **numbers,
            "evidence": {"volume": volume.evidence, **numbers["evidence"]},
        }
        write_json(folder / "image.json", image)
        task.update(7.0, "pictures")
        drawn = draw_figures(folder, volume.header, image, capabilities(study), study.collectors)
        if built.segmented is not None:
            segmentation_figure(built.segmented, folder / "segmentation.png")
    for warning in drawn.warnings:
        log.warning(warning)
    _say(log, volume, table)


def build_volume(study: Study, task: Task) -> Built:
    """The study's volume with its particles.

    Raises:
        InputError: The source is at fault, or a phase has no voxels.
    """
    source = study.volume
    if source.generate is not None:
        made = source.generate.make()
        task.update(2.0, "particles found again")
        evidence = {**made.evidence, "watershed": _found_again(study, made)}
        built = Built(replace(made, evidence={"kind": source.generate.kind, **evidence}))
    elif source.image is not None:
        imaged = read_volume(source.image, lambda share: task.update(2.0 * share, "reading"))
        task.update(2.0, "particles")
        built = Built(_with_particles(study, imaged.volume), imaged.segmented)
    else:
        raise InputError("volume: expected generate or image")
    _check_phases(built.volume, source.phase_names)
    return built


def roles_of(study: Study, phases: tuple[str, ...], shape: tuple[int, ...] = ()) -> Roles:
    """What each label of a volume can do.

    Args:
        study: The study.
        phases: Name of each label.
        shape: Voxels along z, y, x: a stirred electrolyte does not reach in along an axis of one
            voxel, along which a flat volume was extruded.
    """
    able = capabilities(study)

    def labels(capability: str) -> tuple[int, ...]:
        return tuple(value for value, name in enumerate(phases) if able[name][capability])

    far = tuple(value for value, name in enumerate(phases) if name in study.far)
    bath: tuple[int, ...] = ()
    everywhere = False
    if study.surroundings is not None:
        bath = tuple(axis for axis, count in enumerate(shape) if count > 1)
        everywhere = study.surroundings.stirred.everywhere
    return Roles(labels("stores"), labels("electrons"), labels("ions"), far, bath, everywhere)


def unions_of(study: Study) -> dict[str, tuple[str, ...]]:
    """Phases that carry one species together, by its name; only where there are several."""
    able = capabilities(study)
    carriers = {
        species: tuple(name for name, can in able.items() if can[species])
        for species in ("electrons", "ions")
    }
    return {species: names for species, names in carriers.items() if len(names) > 1}


def _with_particles(study: Study, volume: Volume) -> Volume:
    active = roles_of(study, volume.phases).active
    settings = study.volume.particles.build()
    particles, method = partition(volume.labels, active, volume.voxel, settings)
    evidence = {**volume.evidence, "particles": method}
    return replace(volume, particles=particles, evidence=evidence)


def _found_again(study: Study, volume: Volume) -> Mapping[str, Any]:
    """How well the watershed finds the particles that a volume was made of."""
    active = roles_of(study, volume.phases).active
    settings = study.volume.particles.build()
    found, method = partition(volume.labels, active, volume.voxel, settings)
    return {**method, **agreement(volume.particles, found)}


def _check_phases(volume: Volume, expected: tuple[str, ...]) -> None:
    counts = np.bincount(volume.labels.ravel(), minlength=len(volume.phases))
    present = {name for name, count in zip(volume.phases, counts, strict=True) if count}
    for name in expected:
        if name not in present:
            raise InputError(f"volume: the phase '{name}' has no voxels; leave it out of the study")


def _say(log: Reporter, volume: Volume, table: ParticleTable) -> None:
    voxels = " x ".join(str(count) for count in volume.labels.shape)
    log.info(f"image: {voxels} voxels, {len(volume.phases)} phases, {len(table)} particles")
    if dead := int(table.dead.sum()):
        log.warning(
            f"{dead} of {len(table)} particles are dead (no path to the collector, or not wetted)"
        )
