"""From the sections of `volume.generate` to volumes."""

from collections.abc import Callable, Mapping

import numpy as np

from voxtrode.data.generation.assemble import assemble
from voxtrode.data.generation.binder import Binder
from voxtrode.data.generation.binder_morphology import Bridges, Film, Mixed, Morphology
from voxtrode.data.generation.composite import Composite
from voxtrode.data.generation.composite_carbon import Carbon, CarbonFibres, CarbonSpheres
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.filling import Filling, Lumped, WithBinder, WithComposite
from voxtrode.data.generation.grains_arrangements import (
    Arrangement,
    DoubleLayer,
    Radial,
    SingleCrystal,
    Voronoi,
)
from voxtrode.data.generation.grains_textures import Texture, in_groups, random_axes, tangential
from voxtrode.data.generation.packing import pack
from voxtrode.data.generation.policies import Contacts, Flattened, Overlapping
from voxtrode.data.generation.populations import SubLayer
from voxtrode.data.generation.request import Calender, PackingRequest
from voxtrode.data.generation.roughness import Rough
from voxtrode.data.generation.secondary import SecondaryParticle, secondary_particle
from voxtrode.data.generation.shape import Ball
from voxtrode.data.volume import Volume
from voxtrode.pipeline import study_filling as section
from voxtrode.pipeline.study_box import Box, Packed
from voxtrode.pipeline.study_generate import GenerateComposite, GenerateLayered, GenerateUniform
from voxtrode.pipeline.study_secondary import GenerateSecondary

_CONTACTS: Mapping[str, Callable[[], Contacts]] = {
    "overlapping": Overlapping,
    "flattened": Flattened,
}


def make_uniform(source: GenerateUniform) -> Volume:
    """Packed particles of one kind.

    Raises:
        InputError: What was asked for cannot be met.
    """
    return _packed(source, _one_layer(source, source.active_fraction), 0.0)


def make_layered(source: GenerateLayered) -> Volume:
    """Packed particles in sub-layers.

    Raises:
        InputError: What was asked for cannot be met.
    """
    groups = _groups(source)
    layers = tuple(
        SubLayer(layer.thickness, fraction, layer.populations(groups, source.seed + 1000 * k))
        for k, (layer, fraction) in enumerate(zip(source.layers, source.fractions, strict=True))
    )
    return _packed(source, layers, source.mixing)


def make_composite(source: GenerateComposite) -> Volume:
    """Active particles, solid electrolyte, carbon and void.

    Raises:
        InputError: What was asked for cannot be met.
    """
    volumes = source.volumes
    layers = _one_layer(source, volumes["active"])
    request = PackingRequest(
        source.size, source.voxel, source.seed, layers, _CONTACTS[source.contacts]()
    )
    packed = pack(request)
    pocket = source.pocket or 0.5 * float(np.min(packed.bodies.diameters))
    settings = Composite(
        volumes["carbon"],
        _CARBON[source.carbon.form](source.carbon),
        volumes["void"],
        pocket if source.void > 0.0 else None,
    )
    return assemble(
        packed,
        source.active_names,
        WithComposite(settings),
        source.seed,
        grains=_grains(source.grains),
    )


def make_secondary(source: GenerateSecondary) -> Volume:
    """One secondary particle in electrolyte.

    Raises:
        InputError: What was asked for cannot be met.
    """
    rough, ball = source.roughness, Ball()
    shape = Rough(ball, rough.amplitude, rough.wavelength, source.seed) if rough else ball
    return secondary_particle(
        SecondaryParticle(
            source.diameter,
            source.voxel,
            source.seed,
            source.margin,
            shape,
            source.section,
            flat=source.flat,
            grains=_grains(source.grains),
            cracks=_cracks(source.cracks),
        )
    )


def _packed(source: Packed, layers: tuple[SubLayer, ...], mixing: float) -> Volume:
    calender = None if source.calender is None else Calender(source.final_fraction)
    request = PackingRequest(
        source.size,
        source.voxel,
        source.seed,
        layers,
        _CONTACTS[source.contacts](),
        calender,
        mixing,
    )
    return assemble(
        pack(request),
        source.active_names,
        _filling(source),
        source.seed,
        _cracks(source.cracks),
        _grains(source.grains),
    )


def _one_layer(source: GenerateUniform | GenerateComposite, fraction: float) -> tuple[SubLayer]:
    populations = source.populations(_groups(source), source.seed)
    return (SubLayer(source.size[0], fraction, populations),)


def _groups(source: Box) -> dict[str, int]:
    return {name: number for number, name in enumerate(source.active_names)}


def _filling(source: Packed) -> Filling:
    if source.binder is None:
        return Lumped()
    morphology = _MORPHOLOGY[source.binder.form](source.binder)
    return WithBinder(Binder(source.binder_fraction, morphology))


def _film(entry: section.Binder) -> Film:
    return Film(entry.coverage, entry.patch)


def _mixed(entry: section.Binder) -> Mixed:
    return Mixed(entry.bridges, _film(entry))


def _bridges(entry: section.Binder) -> Bridges:
    del entry
    return Bridges()


_MORPHOLOGY: Mapping[str, Callable[[section.Binder], Morphology]] = {
    "film": _film,
    "bridges": _bridges,
    "mixed": _mixed,
}

_CARBON: Mapping[str, Callable[..., Carbon]] = {
    "spheres": lambda entry: CarbonSpheres(entry.diameter),
    "fibres": lambda entry: CarbonFibres(entry.diameter, entry.length),
}


def _cracks(entry: section.Cracks | None) -> Cracks | None:
    if entry is None:
        return None
    return Cracks(entry.surface, entry.internal, entry.width, depth=entry.depth, share=entry.share)


def _grains(entry: section.Grains | None) -> Arrangement | None:
    if entry is None:
        return None
    return _ARRANGEMENT[entry.arrangement](entry.size or 0.0, _texture(entry))


def _texture(entry: section.Grains) -> Texture | None:
    if entry.groups is None:
        return None
    return in_groups(tuple(np.linspace(0.0, 90.0, entry.groups).tolist()))


_ARRANGEMENT: Mapping[str, Callable[[float, Texture | None], Arrangement]] = {
    "voronoi": lambda size, texture: Voronoi(size, texture or random_axes),
    "radial": lambda size, texture: Radial(size, c_axis=texture or tangential),
    "double_layer": lambda size, texture: DoubleLayer(
        Radial(size, c_axis=texture or tangential), Voronoi(size, texture or random_axes)
    ),
    "single_crystal": lambda size, texture: SingleCrystal(texture or random_axes),
}
