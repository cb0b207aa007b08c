"""Keys of stages: equal keys mean equal results, so that nothing is run again.

A key is the hash of what a stage's result depends on: the resolved inputs it declares, the content
of its input files, the keys of the stages it reads from, and voxtrode's installed sources. Paths
and the number of ranks are no part of it.
"""

import hashlib
import json
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from voxtrode.data.errors import InputError
from voxtrode.pipeline.progress import SILENT, Reporter
from voxtrode.pipeline.stages import STAGES, Stage
from voxtrode.pipeline.study import Study

_SOURCES = {".py", ".yaml", ".json", ".html", ".j2", ".css", ".js"}
_INPUTS = ("data/studies/",)  # shipped, but inputs of runs and no code
_LARGE = 2**28  # bytes; larger files are hashed once in a process, and their progress is shown
_CHUNK = 2**22  # bytes
_hashed: dict[tuple[str, int, int, int, int], str] = {}


def package_root() -> Path:
    """Folder of the package `voxtrode`."""
    spec = find_spec("voxtrode")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


@cache
def code_hash(root: Path | None = None) -> str:
    """Hash of voxtrode's sources: names below the package and contents, through links.

    Args:
        root: Folder of the package; None: the installed one.
    """
    root = root or package_root()
    found: dict[str, Path] = {path.name: path for path in root.glob("*.py")}
    for folder in root.iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            target = folder.resolve()
            for path in target.rglob("*"):
                if path.suffix in _SOURCES:
                    found[f"{folder.name}/{path.relative_to(target).as_posix()}"] = path
    digest = hashlib.sha256()
    for name in sorted(found):
        if not name.startswith(_INPUTS):
            digest.update(f"{name}\0{file_hash(found[name])}\0".encode())
    return digest.hexdigest()


def file_hash(path: Path, log: Reporter = SILENT) -> str:
    """SHA-256 of a file's content, or of the names and contents of a folder's files.

    A large file whose size and times have not changed is not read again by the same process.

    Args:
        path: The file or folder.
        log: Shows the progress of large files.

    Raises:
        InputError: It cannot be read.
    """
    if path.is_dir():
        parts = [f"{one.name}\0{file_hash(one, log)}\0" for one in sorted(path.iterdir())]
        return hashlib.sha256("".join(parts).encode()).hexdigest()
    try:
        state = path.stat()
        if state.st_size > _LARGE:
            return _large_hash(path, state, log)
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def _large_hash(path: Path, state: os.stat_result, log: Reporter) -> str:
    seen = (
        str(path.resolve()),
        state.st_ino,
        state.st_size,
        state.st_mtime_ns,
        state.st_ctime_ns,
    )
    if seen not in _hashed:
        digest = hashlib.sha256()
        with path.open("rb") as stream, log.task(f"hash of {path.name}", state.st_size) as task:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                task.update(stream.tell())
        _hashed[seen] = digest.hexdigest()
    return _hashed[seen]


def input_files(study: Study) -> dict[str, Path]:
    """Files beside the study file that a run reads, by the dotted key that names them."""
    materials = {
        f"{'.'.join(keys)}.bpx": source.bpx
        for keys, source in study.sources.items()
        if source.bpx is not None
    }
    return _image_files(study) | materials


def _image_files(study: Study) -> dict[str, Path]:
    image = study.volume.image
    return {} if image is None else {"volume.image.file": image.file}


def stage_keys(
    study: Study, stages: Sequence[Stage] = STAGES, code: str = "", log: Reporter = SILENT
) -> dict[str, str]:
    """The key of each stage.

    Args:
        study: The study.
        stages: Stages in order.
        code: Hash of the sources; empty: that of the installed ones.
        log: Shows the progress of hashing large files.
    """
    files = {name: file_hash(path, log) for name, path in _image_files(study).items()}
    keys: dict[str, str] = {}
    for stage in stages:
        parts = {
            "stage": stage.name,
            "inputs": dict(stage.inputs(study)),
            "files": files if not stage.after else {},
            "after": {name: keys[name] for name in stage.after},
            "code": code or code_hash(),
        }
        keys[stage.name] = _hash(parts)
    return keys


def _hash(tree: Any) -> str:
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
