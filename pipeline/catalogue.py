"""What voxtrode ships: studies and materials with their sources, and the schema of a study."""

from typing import Any

from voxtrode.data.materials import catalogue
from voxtrode.pipeline.study import Study
from voxtrode.pipeline.study_file import shipped_studies

_KINDS = {
    "active material": "Active materials",
    "electrolyte": "Electrolytes",
    "metal electrode": "Counter electrodes",
    "conductor": "Conductors",
    "dilute electrolyte": "Electrolytes",
    "solid electrolyte": "Solid electrolytes",
    "electron conductor": "Electron conductors",
}
_SOURCES = (
    (
        "bpx",
        "a BPX file {bpx: cell.json, electrode: positive}; as an electrolyte {bpx: cell.json}",
    ),
    (
        "pybamm",
        "a parameter set of PyBaMM (extra twin): {pybamm: Chen2020, electrode: negative}; as an"
        " electrolyte {pybamm: Chen2020}",
    ),
)


def listing() -> dict[str, list[tuple[str, str]]]:
    """Names and descriptions by heading: shipped studies, materials by kind, other sources."""
    found = {
        "Studies": [
            (name, _first_comment(path.read_text(encoding="utf-8")))
            for name, path in shipped_studies().items()
        ]
    }
    for entry in catalogue():
        heading = _KINDS.get(entry.kind, entry.kind)
        found.setdefault(heading, []).append((entry.name, entry.source))
    return found | {"Other sources of active materials and electrolytes": list(_SOURCES)}


def _first_comment(text: str) -> str:
    words: list[str] = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    sentence, stop, _ = " ".join(words).partition(". ")
    return sentence + stop.strip()


def study_schema() -> dict[str, Any]:
    """The JSON Schema of a study file."""
    schema = Study.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
