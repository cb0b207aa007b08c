"""Runs side by side: one table, one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from voxtrode.data.errors import InputError
from voxtrode.pipeline.analysis.delivered import delivered
from voxtrode.pipeline.records import write_text
from voxtrode.pipeline.report.compare_page import Compared, comparison
from voxtrode.pipeline.report.page import render
from voxtrode.pipeline.report.results import Results, read_results
from voxtrode.pipeline.run_folder import run_folder
from voxtrode.pipeline.study import load_study

TABLE, PAGE = "comparison.csv", "comparison.html"
_SCALARS = (
    "dod_end",
    "voltage_end_V",
    "nominal_capacity_mAh_cm2",
    "stop_reason",
    "lithium_balance",
    "salt_balance",
    "charge_balance",
    "dofs",
    "steps",
    "krylov_mean",
    "krylov_max",
    "peak_memory_GiB",
)
_SILENT = ("name",)


def compare(folders: Sequence[Path], out: Path) -> tuple[Path, Path]:
    """Writes the table and the page of some runs.

    A run without a simulation stays in the table, and the page says so.

    Args:
        folders: Run folders, two or more.
        out: Where to; made if missing.

    Returns:
        The table and the page.

    Raises:
        InputError: Fewer than two runs, one given twice, or a folder that is none.
    """
    compared = read_runs(folders)
    out.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame([_row(one) for one in compared])
    write_text(out / TABLE, table.to_csv(index=False))
    write_text(out / PAGE, render(comparison(compared)))
    return out / TABLE, out / PAGE


def read_runs(folders: Sequence[Path]) -> list[Compared]:
    """Runs with what tells them apart: keys of their studies that differ, and their values.

    Raises:
        InputError: As of `compare`.
    """
    paths = [folder.expanduser().absolute() for folder in folders]
    if len(set(paths)) < 2:
        raise InputError("voxtrode compare takes two run folders or more, each once")
    if len(set(paths)) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise InputError(f"{twice} was given twice; give each run once")
    results = [_read(path) for path in paths]
    flat = [dict(_leaves(one.study.resolved())) for one in results]
    keys = [key for key in dict.fromkeys(key for one in flat for key in one) if key not in _SILENT]
    differing = [key for key in keys if len({str(one.get(key)) for one in flat}) > 1]
    names = _names(paths)
    return [
        Compared(name, one, {key: values.get(key) for key in differing}, delivered(one))
        for name, one, values in zip(names, results, flat, strict=True)
    ]


def _read(path: Path) -> Results:
    return read_results(path, load_study(run_folder(path) / "study.yaml"))


def _names(paths: Sequence[Path]) -> list[str]:
    """Names of folders, with as much of the path as tells them apart."""
    depth = 1
    while True:
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            return names
        depth += 1


def _leaves(tree: Any, key: str = "") -> list[tuple[str, Any]]:
    """Dotted keys of a tree of mappings and lists, with their values."""
    if isinstance(tree, Mapping):
        pairs = [(str(name), value) for name, value in tree.items()]
    elif isinstance(tree, list):
        pairs = [(str(k), value) for k, value in enumerate(tree)]
    else:
        return [(key, tree)]
    return [leaf for name, value in pairs for leaf in _leaves(value, f"{key}.{name}".strip("."))]


def _row(one: Compared) -> dict[str, Any]:
    found = {} if one.delivered is None else one.delivered.tree()
    summary = one.results.summary
    rows = [
        (f"{row['phase']} tortuosity z ({row['method']})", row.get("tortuosity_factor"))
        for row in one.results.transport.get("rows", [])
        if row.get("axis") == "z"
    ]
    shares = {
        " ".join(filter(None, ("SST-limited depth", entry["electrode"]))): entry[
            "sst_limited_depth"
        ]["10 %"]
        for entry in summary.get("limits", [])
    }
    return {
        "run": one.name,
        **one.differs,
        **found,
        **{key: summary.get(key) for key in _SCALARS},
        **shares,
        **dict(rows),
    }
