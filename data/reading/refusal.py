"""Why an image's values cannot be the labels that a study lists."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from voxtrode.data.errors import InputError
from voxtrode.data.reading.boxes import Range
from voxtrode.data.reading.lookup import Lookup
from voxtrode.data.reading.source import ImageSource
from voxtrode.data.reading.survey import MOST_LABELS, Survey, survey

_LISTED = 8  # labels named in a message


def refusal(
    source: ImageSource, ranges: Sequence[Range], region: str, lookup: Lookup, complete: bool
) -> InputError:
    """Look at a part of an image again and say what is wrong with its values.

    Args:
        source: The open image.
        ranges: Voxels looked at, [first, last) by axis of the file.
        region: What to call them.
        lookup: The listed values.
        complete: Each listed value must occur.

    Returns:
        The error to raise.
    """
    layers, rows, columns = (slice(*pair) for pair in ranges)
    most = len(lookup.values) + MOST_LABELS
    seen = survey(source, range(layers.start, layers.stop), rows, columns, most)
    if seen.nan or seen.infinite:
        return InputError(
            f"{source.file} holds {seen.nan} NaN and {seen.infinite} infinite values in the"
            f" {region}: expected a number in each voxel; fill them or crop them away"
        )
    shares = seen.labels
    listed = set(lookup.values)
    if shares is None or sum(value not in listed for value in shares) > MOST_LABELS:
        return _grey(source.file, region, seen)
    unlisted = {value: share for value, share in shares.items() if value not in listed}
    named = zip(lookup.values, lookup.names, strict=True)
    absent = [(value, name) for value, name in named if value not in shares]
    if complete and absent:
        value, name = absent[0]
        return InputError(
            f"label {value} ('{name}') does not occur in the {region} of {source.file}, which holds"
            f" {_listing(shares)}: correct labels or the crop"
        )
    return InputError(
        f"the {region} of {source.file} holds labels that are not listed: {_listing(unlisted)};"
        " name them in volume.image.labels"
    )


def _grey(file: Path, region: str, seen: Survey) -> InputError:
    return InputError(
        f"{file} holds values from {seen.minimum:g} to {seen.maximum:g} in the {region} that are"
        f" fractions or more than {MOST_LABELS} different ones: that is a greyscale image; add"
        f" volume.image.segment (or run `voxtrode new {file.name}`)"
    )


def _listing(shares: Mapping[int, float]) -> str:
    largest = sorted(shares, key=lambda value: -shares[value])[:_LISTED]
    text = ", ".join(f"{value} ({shares[value]:.2%})" for value in sorted(largest))
    return text + (f" and {len(shares) - _LISTED} more" if len(shares) > _LISTED else "")
