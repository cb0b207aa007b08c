"""Multi-species, multi-reaction thermodynamics: θ(U) in closed form becomes a table U(θ).

M. Verbrugge, D. Baker, B. Koch, X. Xiao, W. Gu, J. Electrochem. Soc. 164, E3243 (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from voxtrode.data.errors import InputError
from voxtrode.data.law import FARADAY, GAS_CONSTANT
from voxtrode.data.tables import PiecewisePolynomial, piecewise_cubic

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reaction:
    """One gallery of host sites: x_j = X/(1 + exp(F(U − U0)/(RT w))), filled as U falls.

    Attributes:
        U0: Standard potential [V].
        X: Share of the host sites.
        w: Ideality factor.
    """

    U0: float
    X: float
    w: float


def occupancy(
    reactions: Sequence[Reaction], potential: npt.ArrayLike, temperature: float
) -> tuple[FloatArray, FloatArray]:
    """Stoichiometry θ = Σ x_j and dθ/dU [1/V] at potentials [V], each in their shape."""
    U = np.asarray(potential, dtype=np.float64)
    theta, slope = np.zeros_like(U), np.zeros_like(U)
    for reaction in reactions:
        scale = FARADAY / (GAS_CONSTANT * temperature * reaction.w)
        filled = expit(-scale * (U - reaction.U0))
        theta += reaction.X * filled
        slope -= reaction.X * scale * filled * expit(scale * (U - reaction.U0))
    return theta, slope


def potential_table(
    reactions: Sequence[Reaction],
    temperature: float,
    voltages: tuple[float, float],
    tolerance: float,
) -> PiecewisePolynomial:
    """U(θ) as a C1 monotone cubic with the exact slopes at its knots.

    Args:
        reactions: The galleries; their shares must sum to one.
        temperature: Temperature T of the fit [K].
        voltages: Lowest and highest tabulated potential [V]; straight lines continue beyond.
        tolerance: Largest error of the table [V], checked at 15 points of each interval; an
            interval that exceeds it is halved in U.
    """
    total = sum(reaction.X for reaction in reactions)
    if abs(total - 1.0) > 1e-4:
        raise InputError(f"the shares X of the MSMR reactions sum to {total:g}, expected 1")
    low, high = voltages
    knots = np.linspace(high, low, 9)
    inner = np.linspace(0.0, 1.0, 17)[1:-1]
    for _ in range(20):
        theta, slope = occupancy(reactions, knots, temperature)
        table = piecewise_cubic(theta, knots, 1.0 / slope)
        samples = knots[:-1, None] + np.diff(knots)[:, None] * inner
        found = table(occupancy(reactions, samples, temperature)[0])
        rough = np.max(np.abs(found - samples), axis=1) > tolerance
        if not rough.any():
            return table
        knots = np.sort(np.append(knots, (0.5 * (knots[:-1] + knots[1:]))[rough]))[::-1]
    raise InputError(f"the MSMR table did not reach {tolerance:g} V; are the parameters sensible?")
