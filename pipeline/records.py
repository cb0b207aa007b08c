"""JSON files that are whole at every instant: written beside, then renamed."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write_json(path: Path, tree: Any) -> None:
    """Writes a file at once or not at all; NaN and infinity, which JSON lacks, become null."""
    text = json.dumps(_finite(tree), indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a file at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """The mapping a file holds; empty where the file is missing or torn."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def update_summary(path: Path, mapping: Mapping[str, Any]) -> None:
    """Merges values into a JSON file, mappings within mappings; other keys stay."""
    write_json(path, _merged(read_json(path), mapping))


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for key, value in new.items():
        before = result.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(before, value) if both else value  # type: ignore[arg-type]
    return result


def _finite(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {str(key): _finite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_finite(value) for value in node]
    if hasattr(node, "tolist"):  # NumPy's numbers and arrays
        return _finite(node.tolist())
    return None if isinstance(node, float) and not math.isfinite(node) else node
