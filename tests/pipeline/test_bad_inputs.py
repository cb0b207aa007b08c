"""Bad input: one fault in an otherwise good study, through the command line.

Each ends with status 2 and one line on standard error that names the fault; no traceback; results
of an earlier good run are there to the byte.
"""

import shutil
import subprocess
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import yaml

type Tree = dict[str, Any]
type Command = Callable[..., subprocess.CompletedProcess[str]]

IMAGE: Tree = {
    "name": "good",
    "volume": {
        "image": {
            "file": "image.tif",
            "voxel_size": "1 um",
            "labels": {"pore": 0, "nmc": 1, "cbd": 2},
        }
    },
    "phases": {"nmc": {"material": "nmc811"}, "cbd": {"material": "cbd"}},
    "separator": {"thickness": "5 um", "porosity": 0.5, "tortuosity": 1.5},
    "protocol": [{"discharge": "1C", "until": ["3.0 V", "1 % DoD"]}],
    "mesh": {"size": "2 um"},
}
SPHERES: Tree = {
    **IMAGE,
    "volume": {
        "generate": {
            "diameters": ["8 um"],
            "active_fraction": 0.4,
            "size": ["16 um", "16 um", "16 um"],
            "voxel": "1 um",
        }
    },
    "phases": {
        "active": {"material": "nmc811"},
        "nsd": {"porosity": 0.5, "tortuosity": 1.5, "conductivity": "10 S/m"},
    },
}
REMOVED = object()


def good_labels() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """16 x 16 x 16 voxels: pore, NMC and CBD side by side, each from collector to separator."""
    labels = np.zeros((16, 16, 16), dtype=np.uint8)
    labels[:, :, 5:12] = 1
    labels[:, :, 12:] = 2
    return labels


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        name: What is wrong.
        says: What the line on standard error must contain.
        key: Dotted key to change in the study; empty: none.
        value: Its new value; `REMOVED` removes it.
        base: The good study.
        spoil: Changes the folder of the study, where `study.yaml` and `image.tif` lie.
        arguments: Further arguments of `voxtrode run`.
    """

    name: str
    says: str
    key: str = ""
    value: object = REMOVED
    base: Tree = field(default_factory=lambda: IMAGE)
    spoil: Callable[[Path], None] = lambda folder: None
    arguments: tuple[str, ...] = ()

    @property
    def study(self) -> Tree:
        """The study with its fault."""
        tree = deepcopy(self.base)
        if self.key:
            *path, last = (int(part) if part.isdigit() else part for part in self.key.split("."))
            node: Any = tree
            for part in path:
                node = node[part]
            if self.value is REMOVED:
                del node[last]
            else:
                node[last] = self.value
        return tree


def no_pore_at_the_separator(folder: Path) -> None:
    """Closes the counter face with NMC."""
    labels = good_labels()
    labels[15] = 1
    tifffile.imwrite(folder / "image.tif", labels)


def another_label(folder: Path) -> None:
    """One voxel of a label that the study does not name."""
    labels = good_labels()
    labels[3, 3, 3] = 7
    tifffile.imwrite(folder / "image.tif", labels)


def no_active_paths(folder: Path) -> None:
    """Cuts NMC and CBD off the collector."""
    labels = good_labels()
    labels[0] = 0
    tifffile.imwrite(folder / "image.tif", labels)


def another_voxel_size(folder: Path) -> None:
    """An ImageJ file that says 0.5 µm."""
    metadata = {"unit": "um", "spacing": 0.5}
    options: Tree = {"imagej": True, "resolution": (2.0, 2.0), "metadata": metadata}
    tifffile.imwrite(folder / "image.tif", good_labels(), **options)


def truncate(folder: Path) -> None:
    """Half of the file."""
    content = (folder / "image.tif").read_bytes()
    (folder / "image.tif").write_bytes(content[: len(content) // 2])


def greyscale(folder: Path) -> None:
    """Grey values in place of labels."""
    values = np.arange(16**3).reshape(16, 16, 16) % 251
    tifffile.imwrite(folder / "image.tif", values.astype(np.uint8))


def spoil_yaml(folder: Path) -> None:
    """An open bracket."""
    with (folder / "study.yaml").open("a", encoding="utf-8") as stream:
        stream.write("electrolyte: [\n")


def remove(name: str) -> Callable[[Path], None]:
    """Removes a file."""
    return lambda folder: (folder / name).unlink()


FAULTS = [
    Fault("no study file", "no study file", spoil=remove("study.yaml")),
    Fault("no YAML", "is no YAML in line", spoil=spoil_yaml),
    Fault("unknown key", 'mesh.siez: unknown key; did you mean "size"?', "mesh.siez", 1e-6),
    Fault("missing section", "separator: is missing", "separator"),
    Fault("wrong unit", 'mesh.size: "2 V" is no length', "mesh.size", "2 V"),
    Fault("unknown unit", '"parsecz" is not known', "mesh.size", "2 parsecz"),
    Fault(
        "negative length",
        "separator.thickness: expected a number of at least 0.0, got '-5 um'",
        "separator.thickness",
        "-5 um",
    ),
    Fault("zero length", "mesh.size: 0 is not positive", "mesh.size", 0),
    Fault("porosity above 1", "separator.porosity: expected", "separator.porosity", 1.3),
    Fault("tortuosity below 1", "separator.tortuosity: 0.7", "separator.tortuosity", 0.7),
    Fault("no source of the volume", "volume: expected exactly one", "volume", {}),
    Fault("no such mesher", "mesh.method: expected one of smooth, voxel", "mesh.method", "fine"),
    Fault("too coarse", "mesh.coarsening: expected a number of at most 3", "mesh.coarsening", 4),
    Fault("islands below 0", "mesh.islands: expected a number of at least 0", "mesh.islands", -1),
    Fault(
        "a key of the other mesher",
        "mesh.contacts: only the smooth mesher has this key",
        "mesh",
        {"size": "1 um", "method": "voxel", "contacts": True},
    ),
    Fault("unknown material", "nmc811x", "phases.nmc.material", "nmc811x"),
    Fault(
        "an electrolyte as a material",
        "phases.nmc.material",
        "phases.nmc.material",
        "lipf6-ec-emc-nyman2008",
    ),
    Fault("unknown electrolyte", "electrolyte: ", "electrolyte", "lipf6-nyman"),
    Fault("unknown counter electrode", "counter: ", "counter", "lithum"),
    Fault("phase not in the volume", 'no phase "carbon"', "phases.carbon", {"inert": True}),
    Fault("phase without an entry", 'no entry for the phase "cbd"', "phases.cbd"),
    Fault("no active phase", "no phase stores lithium", "phases.nmc", {"inert": True}),
    # the protocol
    Fault("until missing", "protocol.0.until: is missing", "protocol.0.until"),
    Fault("empty protocol", "protocol: expected at least 1", "protocol", []),
    Fault("bad C-rate", "protocol.0.discharge: ", "protocol.0.discharge", "1X"),
    Fault("C-rate of zero", "no usable C-rate", "protocol.0.discharge", "C/0"),
    Fault("until without a unit", "protocol.0.until.0: 3.0 has no unit", "protocol.0.until", 3.0),
    Fault("until above the start", "protocol.0.until: a discharge to", "protocol.0.until", "4.3 V"),
    Fault(
        "a charge of a full cell",
        "protocol.0.until: a charge to 4.2 V cannot begin at 4.2 V",
        "protocol",
        [{"charge": "1C", "until": "4.2 V"}],
    ),
    Fault(
        "a charge of a full cell by time",
        "protocol.0: a charge cannot begin at 4.2 V, the open-circuit voltage at the start (SoL 0)",
        "protocol",
        [{"charge": "1C", "until": "10 min"}],
    ),
    Fault(
        "more steps than can be",
        "protocol: 100000000 steps with all repetitions, expected at most 100000",
        "protocol",
        [{"repeat": 10_000, "steps": [{"repeat": 10_000, "steps": [{"rest": "1 s"}]}]}],
    ),
    Fault(
        "a charge to below the window",
        "protocol.0.steps.0.until: a charge to 2.5 V cannot begin at 3 V",
        "protocol",
        [{"repeat": 2, "steps": [{"charge": "1C", "until": "2.5 V"}]}],
    ),
    Fault(
        "held out of reach", "protocol.0.hold: nmc", "protocol", [{"hold": "9 V", "until": "1 h"}]
    ),
    Fault("no run to start from", "initial.run: ", "initial", {"run": "nowhere"}),
    Fault("cut-off out of reach", "voltage_window", "voltage_window", ["3.0 V", "6.0 V"]),
    # the image
    Fault("voxel size missing", "volume.image.voxel_size: is missing", "volume.image.voxel_size"),
    Fault("voxel size disagrees", "500 nm", spoil=another_voxel_size),
    Fault("no image file", "image.tif", spoil=remove("image.tif")),
    Fault("truncated image", "truncated", spoil=truncate),
    Fault("greyscale image", "greyscale", spoil=greyscale),
    Fault("label not in the image", "label 5", "volume.image.labels.cbd", 5),
    Fault("label not named", "labels that are not listed: 7", spoil=another_label),
    Fault("two names for a label", "share the value 1", "volume.image.labels.cbd", 1),
    Fault("crop outside", "crop [0, 99]", "volume.image.crop", [[0, 99], [0, 16], [0, 16]]),
    Fault("crop upside down", "crop [8, 2]", "volume.image.crop", [[8, 2], [0, 16], [0, 16]]),
    Fault("empty phase", "label 2", "volume.image.crop", [[0, 16], [0, 16], [0, 10]]),
    Fault("mesh coarser than the volume", "mesh.size: 2e-05 m", "mesh.size", "20 um"),
    Fault("no ionic path", "no ionic path along z", spoil=no_pore_at_the_separator),
    Fault("no electronic path", "no electronic path", spoil=no_active_paths),
    # generated volumes
    Fault(
        "fraction out of reach", "active_fraction", "volume.generate.active_fraction", 0.9, SPHERES
    ),
    Fault("fraction above 1", "active_fraction", "volume.generate.active_fraction", 1.2, SPHERES),
    Fault("size no multiple of the voxel", "voxels", "volume.generate.voxel", "1.1 um", SPHERES),
    Fault(
        "spheres larger than the box",
        "does not fit",
        "volume.generate.diameters",
        ["20 um"],
        SPHERES,
    ),
    Fault("unknown generator", "volume.generate.kind", "volume.generate.kind", "cubes", SPHERES),
    # the command line
    Fault("bad override", "--set mesh.size", arguments=("--set", "mesh.size")),
    Fault("no such stage", 'no stage "simulat"', arguments=("--until", "simulat")),
    Fault("no ranks", "--ranks", arguments=("--ranks", "0")),
]


@pytest.fixture(scope="module")
def good_run(tmp_path_factory: pytest.TempPathFactory, voxtrode: Command) -> Path:
    """A folder with the good study, its image, and what a run of it left."""
    folder = tmp_path_factory.mktemp("good")
    tifffile.imwrite(folder / "image.tif", good_labels())
    (folder / "study.yaml").write_text(yaml.safe_dump(IMAGE), encoding="utf-8")
    done = voxtrode("run", folder / "study.yaml", "--out", folder / "run", "--until", "image")
    assert done.returncode == 0, done.stderr
    return folder


def snapshot(folder: Path) -> dict[str, bytes]:
    """Content of every file below a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_bad_input(fault: Fault, good_run: Path, tmp_path: Path, voxtrode: Command) -> None:
    """Status 2, one line, the earlier run untouched and no other file made."""
    folder = tmp_path / "study"
    shutil.copytree(good_run, folder)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(fault.study), encoding="utf-8")
    fault.spoil(folder)
    before = snapshot(tmp_path)
    done = voxtrode("run", path, "--out", folder / "run", *fault.arguments)
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert fault.says in done.stderr
    assert snapshot(tmp_path) == before


def test_there_are_at_least_twenty() -> None:
    """And no two alike."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 20
