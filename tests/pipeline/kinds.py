"""Studies of every kind of generated volume, small."""

import copy
from typing import Any

type Tree = dict[str, Any]

BOX: Tree = {"size": ["20 um", "10 um", "10 um"], "voxel": "0.5 um", "seed": 3}
CELL: Tree = {
    "name": "volumes",
    "separator": {"thickness": "25 um", "porosity": 0.47, "tortuosity": 1.46},
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "1 um"},
}
ENTRIES: Tree = {
    "active": {"material": "nmc622"},
    "fine": {"material": "nmc622"},
    "coarse": {"material": "nmc811"},
    "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
    "pore": {"porosity": 1.0, "tortuosity": 1.0},
    "cbd": {"material": "cbd"},
    "void": {"inert": True},
    "electrolyte": {"porosity": 0.5, "tortuosity": 1.5},
    "carbon": {"conductivity": "500 S/m"},
}

KINDS: dict[str, tuple[Tree, tuple[str, ...]]] = {
    "one size": (BOX | {"diameters": ["4 um"], "active_fraction": 0.5}, ("active", "nsd")),
    "two materials": (
        BOX
        | {
            "diameters": ["4 um", "6 um"],
            "shares": [0.3, 0.7],
            "phases": ["fine", "coarse"],
            "active_fraction": 0.5,
        },
        ("fine", "coarse", "nsd"),
    ),
    "log-normal with cracks and binder": (
        BOX
        | {
            "distribution": {"lognormal": {"d50": "4 um", "sigma": 0.3}},
            "active_fraction": 0.5,
            "cracks": {"surface": 0.02, "internal": 0.03, "width": "0.5 um"},
            "binder": {"fraction": 0.1},
        },
        ("active", "cbd", "pore", "void"),
    ),
    "plates": (
        BOX
        | {
            "kind": "plates",
            "distribution": {"percentiles": {"d10": "3 um", "d50": "4 um", "d90": "6 um"}},
            "aspect": 3.0,
            "alignment": 5.0,
            "active_fraction": 0.4,
        },
        ("active", "nsd"),
    ),
    "ellipsoids from a table": (
        BOX
        | {
            "kind": "ellipsoids",
            "distribution": {"table": {"diameters": [3e-6, 4e-6, 5e-6], "shares": [0.4, 0.6]}},
            "active_fraction": 0.4,
            "calender": {"porosity": 0.45},
        },
        ("active", "nsd"),
    ),
    "fragments": (
        BOX | {"kind": "fragments", "diameters": ["4 um"], "active_fraction": 0.4},
        ("active", "nsd"),
    ),
    "layered": (
        BOX
        | {
            "kind": "layered",
            "layers": [
                {"thickness": "12 um", "diameters": ["6 um"], "phase": "coarse"},
                {"thickness": "8 um", "kind": "plates", "diameters": ["4 um"], "phase": "fine"},
            ],
            "mixing": "2 um",
            "active_fraction": 0.5,
        },
        ("coarse", "fine", "nsd"),
    ),
    "composite": (
        BOX
        | {
            "kind": "composite",
            "diameters": ["4 um"],
            "weights": {"active": 0.8, "electrolyte": 0.17, "carbon": 0.03},
            "void": 0.05,
            "carbon": {"form": "fibres", "diameter": "0.5 um", "length": "4 um"},
        },
        ("active", "electrolyte", "carbon", "void"),
    ),
    "secondary particle": (
        {
            "kind": "secondary_particle",
            "diameter": "16 um",
            "margin": "2 um",
            "voxel": "0.5 um",
            "grains": {"arrangement": "radial", "size": "2 um"},
            "cracks": {"surface": 0.04, "internal": 0.04, "width": "0.5 um"},
        },
        ("active", "pore", "void"),
    ),
}


def kind_tree(generate: Tree, names: tuple[str, ...]) -> Tree:
    """A study of a generated volume whose phases have these names."""
    phases = {name: ENTRIES[name] for name in names}
    return copy.deepcopy(CELL | {"volume": {"generate": generate}, "phases": phases})
