"""A made-up cell as BPX files of both versions hold it; numbers near those of an LG M50."""

import copy
import json

NEGATIVE = {
    "Particle radius [m]": 5.86e-6,
    "Thickness [m]": 85.2e-6,
    "Diffusivity [m2.s-1]": "3.3e-14 * (1 + 0.5 * tanh(4 * (x - 0.5)))",
    "Diffusivity activation energy [J.mol-1]": 30300,
    "OCP [V]": (
        "1.9793 * exp(-39.3631 * x) + 0.2482 - 0.0909 * tanh(29.8538 * (x - 0.1234))"
        " - 0.04478 * tanh(14.9159 * (x - 0.2769)) - 0.0205 * tanh(30.4444 * (x - 0.6103))"
    ),
    "Conductivity [S.m-1]": 215.0,
    "Surface area per unit volume [m-1]": 383959,
    "Porosity": 0.25,
    "Transport efficiency": 0.125,
    "Reaction rate constant [mol.m-2.s-1]": 6.716e-6,
    "Reaction rate constant activation energy [J.mol-1]": 35000,
    "Minimum stoichiometry": 0.0263,
    "Maximum stoichiometry": 0.9106,
    "Maximum concentration [mol.m-3]": 33133.0,
    "Entropic change coefficient [V.K-1]": {"x": [0.0, 0.5, 1.0], "y": [1e-4, -2e-5, -8e-5]},
}
POSITIVE = {
    "Particle radius [m]": 5.22e-6,
    "Thickness [m]": 75.6e-6,
    "Diffusivity [m2.s-1]": {"x": [1.0, 0.2, 0.6], "y": [2e-15, 6e-15, 4e-15]},
    "OCP [V]": (
        "-0.8090 * x + 4.4875 - 0.0428 * tanh(18.5138 * (x - 0.5542))"
        " - 17.7326 * tanh(15.7890 * (x - 0.3117)) + 17.5842 * tanh(15.9308 * (x - 0.3120))"
    ),
    "Conductivity [S.m-1]": 0.18,
    "Surface area per unit volume [m-1]": 382184,
    "Porosity": 0.335,
    "Transport efficiency": 0.1939,
    "Reaction rate constant [mol.m-2.s-1]": 3.545e-6,
    "Reaction rate constant activation energy [J.mol-1]": 17800,
    "Minimum stoichiometry": 0.2638,
    "Maximum stoichiometry": 0.8540,
    "Maximum concentration [mol.m-3]": 63104.0,
    "Entropic change coefficient [V.K-1]": -1e-5,
}
OF_PARTICLES = (
    "Particle radius [m]",
    "Surface area per unit volume [m-1]",
    "Diffusivity [m2.s-1]",
    "OCP [V]",
    "Reaction rate constant [mol.m-2.s-1]",
    "Minimum stoichiometry",
    "Maximum stoichiometry",
    "Maximum concentration [mol.m-3]",
)
CELL = {
    "Electrode area [m2]": 0.1027,
    "External surface area [m2]": 0.00531,
    "Volume [m3]": 2.42e-5,
    "Number of electrode pairs connected in parallel to make a cell": 1,
    "Nominal cell capacity [A.h]": 5.0,
    "Lower voltage cut-off [V]": 2.5,
    "Upper voltage cut-off [V]": 4.2,
    "Reference temperature [K]": 298.15,
    "Density [kg.m-3]": 1800.0,
    "Specific heat capacity [J.K-1.kg-1]": 913.0,
}
ELECTROLYTE = {
    "Cation transference number": 0.2594,
    "Diffusivity [m2.s-1]": ("8.794e-11 * (x / 1000) ** 2 - 3.972e-10 * (x / 1000) + 4.862e-10"),
    "Diffusivity activation energy [J.mol-1]": 17100,
    "Conductivity [S.m-1]": (
        "0.1297 * (x / 1000) ** 3 - 2.51 * (x / 1000) ** 1.5 + 3.329 * (x / 1000)"
    ),
    "Conductivity activation energy [J.mol-1]": 17100,
}
PARTS = {
    "Cell": CELL,
    "Electrolyte": ELECTROLYTE,
    "Negative electrode": NEGATIVE,
    "Positive electrode": POSITIVE,
    "Separator": {"Thickness [m]": 12e-6, "Porosity": 0.47, "Transport efficiency": 0.3222},
}


def version_1():
    """The cell in a file of version 1.1."""
    return copy.deepcopy(
        {
            "Header": {"BPX": "1.1.0", "Title": "made-up cell", "Model": "DFN"},
            "Parameterisation": PARTS,
            "State": {
                "Initial conditions": {
                    "Initial state-of-charge": 0.75,
                    "Initial temperature [K]": 298.15,
                    "Initial electrolyte concentration [mol.m-3]": 1200.0,
                },
                "Thermal environment": {"Ambient temperature [K]": 298.15},
            },
        }
    )


def version_0():
    """The same cell in a file of version 0.4."""
    content = version_1()
    del content["State"]
    content["Header"]["BPX"] = 0.4
    parts = content["Parameterisation"]
    parts["Electrolyte"]["Initial concentration [mol.m-3]"] = 1200.0
    parts["Cell"] |= {"Initial temperature [K]": 298.15, "Ambient temperature [K]": 298.15}
    return content


def blend():
    """The same cell with a negative electrode of two particles."""
    content = version_1()
    whole = content["Parameterisation"]["Negative electrode"]
    graphite = {key: whole.pop(key) for key in OF_PARTICLES}
    del whole["Diffusivity activation energy [J.mol-1]"]
    del whole["Reaction rate constant activation energy [J.mol-1]"]
    del whole["Entropic change coefficient [V.K-1]"]
    silicon = {**graphite, "Maximum concentration [mol.m-3]": 278000.0, "OCP [V]": "0.6 - 0.5 * x"}
    whole["Particle"] = {"graphite": graphite, "silicon": silicon}
    return content


def write(path, content):
    """Writes a cell as a file."""
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
