"""`voxtrode new`: a commented study for an image."""

import json
import re
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from voxtrode.data.errors import InputError
from voxtrode.pipeline.image_look import Look
from voxtrode.pipeline.quantities import length

TEMPLATE = "new_study.yaml.j2"
BLANK = "FILL_IN"
"""Stands where only the user knows: no quantity, so that the study is refused and says where."""


def study_text(look: Look) -> str:
    """The study as commented YAML."""
    environment = Environment(
        loader=PackageLoader("voxtrode.pipeline", "templates"),
        autoescape=False,  # it is no HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["yaml"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment.get_template(TEMPLATE).render(look=look, blank=BLANK)


def write_new(text: str, out: Path) -> None:
    """Write a study where there is none.

    Raises:
        InputError: There is a file already, or the folder cannot be written to.
    """
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse_existing(out)
        raise
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}") from None


def refuse_existing(out: Path) -> None:
    """Raise before long work what `write_new` would raise after it.

    Raises:
        InputError: There is a file already.
    """
    if out.exists():
        raise InputError(f"{out} exists and is kept: give another name with --out")


def parse_lengths(text: str) -> tuple[str, ...]:
    """One or three lengths out of "398 nm" or "1 um, 0.5 um, 0.5 um".

    Raises:
        InputError: They are no one or three lengths.
    """
    parts = tuple(part.strip() for part in text.split(","))
    try:
        lengths = [length(part) for part in parts]
    except ValueError as error:
        raise InputError(f"--voxel-size: {error}") from None
    if len(parts) not in (1, 3) or min(lengths) <= 0.0:
        raise InputError(
            f'--voxel-size "{text}": expected one or three positive lengths such as "398 nm" or'
            ' "1 um, 0.5 um, 0.5 um"'
        )
    return parts


def parse_shape(text: str) -> tuple[int, int, int]:
    """Three whole numbers out of "100,200,200".

    Raises:
        InputError: They are not.
    """
    parts = re.fullmatch(r"\s*(\d+)\s*[,x]\s*(\d+)\s*[,x]\s*(\d+)\s*", text)
    if parts is None:
        raise InputError(
            f'--raw-shape "{text}": expected the voxels along the three axes, the slowest first,'
            " e.g. 100,200,200"
        )
    return int(parts[1]), int(parts[2]), int(parts[3])
