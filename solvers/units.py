"""The solver's own units: lengths in µm, currents in pA, potentials in V, times in s.

Every equation is written as a balance of currents, so that all rows of the coupled system are
comparable. Public quantities are SI; these factors are the only conversions.
"""

from voxtrode.data.law import FARADAY, GAS_CONSTANT

UM = 1e6
"""µm per m."""

CONDUCTANCE = 1e6
"""∫ σ ∇φ·∇v dx: S/m · V · µm = 1e6 pA."""

STORAGE = 1e-6
"""∫ F c v dx / s: C/m³ · µm³ / s = 1e-18 A = 1e-6 pA. (∫ J v ds needs none: A/m² · µm² = pA.)"""


def thermal_voltage(temperature: float) -> float:
    """RT/F [V] at a temperature [K]."""
    return GAS_CONSTANT * temperature / FARADAY
