"""What an image looks like: its size, its voxels, its phases as far as they can be guessed."""

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voxtrode.data.errors import InputError
from voxtrode.data.reading.arrays import RawLayout
from voxtrode.data.reading.formats import open_image
from voxtrode.data.reading.source import ImageSource
from voxtrode.data.reading.survey import Survey, survey
from voxtrode.data.segmentation.suggestion import LOOKED_AT, suggested_thresholds
from voxtrode.pipeline.quantities import to_si

_AGREEMENT = 0.01  # relative, between a voxel size that is given and the file's
_LARGE = 2_000_000_000  # voxels; of larger files every n-th layer is looked at


@dataclass(frozen=True)
class Wanted:
    """What the user says of an image.

    Attributes:
        file: The image.
        voxel: Edge(s) of a voxel as a study writes them, one or three.
        raw: Layout of a raw binary file.
        dataset: Path of the dataset in an HDF5 file.
    """

    file: Path
    voxel: tuple[str, ...] = ()
    raw: RawLayout | None = None
    dataset: str | None = None


@dataclass(frozen=True)
class PhaseGuess:
    """A phase as the study will have it.

    Attributes:
        name: Its name.
        value: Its value in the file; None for a class of grey values.
        share: Its share of the voxels, as text; empty for a class of grey values.
        entry: Its entry under `phases`, as YAML.
        comment: What to check.
    """

    name: str
    value: int | None
    share: str
    entry: str
    comment: str


@dataclass(frozen=True)
class GreyGuess:
    """How grey values may be segmented; numbers as texts.

    Attributes:
        classes: Names from dark to bright.
        thresholds: Grey values between them.
        low, high: The range of grey values.
    """

    classes: tuple[str, ...]
    thresholds: tuple[str, ...]
    low: str
    high: str


@dataclass(frozen=True)
class Look:
    """What an image looks like.

    Attributes:
        file: The image.
        path: The image, from the study's folder.
        name: Of the study.
        shape: Voxels along the axes of the file.
        dtype: Type of the values.
        voxel: Edge lengths of a voxel [m] by axis of the file, None where they are not known.
        voxel_text: Where they come from.
        phases: Guessed.
        segment: Guessed, for grey values.
        every: Of so many layers one was looked at.
        raw, dataset: As the user said.
    """

    file: Path
    path: str
    name: str
    shape: tuple[int, int, int]
    dtype: str
    voxel: tuple[float | None, ...]
    voxel_text: str
    phases: tuple[PhaseGuess, ...]
    segment: GreyGuess | None
    every: int
    raw: RawLayout | None
    dataset: str | None

    @property
    def size(self) -> str:
        """Voxels along the axes of the file, as text."""
        return " x ".join(map(str, self.shape))

    @property
    def whole(self) -> list[list[int]]:
        """The crop that keeps everything."""
        return [[0, count] for count in self.shape]

    @property
    def _known(self) -> list[float]:
        return [edge for edge in self.voxel if edge is not None]

    @property
    def edges(self) -> str | list[str] | None:
        """The voxel size as a study writes it; None where it is not known along every axis."""
        if len(self._known) < 3:
            return None
        texts = [_length(edge) for edge in self._known]
        return texts[0] if len(set(texts)) == 1 else texts

    @property
    def mesh(self) -> str | None:
        """Two voxels, or what fits into the volume, as text; None where the size is not known."""
        if self.edges is None:
            return None
        box = min(n * edge for n, edge in zip(self.shape, self._known, strict=True))
        return _length(min(2.0 * max(self._known), box))

    def lines(self) -> dict[str, str]:
        """What to print, by name."""
        known = {
            "size": f"{self.size} voxels",
            "type": self.dtype,
            "voxel": self.voxel_text,
        }
        if self.every > 1:
            known["looked at"] = f"one layer of {self.every}: the file is large"
        grey = self.segment
        if grey is None:
            shares = {f"  {p.value}": f"{p.share}: {p.name}" for p in self.phases}
            return {**known, "values": f"labels of {len(self.phases)} phases", **shares}
        return {
            **known,
            "values": f"grey, {grey.low} to {grey.high}",
            "classes": f"{', '.join(grey.classes)}, parted at {', '.join(grey.thresholds)}",
        }


def look_at(wanted: Wanted, out: Path) -> Look:
    """Look at an image.

    Args:
        wanted: The image, and what the user says of it.
        out: The study that will be written.

    Raises:
        InputError: The image cannot be read or holds nothing to simulate, or its voxel size is
            another one.
    """
    with open_image(wanted.file, wanted.raw, wanted.dataset) as source:
        voxel, text = _voxel(wanted.voxel, source)
        every = math.ceil(math.prod(source.shape) / _LARGE)
        seen = survey(source, range(0, source.shape[0], every))
        _check_values(wanted.file, seen)
        labels = seen.labels
        segment = None if labels is not None else _grey(source, seen)
        phases = _classes(segment) if segment else _labels(labels or {})
        return Look(
            file=wanted.file,
            path=Path(os.path.relpath(wanted.file, out.absolute().parent)).as_posix(),
            name=re.sub(r"[^A-Za-z0-9._-]+", "-", wanted.file.stem).lstrip("._-") or "study",
            shape=source.shape,
            dtype=str(source.dtype),
            voxel=voxel,
            voxel_text=text,
            phases=phases,
            segment=segment,
            every=every,
            raw=wanted.raw,
            dataset=wanted.dataset,
        )


def _voxel(given: tuple[str, ...], source: ImageSource) -> tuple[tuple[float | None, ...], str]:
    stated = source.stated
    if given:
        lengths = [to_si(text, "m", "length", "398 nm") for text in given]
        edges = lengths * (3 // len(lengths))
        for axis, (length, where) in stated.items():
            if abs(length - edges[axis]) > _AGREEMENT * length:
                raise InputError(
                    f"--voxel-size is {_length(edges[axis])} along axis {axis}, but {source.file}"
                    f" says {_length(length)} ({where}): correct it, or the file's metadata"
                )
        return tuple(edges), "voxel size as given"
    voxel = tuple(stated[axis][0] if axis in stated else None for axis in range(3))
    if not stated:
        return voxel, "the file states no voxel size"
    told = "; ".join(
        f"axis {axis}: {_length(length)} ({where})" for axis, (length, where) in stated.items()
    )
    missing = ", ".join(str(axis) for axis in range(3) if axis not in stated)
    return voxel, f"the file says {told}" + (f"; axis {missing}: nothing" if missing else "")


def _check_values(file: Path, seen: Survey) -> None:
    if strange := seen.nan + seen.infinite:
        raise InputError(
            f"{file}: {strange:,} of {seen.voxels:,} values are not finite (NaN or infinite):"
            " replace or crop them first"
        )
    if seen.minimum == seen.maximum:
        raise InputError(
            f"{file}: all values are {seen.minimum:g}: expected labels of at least two phases, or"
            " grey values"
        )


def _grey(source: ImageSource, seen: Survey) -> GreyGuess:
    starts = [max((count - LOOKED_AT) // 2, 0) for count in source.shape]
    ends = [min(a + LOOKED_AT, n) for a, n in zip(starts, source.shape, strict=True)]
    middle = source.read(starts[0], ends[0], slice(starts[1], ends[1]), slice(starts[2], ends[2]))
    found = suggested_thresholds(np.asarray(middle))
    classes = ("pore", "active") if len(found) == 1 else ("pore", "cbd", "active")
    return GreyGuess(
        classes,
        tuple(f"{value:.6g}" for value in found),
        f"{seen.minimum:.6g}",
        f"{seen.maximum:.6g}",
    )


_PORE = ("{porosity: 1.0, tortuosity: 1.0}", "pores full of electrolyte?")
_ACTIVE = ("{material: nmc811}", "the active material? Take yours: `voxtrode list`")
_BINDER = ("{material: cbd}", "carbon and binder? A void or an insulator: {inert: true}")


def _classes(grey: GreyGuess) -> tuple[PhaseGuess, ...]:
    kinds = {"pore": _PORE, "cbd": _BINDER, "active": _ACTIVE}
    return tuple(PhaseGuess(name, None, "", *kinds[name]) for name in grey.classes)


def _labels(shares: Mapping[int, float]) -> tuple[PhaseGuess, ...]:
    """Pores are the label 0, or the least; the active material is the largest of the others."""
    pore = 0 if 0 in shares else min(shares)
    active = max((value for value in shares if value != pore), key=lambda value: shares[value])
    guesses = []
    for index, (value, share) in enumerate(sorted(shares.items())):
        name, kind = f"phase{index}", _BINDER
        if value == pore:
            name, kind = "pore", _PORE
        elif value == active:
            kind = _ACTIVE
        guesses.append(PhaseGuess(name, value, f"{100.0 * share:.2f} %", *kind))
    return tuple(guesses)


_UNITS: tuple[tuple[float, str], ...] = ((1e-3, "mm"), (1e-6, "um"), (1e-9, "nm"))


def _length(metres: float) -> str:
    """A length with a unit that suits it, to nine digits."""
    size, unit = next((entry for entry in _UNITS if metres >= entry[0]), _UNITS[-1])
    return f"{metres / size:.9g} {unit}"
