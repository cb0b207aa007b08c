"""The keys of BPX 0.x and 1.x: every key that a section may have, so that a misspelled one shows.

Where the two versions differ: 0.x has the initial concentration of the electrolyte in its section
and the temperatures in that of the cell; 1.x has them in `State`.
"""

CONCENTRATION_0 = "Initial concentration [mol.m-3]"
CONCENTRATION_1 = "Initial electrolyte concentration [mol.m-3]"

PARTICLE = {
    "Minimum stoichiometry",
    "Maximum stoichiometry",
    "Maximum concentration [mol.m-3]",
    "Particle radius [m]",
    "Surface area per unit volume [m-1]",
    "Diffusivity [m2.s-1]",
    "Diffusivity activation energy [J.mol-1]",
    "OCP [V]",
    "OCP (delithiation) [V]",
    "OCP (lithiation) [V]",
    "OCP hysteresis decay constant",
    "Entropic change coefficient [V.K-1]",
    "Reaction rate constant [mol.m-2.s-1]",
    "Reaction rate constant activation energy [J.mol-1]",
}
SEPARATOR = {"Thickness [m]", "Porosity", "Transport efficiency"}
ELECTRODE = SEPARATOR | {"Conductivity [S.m-1]"}
BLEND = ELECTRODE | {"Particle"}
ELECTROLYTE = {
    CONCENTRATION_0,
    "Cation transference number",
    "Diffusivity [m2.s-1]",
    "Diffusivity activation energy [J.mol-1]",
    "Conductivity [S.m-1]",
    "Conductivity activation energy [J.mol-1]",
}
