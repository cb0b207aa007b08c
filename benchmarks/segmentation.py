"""Wrong voxels after segmentation of known volumes that were blurred and made noisy.

    python benchmarks/segmentation.py [--edge 96] [--blur 0.5,1] [--seed 1] [--bound] [CASE...]

A step between neighbouring classes is three times the noise; the noise is white and comes after the
blur. Cases named `ct...` need the image: `--image FILE`, labels 0 pore, 1 particles, 2 binder.

With --bound, beside it: the same classifier, but trained on the *true* classes of another volume of
the kind, with blur and noise known. What is wrong then is not for want of knowing the shapes.
Prints a table in Markdown; CPU seconds of this process.
"""

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Labels = NDArray[np.uint8]
_CONTRAST_TO_NOISE = 3.0
_BALLS: dict[str, dict[str, Any]] = {
    "balls-14-16": {"diameters": ["28 um", "32 um"], "active_fraction": 0.5},
    "balls-6-8": {"diameters": ["12 um", "14 um", "16 um"], "active_fraction": 0.55},
    "balls-5-18": {"diameters": ["10 um", "36 um"], "active_fraction": 0.6},
    "balls-film": {
        "diameters": ["20 um"],
        "active_fraction": 0.5,
        "binder": {"fraction": 0.1, "form": "mixed"},
    },
}
_CT = {"ct-two": (0, 1, 0), "ct-three": (0, 2, 1)}  # class of each label
CASES = (*_BALLS, *_CT)


@dataclass(frozen=True)
class Settings:
    """What is asked for on the command line."""

    edge: int
    seed: int
    image: Path | None
    bound: bool


def truth(case: str, settings: Settings, other: bool = False) -> Labels:
    """Classes from dark to bright; `other`: of another volume of the kind."""
    return (_packed if case in _BALLS else _cropped)(case, settings, other)


def _packed(case: str, settings: Settings, other: bool) -> Labels:
    from pydantic import TypeAdapter

    from voxtrode.pipeline.study_generate import Generate

    tree = {
        **_BALLS[case],
        "shares": [1.0 / len(_BALLS[case]["diameters"])] * len(_BALLS[case]["diameters"]),
        "size": [f"{settings.edge} um"] * 3,
        "voxel": "1 um",
        "seed": settings.seed + 1000 * other,
    }
    made = TypeAdapter(Generate).validate_python(tree).make()
    return made.labels.max() - made.labels  # particles come first, pores last


def _cropped(case: str, settings: Settings, other: bool) -> Labels:
    import tifffile

    if settings.image is None:
        raise SystemExit(f"{case} needs --image FILE")
    whole = tifffile.imread(settings.image)
    room = np.array(whole.shape) - settings.edge
    start = np.array([0, 0, 0]) if other else room * [0.5, 1.0, 1.0]
    start = np.minimum(start + 10 * (settings.seed - 1) * (1 if other else -1), room).astype(int)
    piece = whole[tuple(slice(at, at + settings.edge) for at in np.maximum(start, 0))]
    return np.array(_CT[case], dtype=np.uint8)[piece]


def scan(labels: Labels, blur: float, seed: int) -> NDArray[np.float32]:
    """Grey values of the classes (0, 1, 2), blurred, with white noise."""
    sharp = ndimage.gaussian_filter(labels.astype(np.float32), blur, mode="nearest")
    noise = np.random.default_rng(seed).standard_normal(labels.shape) / _CONTRAST_TO_NOISE
    return (sharp + noise).astype(np.float32)


def measure(case: str, blur: float, settings: Settings) -> str:
    """A row of the table."""
    from voxtrode.data.segmentation.relaxation import known_model, relax
    from voxtrode.data.segmentation.segment import segment
    from voxtrode.data.segmentation.settings import Segmentation

    known = truth(case, settings)
    classes = int(known.max()) + 1
    grey = scan(known, blur, 100 + settings.seed)
    start = time.process_time()
    names = ("pore", "cbd", "active")[:: 1 if classes == 3 else 2]
    found = segment(grey, Segmentation(names), (1e-6,) * 3)
    seconds = time.process_time() - start
    counts = [np.bincount(one.ravel(), minlength=classes) for one in (found.labels, known)]
    off = np.abs(counts[0] - counts[1]).max() / known.size
    after = {step["step"]: step for step in found.evidence["steps"]}
    cells = [case, f"{blur:g}", _percent(found.labels != known), f"{100.0 * off:.2f}"]
    cells.append(f"{after.get('relaxation', {}).get('blur_voxels', float('nan')):.2f}")
    if settings.bound:
        like = truth(case, settings, other=True)
        levels = [float(level) for level in range(classes)]
        model = known_model(like, levels, blur, 1.0 / _CONTRAST_TO_NOISE, 8)
        cells.append(_percent(relax(found.labels, grey, model) != known))
    return "| " + " | ".join([*cells, f"{seconds:.0f}"]) + " |"


def _percent(wrong: NDArray[np.bool_]) -> str:
    return f"{100.0 * wrong.mean():.2f}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--edge", type=int, default=96)
    parser.add_argument("--blur", default="0.5,1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--bound", action="store_true")
    given = parser.parse_args()
    settings = Settings(given.edge, given.seed, given.image, given.bound)
    names = ["volume", "blur", "wrong %", "fraction off %", "blur found"]
    names += ["true classes %"] * settings.bound + ["CPU s"]
    print("| " + " | ".join(names) + " |\n" + "| --- " * len(names) + "|", flush=True)
    for case in given.cases or [name for name in CASES if settings.image or name in _BALLS]:
        if case not in CASES:
            parser.error(f"{case}: expected one of {', '.join(CASES)}")
        for blur in given.blur.split(","):
            print(measure(case, float(blur), settings), flush=True)


if __name__ == "__main__":
    main()
