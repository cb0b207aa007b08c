"""The studies of `stress.py`: tiny volumes, hard for the numbers."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

type Tree = dict[str, Any]
type Array = npt.NDArray[np.uint8]

BASE: Tree = {
    "volume": {
        "generate": {
            "diameters": ["6 um"],
            "active_fraction": 0.45,
            "size": ["16 um", "10 um", "10 um"],
            "voxel": "1 um",
            "seed": 3,
        }
    },
    "phases": {
        "active": {"material": "nmc622"},
        "nsd": {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"},
    },
    "separator": {"thickness": "5 um", "porosity": 0.5, "tortuosity": 1.5},
    "voltage_window": ["3.0 V", "4.2 V"],
    "protocol": [{"discharge": "1C", "until": "3.0 V"}],
    "mesh": {"size": "2 um", "coarsening": 0},
    "store": {"dod": [0.5]},
}
PORE = {"porosity": 1.0, "tortuosity": 1.0}
NMC = {"material": "nmc622"}


def discharge(rate: str, volts: str = "3.0 V") -> Tree:
    """One discharge."""
    return {"protocol": [{"discharge": rate, "until": volts}]}


def of_array(kind: str, phases: Mapping[str, Any]) -> Tree:
    """An image that :func:`volume_of` writes."""
    return {"volume": {"array": kind}, "phases": dict(phases)}


def kinetics(**given: Any) -> Tree:
    """Charge transfer of the active phase."""
    return {"interfaces": {"active": given}}


def diffusing(D_s: str) -> Tree:
    """Another diffusivity [m²/s]."""
    return {"D_s": D_s}


LIQUID = {"active": NMC, "pore": PORE}
MIXED = {"active": NMC, "nsd": BASE["phases"]["nsd"]}

CASES: dict[str, Tree] = {
    "0.05C": discharge("C/20"),
    "5C": discharge("5C"),
    "10C": discharge("10C"),
    "20C": discharge("20C"),
    "500C": discharge("500C"),
    "i0 1e-4": kinetics(exchange_current="1e-4 A/m^2"),
    "i0 1e4": kinetics(exchange_current="1e4 A/m^2"),
    "film of 1e5 ohm cm2": kinetics(film_resistance="1e5 ohm*cm^2"),
    "tenth wetted, 3C": {**kinetics(wetted=0.1), **discharge("3C")},
    "surface saturates: D_s 1e-17": diffusing("1e-17"),
    "surface saturates: D_s 1e-19": diffusing("1e-19"),
    "very fast D_s": diffusing("1e-8"),
    "depletion: thick separator": {
        "separator": {"thickness": "400 um", "porosity": 0.3, "tortuosity": 4.0},
        **discharge("20C"),
    },
    "depletion: 2 M away from its limit": {
        "separator": {"thickness": "400 um", "porosity": 0.3, "tortuosity": 4.0},
        **discharge("10C"),
    },
    "sigma 1e-5": {"phases": {"active": {**NMC, "conductivity": "1e-5 S/m"},
                              "nsd": {**MIXED["nsd"], "conductivity": "1e-5 S/m"}}},
    "sigma 1e6": {"phases": {"active": {**NMC, "conductivity": "1e6 S/m"},
                             "nsd": {**MIXED["nsd"], "conductivity": "1e6 S/m"}}},
    "sigma 1e6 against 1e-3": {"phases": {"active": {**NMC, "conductivity": "1e-3 S/m"},
                                          "nsd": {**MIXED["nsd"], "conductivity": "1e6 S/m"}}},
    "dead particle": of_array("dead", LIQUID),
    "contact of one voxel": of_array("neck", LIQUID),
    "contact of one voxel, 5C": {**of_array("neck", LIQUID), **discharge("5C")},
    "noise, two phases": of_array("noise2", MIXED),
    "noise, three phases": of_array("noise3", {**LIQUID, "cbd": {"material": "cbd"}}),
    "particles of one voxel": of_array("dust", MIXED),
    "two voxels thick": of_array("thin", MIXED),
    "rod of 40 x 3 x 3 voxels, 5C": {**of_array("rod", LIQUID), **discharge("5C")},
    "no path to the collector": of_array("floating", LIQUID),
    "full cell in one volume": {
        **of_array("full", {"nmc": NMC, "gr": {"material": "graphite-chen2020"},
                            "pore": PORE, "sep": {"porosity": 0.5, "tortuosity": 1.5}}),
        "positive": {"phases": ["nmc"], "collector": "first"},
        "negative": {"phases": ["gr"], "collector": "last", "potentials": ["0.1 V", "0.9 V"]},
        "voltage_window": ["2.7 V", "4.1 V"],
        **discharge("2C", "2.7 V"),
    },
    "counter electrode runs empty": {
        "counter": {"material": "graphite-chen2020", "potentials": ["0.1 V", "0.9 V"],
                    "capacity_ratio": 0.3, "area_factor": 10},
        "voltage_window": ["2.7 V", "4.1 V"],
        **discharge("1C", "0.5 V"),
    },
    "jumps of the current": {"protocol": [
        {"discharge": "1C", "until": "60 s"}, {"discharge": "10C", "until": ["10 s", "3.0 V"]},
        {"charge": "5C", "until": ["20 s", "4.3 V"]}, {"rest": "1 s"},
        {"discharge": "20C", "until": ["1 s", "2.5 V"]}, {"rest": "1 h"}]},
    "pulses": {"protocol": [{"repeat": 8, "steps": [
        {"discharge": "5C", "until": "1 s"}, {"rest": "1 s"}]}]},
    "hold at a far voltage": {"protocol": [{"hold": "3.0 V", "until": ["C/20", "5 h"]}]},
    "hold at 5 V from empty": {"initial": {"sol": 0.99},
                               "protocol": [{"hold": "5.0 V", "until": ["C/20", "5 h"]}]},
    "hold at 1 V": {"protocol": [{"hold": "1.0 V", "until": ["C/20", "5 h"]}]},
    "charge beyond full": {"initial": {"sol": 0.1},
                           "protocol": [{"charge": "1C", "until": "6 V"}]},
    "discharge to 0.5 V": discharge("1C", "0.5 V"),
    "a nanosecond": {"protocol": [{"discharge": "1C", "until": "1 ns"}]},
    "a rest of ten years": {"protocol": [{"discharge": "1C", "until": "60 s"},
                                         {"rest": "87600 h"}], "solver": {"max_dt": "1000 h"}},
    "first step 100 s at 5C": {"solver": {"first_dt": "100 s"}, **discharge("5C")},
    "tolerance 0.1": {"solver": {"rtol": 0.1}, **discharge("3C")},
    "tolerance 1e-6": {"solver": {"rtol": 1e-6}, **discharge("5C")},
    "smallest step 20 s": {"solver": {"min_dt": "20 s", "first_dt": "30 s", "rtol": 1e-7}},
    "one Newton iteration": {"solver": {"max_newton": 1}},
    "three Krylov iterations": {"solver": {"max_krylov": 3}},
    "253 K, 3C": {"temperature": "253 K", **discharge("3C")},
    "nominal capacity a thousandth": {"nominal_capacity": "0.002 mA*h/cm^2"},
    "nominal capacity a thousandfold": {"nominal_capacity": "2000 mA*h/cm^2"},
    "anisotropy 1e-5": {"phases": {
        "active": {**NMC, "anisotropy": {"ratio": 1e-5, "axis": [1, 0, 0]}}, "nsd": MIXED["nsd"]}},
    "solid electrolyte, 5C": {"phases": {"active": NMC, "nsd": {"material": "argyrodite"}},
                              "separator": {"thickness": "5 um", "material": "argyrodite"},
                              **discharge("5C")},
}  # fmt: skip


def _ball(z: float, radius: float) -> npt.NDArray[np.bool_]:
    grid = np.indices((14, 12, 12)) + 0.5
    centre = (z, 6.0, 6.0)
    square = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
    return np.asarray(square < radius**2)


def _dead() -> Array:
    """A ball on the collector and one that touches nothing."""
    labels = (_ball(4.0, 4.5) | _ball(10.5, 2.5)).astype(np.uint8)
    labels[8] = 0
    return labels


def _neck() -> Array:
    """A ball on a wire of one voxel."""
    labels = _ball(7.0, 5.0).astype(np.uint8)
    labels[:2] = 0
    labels[:4, 6, 6] = 1
    return labels


def _floating() -> Array:
    """A ball in the electrolyte."""
    labels = _ball(7.0, 5.0).astype(np.uint8)
    labels[:3] = 0
    return labels


def _noise(*shares: float) -> Array:
    drawn = np.random.default_rng(7).choice(len(shares), size=(12, 12, 12), p=shares)
    return drawn.astype(np.uint8)


def _box(shape: tuple[int, int, int], *filled: tuple[slice, slice, slice]) -> Array:
    """Boxes labelled 1, 2, 3 in their order."""
    labels = np.zeros(shape, np.uint8)
    for number, where in enumerate(filled):
        labels[where] = number + 1
    return labels


TWO, MIX = {"pore": 0, "active": 1}, {"nsd": 0, "active": 1}
ARRAYS: dict[str, tuple[Array, dict[str, int]]] = {
    "dead": (_dead(), TWO),
    "neck": (_neck(), TWO),
    "floating": (_floating(), TWO),
    "noise2": (_noise(0.4, 0.6), MIX),
    "noise3": (_noise(0.4, 0.4, 0.2), {**TWO, "cbd": 2}),
    "dust": (_noise(0.96, 0.04), MIX),
    "thin": (_box((2, 12, 12), np.s_[:, 3:9, 3:9]), MIX),
    "rod": (_box((40, 5, 5), np.s_[:, 1:4, 1:4]), TWO),
    "full": (
        _box((20, 8, 8), np.s_[:8, 2:7, 2:7], np.s_[12:, 1:6, 1:6], np.s_[8:12, :, :]),
        {"pore": 0, "nmc": 1, "gr": 2, "sep": 3},
    ),
}
"""Label arrays [z, y, x] and the labels of their phases."""


def volume_of(case: Mapping[str, Any], folder: Path) -> tuple[str, Tree]:
    """A case as a study, and a text that is the same for cases on one mesh."""
    tree = deepcopy(BASE) | deepcopy(dict(case))
    kind = tree["volume"].get("array")
    if kind is not None:
        labels, names = ARRAYS[kind]
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / f"{kind}.npy").absolute()
        np.save(file, labels)
        tree["volume"] = {"image": {"file": str(file), "voxel_size": "1 um", "labels": names}}
        tree["mesh"] = {"size": "1 um", "coarsening": 0}
    if "negative" in tree:
        tree.pop("separator")
    if "D_s" in tree:
        file = (folder / f"D_s-{tree['D_s']}.json").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(_bpx(tree.pop("D_s"))), encoding="utf-8")
        tree["phases"]["active"] = {"material": {"bpx": str(file), "electrode": "positive"}}
    parts = ("volume", "separator", "mesh", "positive", "negative")
    return json.dumps([tree.get(part) for part in parts], sort_keys=True), tree


def _bpx(D_s: str) -> Tree:
    """An NMC-like material in a BPX file."""
    particle = {
        "Particle radius [m]": 3e-6,
        "Surface area per unit volume [m-1]": 3.8e5,
        "Diffusivity [m2.s-1]": float(D_s),
        "OCP [V]": "4.3 - 1.0 * x - 0.3 * exp(-60 * (1 - x)) + 0.3 * exp(-60 * x)",
        "Conductivity [S.m-1]": 0.18,
        "Porosity": 0.335,
        "Transport efficiency": 0.1939,
        "Thickness [m]": 75.6e-6,
        "Reaction rate constant [mol.m-2.s-1]": 3.5e-6,
        "Minimum stoichiometry": 0.05,
        "Maximum stoichiometry": 0.98,
        "Maximum concentration [mol.m-3]": 50000.0,
    }
    cell = {
        "Electrode area [m2]": 0.1,
        "External surface area [m2]": 0.005,
        "Volume [m3]": 2.4e-5,
        "Number of electrode pairs connected in parallel to make a cell": 1,
        "Nominal cell capacity [A.h]": 5.0,
        "Lower voltage cut-off [V]": 3.0,
        "Upper voltage cut-off [V]": 4.2,
        "Reference temperature [K]": 298.15,
    }
    return {
        "Header": {"BPX": "0.4", "Title": "stress", "Model": "DFN"},
        "Parameterisation": {"Cell": {**cell, "Initial temperature [K]": 298.15,
                                      "Ambient temperature [K]": 298.15},
                             "Positive electrode": particle,
                             "Negative electrode": particle,
                             "Electrolyte": {
                                 "Initial concentration [mol.m-3]": 1000.0,
                                 "Cation transference number": 0.26,
                                 "Diffusivity [m2.s-1]": 3e-10,
                                 "Conductivity [S.m-1]": 1.0},
                             "Separator": {"Thickness [m]": 12e-6, "Porosity": 0.47,
                                           "Transport efficiency": 0.32}},
    }  # fmt: skip
