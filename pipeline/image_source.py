"""The volume that a study's `volume.image` section asks for: of labels, or of a segmented image."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from voxtrode.data.reading.arrays import RawLayout
from voxtrode.data.reading.formats import open_image
from voxtrode.data.reading.geometry import geometry_of
from voxtrode.data.reading.labels import labelled
from voxtrode.data.reading.request import ImageRequest, Padding, PaddingMode
from voxtrode.data.reading.source import array_source
from voxtrode.data.segmentation.denoising import Denoising, Median, NoDenoise, NonLocalMeans
from voxtrode.data.segmentation.segment import Segmented, segment
from voxtrode.data.segmentation.settings import Segmentation
from voxtrode.data.volume import Volume
from voxtrode.pipeline import study_image
from voxtrode.pipeline.study_image import Denoise, Image, Segment


@dataclass(frozen=True, eq=False)
class Imaged:
    """A volume from an image.

    Attributes:
        volume: Without particles.
        segmented: How the grey values were segmented, where they were.
    """

    volume: Volume
    segmented: Segmented | None = None


def request_of(image: Image) -> ImageRequest:
    """What is asked of the file; a grey image's classes are its labels, numbered from 0."""
    classes = image.segment.classes if image.segment is not None else ()
    raw = image.raw
    return ImageRequest(
        file=image.file,
        voxel_size=image.voxel_size,
        labels=image.label_values or {name: (k,) for k, name in enumerate(classes)},
        thickness_axis=image.thickness_axis,
        collector=image.collector,
        crop=image.crop,
        padding=_padding(image.padding),
        downsample=image.downsample,
        raw=RawLayout(raw.shape, raw.dtype, raw.byte_order, raw.offset) if raw else None,
        dataset=image.dataset,
    )


def _padding(entry: study_image.Padding | None) -> Padding | None:
    if entry is None:
        return None
    return Padding(PaddingMode[entry.mode.upper()], entry.y, entry.x)


def read_volume(image: Image, told: Callable[[float], None]) -> Imaged:
    """Read, and where need be segment, the image.

    Args:
        image: What is asked for.
        told: Called with the share of the labels that is read, now and then.

    Raises:
        InputError: The file cannot be used as the study says.
    """
    request = request_of(image)
    with open_image(request.file, request.raw, request.dataset) as source:
        if image.segment is None:
            return Imaged(labelled(source, request).volume(told))
        geometry = geometry_of(request, source)
        (first, last), rows, columns = geometry.crop
        grey = source.read(first, last, slice(*rows), slice(*columns))
        segmented = segment(grey, segmentation_of(image.segment), geometry.edges)
        labels = array_source(segmented.labels, image.file, source.stated, source.metadata)
    volume = labelled(labels, replace(request, crop=None)).volume()
    evidence = {
        **volume.evidence,
        "image_shape": list(source.shape),
        "image_dtype": str(source.dtype),
        "crop": [list(pair) for pair in geometry.crop],
        "segmentation": segmented.evidence,
    }
    return Imaged(replace(volume, evidence=evidence), segmented)


def segmentation_of(entry: Segment) -> Segmentation:
    """The settings of a segmentation."""
    return Segmentation(
        entry.classes,
        _denoise(entry.denoise),
        entry.thresholds,
        entry.watershed,
        entry.specks,
        entry.vary,
        entry.relax,
    )


def _denoise(entry: Denoise | str) -> Denoising:
    if not isinstance(entry, Denoise):
        return NoDenoise()
    if entry.median is not None:
        return Median(entry.median)
    assert entry.nlm is not None
    return NonLocalMeans(entry.nlm)
