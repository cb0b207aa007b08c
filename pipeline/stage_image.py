"""The image stage: a study's volume is generated or read, judged and measured."""

from dataclasses import replace

import numpy as np

from voxtrode.data.connectivity import Roles, judge
from voxtrode.data.errors import InputError
from voxtrode.data.generate import spheres
from voxtrode.data.image import read_image
from voxtrode.data.interfaces import interface_areas
from voxtrode.data.morphology import (
    ParticleTable,
    particle_numbers,
    particle_table,
    phase_numbers,
    write_particles,
)
from voxtrode.data.partition import partition
from voxtrode.data.volume import Volume, write_volume
from voxtrode.pipeline.build import capabilities
from voxtrode.pipeline.progress import Reporter
from voxtrode.pipeline.records import write_json
from voxtrode.pipeline.stages import StageContext
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_volume import Generate, Image


def run(context: StageContext) -> None:
    """Write `image/`: volume.tif, particles.tif, image.json and particles.csv.

    A path that does not exist is a result here; the simulation refuses it
    (`voxtrode.data.connectivity.require_paths`).
    """
    if context.comm.rank != 0:
        return
    folder = context.staging / "image"
    with context.log.task("image", total=5.0) as task:
        volume = build_volume(context.study)
        roles = roles_of(context.study, volume.phases)
        task.update(2.0, "connectivity")
        flags = judge(volume.labels, roles)
        phases = phase_numbers(volume, roles, flags)
        task.update(3.0, "surfaces")
        areas, surfaces = interface_areas(volume.labels, volume.phases, volume.voxel)
        task.update(4.0, "particles")
        table = particle_table(volume, flags)
        write_volume(volume, folder)
        write_particles(table, volume.phases, folder / "particles.csv")
        write_json(
            folder / "image.json",
            {
                "shape": volume.header.shape,
                "voxel_size_m": volume.voxel,
                "size_m": volume.header.size,
                "phases": phases,
                "interfaces": areas,
                "particles": particle_numbers(table),
                "evidence": {"volume": volume.evidence, "surfaces": surfaces},
            },
        )
    _say(context.log, volume, table)


def build_volume(study: Study) -> Volume:
    """The study's volume with its particles.

    Raises:
        InputError: The source is at fault, or a phase has no voxels.
    """
    source = study.volume
    if source.generate is not None:
        volume = _generated(source.generate)
    elif source.image is not None:
        volume = _imaged(source.image, study)
    else:
        raise InputError("volume: expected generate or image")
    counts = np.bincount(volume.labels.ravel(), minlength=len(volume.phases))
    for name, count in zip(volume.phases, counts, strict=True):
        if count == 0:
            raise InputError(f"volume: the phase '{name}' has no voxels; leave it out of the study")
    return volume


def roles_of(study: Study, phases: tuple[str, ...]) -> Roles:
    """What each label of a volume can do.

    Args:
        study: The study.
        phases: Name of each label.
    """
    able = capabilities(study)

    def labels(capability: str) -> tuple[int, ...]:
        return tuple(value for value, name in enumerate(phases) if able[name][capability])

    return Roles(labels("stores"), labels("electrons"), labels("ions"))


def _generated(source: Generate) -> Volume:
    return spheres(source.diameters, source.active_fraction, source.size, source.voxel, source.seed)


def _imaged(source: Image, study: Study) -> Volume:
    volume = read_image(
        source.file,
        source.voxel_size,
        source.labels,
        source.thickness_axis,
        source.collector,
        source.crop,
    )
    active = roles_of(study, volume.phases).active
    particles, method = partition(volume.labels, active, volume.voxel)
    evidence = {**volume.evidence, "particles": method}
    return replace(volume, particles=particles, evidence=evidence)


def _say(log: Reporter, volume: Volume, table: ParticleTable) -> None:
    voxels = " x ".join(str(count) for count in volume.labels.shape)
    log.info(f"image: {voxels} voxels, {len(volume.phases)} phases, {len(table)} particles")
    if dead := int(table.dead.sum()):
        log.warning(
            f"{dead} of {len(table)} particles are dead (no path to the collector, or not wetted)"
        )
