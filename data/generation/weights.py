"""Weight fractions and volume fractions of a mixture, with or without void."""

from collections.abc import Mapping

import numpy as np

from voxtrode.data.errors import InputError

VOID = "void"
"""Name of the share of the box that nothing fills."""

_SUM_TOLERANCE = 1e-6


def volume_fractions(
    weights: Mapping[str, float], densities: Mapping[str, float], void: float = 0.0
) -> dict[str, float]:
    """Volume fractions of the box of a mixture that is given by weight.

    v_i = (1 - void) (w_i / rho_i) / sum_j (w_j / rho_j)

    Args:
        weights: Weight fraction of each component; they add up to 1.
        densities: Density of each component [kg/m³].
        void: Share of the box that nothing fills.

    Returns:
        The fraction of each component, in the order of `weights`, and of `void`; together 1.

    Raises:
        InputError: Weights out of range or not adding up to 1, a density that is missing or not
            positive, or a void fraction outside 0 <= void < 1.
    """
    _check_weights(weights, densities)
    if not 0.0 <= void < 1.0:
        raise InputError(f"void fraction is {void:g}: expected 0 <= void < 1")
    specific = {name: weight / densities[name] for name, weight in weights.items()}
    total = sum(specific.values())
    fractions = {name: (1.0 - void) * part / total for name, part in specific.items()}
    return {**fractions, VOID: void}


def weight_fractions(
    fractions: Mapping[str, float], densities: Mapping[str, float]
) -> dict[str, float]:
    """Weight fractions of a mixture that is given by volume; `void` weighs nothing.

    Args:
        fractions: Volume fraction of each component, of the box or of any other common volume.
        densities: Density of each component [kg/m³].

    Returns:
        The weight fraction of each component but `void`, in the order of `fractions`; together 1.

    Raises:
        InputError: A fraction is negative, all are zero, or a density is missing or not positive.
    """
    solids = {name: value for name, value in fractions.items() if name != VOID}
    _check_densities(solids, densities)
    for name, value in fractions.items():
        if not (np.isfinite(value) and value >= 0.0):
            raise InputError(f"volume fraction of {name} is {value:g}: expected 0 or more")
    masses = {name: value * densities[name] for name, value in solids.items()}
    total = sum(masses.values())
    if total <= 0.0:
        raise InputError("all volume fractions are zero: expected one that is positive")
    return {name: mass / total for name, mass in masses.items()}


def accompanying_fractions(
    reference: str,
    fraction: float,
    weights: Mapping[str, float],
    densities: Mapping[str, float],
) -> dict[str, float]:
    """Volume fractions of the box of what comes by weight with a component of known fraction.

    v_i = v_ref (w_i / rho_i) / (w_ref / rho_ref): with active material of 0.60 of the box and
    96:4 by weight, how much of the box is carbon-binder.

    Args:
        reference: The component whose volume fraction is known.
        fraction: Its volume fraction of the box.
        weights: Weight fraction of each component, the reference among them; together 1.
        densities: Density of each component [kg/m³].

    Returns:
        The fraction of each component, the reference included, and of `void`, which is the rest.

    Raises:
        InputError: As `volume_fractions`; the reference has no weight; or the box is too small for
            what comes with it.
    """
    _check_weights(weights, densities)
    if not 0.0 < fraction <= 1.0:
        raise InputError(f"volume fraction of {reference} is {fraction:g}: expected 0 < value <= 1")
    if weights.get(reference, 0.0) <= 0.0:
        raise InputError(
            f"{reference} has no weight among {', '.join(weights)}: give it one, the volume "
            "fractions of the others follow from it"
        )
    scale = fraction * densities[reference] / weights[reference]
    fractions = {name: scale * weight / densities[name] for name, weight in weights.items()}
    total = sum(fractions.values())
    if total > 1.0 + 1e-9:
        raise InputError(
            f"{reference} of {fraction:g} of the box and what comes with it by weight need "
            f"{total:.3f} of the box: give a smaller fraction of {reference} or other weights"
        )
    return {**fractions, VOID: max(1.0 - total, 0.0)}


def with_nanopores(fraction: float, porosity: float) -> float:
    """Volume fraction of a domain with unresolved pores, from the volume fraction of its solid.

    Args:
        fraction: Of the solid.
        porosity: Of the domain (carbon-binder: about 0.5).

    Raises:
        InputError: The porosity is outside 0 <= porosity < 1.
    """
    if not 0.0 <= porosity < 1.0:
        raise InputError(f"porosity of the domain is {porosity:g}: expected 0 <= porosity < 1")
    return fraction / (1.0 - porosity)


def _check_weights(weights: Mapping[str, float], densities: Mapping[str, float]) -> None:
    if VOID in weights:
        raise InputError(f"weight given for {VOID}: give a void fraction instead")
    for name, weight in weights.items():
        if not (np.isfinite(weight) and 0.0 <= weight <= 1.0):
            raise InputError(f"weight fraction of {name} is {weight:g}: expected 0 to 1")
    total = sum(weights.values())
    if abs(total - 1.0) > _SUM_TOLERANCE:
        raise InputError(
            f"weight fractions of {', '.join(weights) or 'nothing'} add up to {total:g}: expected "
            "1 (80:17:3 is 0.80, 0.17, 0.03)"
        )
    _check_densities(weights, densities)


def _check_densities(names: Mapping[str, float], densities: Mapping[str, float]) -> None:
    for name in names:
        if name not in densities:
            raise InputError(f"no density for {name}: give one in kg/m³")
        if not (np.isfinite(densities[name]) and densities[name] > 0.0):
            raise InputError(
                f"density of {name} is {densities[name]:g} kg/m³: expected more than 0"
            )
