"""A folder with one TIFF for each slice."""

import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrode.data.errors import InputError
from voxtrode.data.reading.source import ImageSource, accessible
from voxtrode.data.reading.tiff import open_slice

_SUFFIXES = (".tif", ".tiff")
_OF_THE_SYSTEM = ("thumbs.db", "desktop.ini")
_NAMED = 3  # files named in a message


def open_slices(folder: Path) -> ImageSource:
    """Open a folder of TIFF slices; axis 0 is their natural order (slice2 before slice10).

    The size and type of each slice is compared with the first one's when it is read.

    Raises:
        InputError: The folder holds less than two slices, other files, or gaps in the numbers.
    """
    files = _slices(folder)
    with open_slice(files[0]) as top:
        shape = (len(files), *top.shape[1:])
        dtype, stated = top.dtype, top.stated
        metadata = {**top.metadata, "pages": len(files), "files": len(files), "access": "files"}

    def one(file: Path, rows: slice, columns: slice) -> NDArray[Any]:
        with open_slice(file) as source:
            if (source.shape[1:], source.dtype) != (shape[1:], dtype):
                raise InputError(
                    f"{file} is {_size(source.shape)} of {source.dtype}, but {files[0].name} is"
                    f" {_size(shape)} of {dtype}: expected slices of one size and type"
                )
            layer: NDArray[Any] = source.read(0, 1, rows, columns)[0]
            return layer

    def window(first: int, last: int, rows: slice, columns: slice) -> NDArray[Any]:
        return np.stack([one(file, rows, columns) for file in files[first:last]])

    return ImageSource(folder, shape, dtype, stated, metadata, window)


def natural_order(name: str) -> tuple[tuple[str, ...] | tuple[int, ...] | str, ...]:
    """Key that sorts names by the numbers in them."""
    parts = re.split(r"([0-9]+)", name.lower())
    return tuple(parts[::2]), tuple(int(part) for part in parts[1::2]), name


def _slices(folder: Path) -> list[Path]:
    with accessible(folder):
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    entries = [entry for entry in entries if entry.name.lower() not in _OF_THE_SYSTEM]
    files = [entry for entry in entries if entry.suffix.lower() in _SUFFIXES]
    if len(files) < 2:
        raise InputError(
            f"{folder} is a folder with {len(files)} TIFF slice(s): expected at least two, one"
            " image per file (.tif)"
        )
    if others := sorted({entry.name for entry in entries} - {file.name for file in files}):
        raise InputError(
            f"{folder} holds {_some(others)} besides its {len(files)} TIFF slices: expected slices"
            " only; move the rest away"
        )
    files.sort(key=lambda file: natural_order(file.name))
    _check_numbers(folder, files)
    return files


def _check_numbers(folder: Path, files: list[Path]) -> None:
    """Names with a number must be of one series, which counts up evenly."""
    matches = [re.fullmatch(r"(.*?)([0-9]+)([^0-9]*)", file.stem) for file in files]
    found = [match for match in matches if match is not None]
    series: dict[tuple[str, str], list[Path]] = {}
    for file, match in zip(files, found, strict=False):
        series.setdefault((match[1].lower(), match[3].lower()), []).append(file)
    if len(found) < len(files) or len(series) == len(files):
        return  # what the last number counts is not slices
    if len(series) > 1:
        some = _some([members[0].name for members in series.values()])
        raise InputError(
            f"{folder} holds several series of slices ({some}): expected one; move the others away"
        )
    steps = Counter(int(after[2]) - int(here[2]) for here, after in pairwise(found))
    usual = min(step for step, times in steps.items() if times == max(steps.values()))
    for here, after, file in zip(found, found[1:], files, strict=False):
        if (step := int(after[2]) - int(here[2])) != usual:
            raise InputError(
                f"{folder}: after {file.name} comes {after[0]}{file.suffix}, a step of {step} where"
                f" others have {usual}: slices are missing or doubled; complete or renumber them"
            )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[2]}"


def _some(names: list[str]) -> str:
    text = ", ".join(names[:_NAMED])
    return text + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
