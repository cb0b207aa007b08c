"""Weak forms of the volume terms, as pure functions of symbols.

Units: lengths in µm and rows in pA (see ``units``). Coefficients that depend on the solution are
taken at the cells' centroids: gradients of P1 functions are constant, so one point is second
order. What happens on interfaces is not here but in ``kinetics``.
"""

from typing import Any

import ufl

from voxtrode.data.law import FARADAY, Law
from voxtrode.data.materials import Electrolyte
from voxtrode.solvers.ufl_operations import UFL
from voxtrode.solvers.units import CONDUCTANCE

CENTROID = {"quadrature_degree": 1}
LEAST = 1e-3
"""Relative concentration below which laws are held (never the solution itself)."""


def at(law: Law, **arguments: Any) -> Any:
    """A law as a UFL expression of UFL arguments."""
    return law.expression.evaluate(arguments, UFL)


def volume_measure(mesh: Any) -> Any:
    """Integration over the cells of a region with one point a cell."""
    return ufl.Measure("dx", domain=mesh, metadata=CENTROID)


def conduction(phi: Any, v: Any, sigma: Any, dx: Any) -> Any:
    """∫ σ ∇φ·∇v, σ in S/m: of electrons, or of ions in a single-ion conductor."""
    return CONDUCTANCE * sigma * ufl.inner(ufl.grad(phi), ufl.grad(v)) * dx


def particle_diffusion(
    theta: Any, v: Any, c_max: float, D_s: Law, dx: Any, tensor: Any = None
) -> Any:
    """∫ F c_max D_s(θ) T∇θ·∇v, T the symmetric tensor D/D_s of each cell (I where None)."""
    law = D_s.held(theta=(0.0, 1.0))
    slope = ufl.grad(theta) if tensor is None else ufl.dot(tensor, ufl.grad(theta))
    flux = FARADAY * c_max * at(law, theta=theta) * slope
    return CONDUCTANCE * ufl.inner(flux, ufl.grad(v)) * dx


def conductivity(y: Any, electrolyte: Electrolyte) -> Any:
    """κ [S/m] of the free electrolyte, y = c_e/c_e0."""
    return at(_held(electrolyte.kappa, electrolyte), c_e=_c(y, electrolyte))


def ohmic_current(y: Any, phi: Any, electrolyte: Electrolyte) -> Any:
    """−κ ∇φ_e of the free electrolyte."""
    return -conductivity(y, electrolyte) * ufl.grad(phi)


def diffusion_current(y: Any, electrolyte: Electrolyte, thermal: float) -> Any:
    """κ (2RT/F)(1 − t₊) χ ∇ln c_e of the free electrolyte, written with κ/c_e.

    Args:
        y: c_e/c_e0.
        electrolyte: Its laws.
        thermal: RT/F [V].
    """
    c = _c(y, electrolyte)
    kappa_over_c = at(_held(electrolyte.kappa_over_c, electrolyte), c_e=c)
    t_plus = at(_held(electrolyte.t_plus, electrolyte), c_e=c)
    chi = at(_held(electrolyte.chi, electrolyte), c_e=c)
    return kappa_over_c * 2.0 * thermal * (1.0 - t_plus) * chi * ufl.grad(c)


def ionic_current(y: Any, phi: Any, electrolyte: Electrolyte, thermal: float) -> Any:
    """i_e of the free electrolyte (multiply by ε/τ for a phase)."""
    return ohmic_current(y, phi, electrolyte) + diffusion_current(y, electrolyte, thermal)


def charge_conservation(
    y: Any, phi: Any, v: Any, electrolyte: Electrolyte, transport: Any, thermal: float, dx: Any
) -> Any:
    """−∫ i_e·∇v, with ``transport`` = ε/τ."""
    current = transport * ionic_current(y, phi, electrolyte, thermal)
    return -CONDUCTANCE * ufl.inner(current, ufl.grad(v)) * dx


def salt_transport(
    y: Any, phi: Any, v: Any, electrolyte: Electrolyte, transport: Any, thermal: float, dx: Any
) -> Any:
    """∫ F D_eff ∇c_e·∇v − ∫ (t₊ − t₀) i_e·∇v, with t₀ the value at the initial concentration.

    The rest of the migration, −t₀ ∫ i_e·∇v, is the charge balance times t₀, exactly so in the
    discrete system; taking it out leaves interface terms with the factor (1 − t₀) and, for a
    constant t₊, no volume coupling to φ_e at all.
    """
    c = _c(y, electrolyte)
    diffusion = FARADAY * at(_held(electrolyte.D_e, electrolyte), c_e=c) * ufl.grad(c)
    form = CONDUCTANCE * ufl.inner(transport * diffusion, ufl.grad(v)) * dx
    excess = at(_held(electrolyte.t_plus, electrolyte), c_e=c) - reference_transference(electrolyte)
    if excess != 0.0:
        current = transport * excess * ionic_current(y, phi, electrolyte, thermal)
        form -= CONDUCTANCE * ufl.inner(current, ufl.grad(v)) * dx
    return form


def anion_transport(
    y: Any, phi: Any, v: Any, electrolyte: Electrolyte, transport: Any, thermal: float, dx: Any
) -> Any:
    """∫ F D_eff ∇c_e·∇v + ∫ (1 − t₊) i_e·∇v, the salt balance as that of the anions.

    Anions move with F N₋ = −F D_eff ∇c_e − (1 − t₊) i_e and cross no boundary of the liquid:
    neither Γ nor the boundary towards a single-ion conductor, through which lithium alone passes.
    So the form has no boundary terms, and the salt is conserved exactly. It equals
    `salt_transport` with its interface terms by the charge balance, where the liquid ends at Γ
    and the counter face alone.
    """
    c = _c(y, electrolyte)
    diffusion = FARADAY * at(_held(electrolyte.D_e, electrolyte), c_e=c) * ufl.grad(c)
    share = 1.0 - at(_held(electrolyte.t_plus, electrolyte), c_e=c)
    current = share * ionic_current(y, phi, electrolyte, thermal)
    return CONDUCTANCE * ufl.inner(transport * (diffusion + current), ufl.grad(v)) * dx


def reference_transference(electrolyte: Electrolyte) -> float:
    """t₀ = t₊ at the initial concentration."""
    return float(electrolyte.t_plus(c_e=electrolyte.c_e0.value))


def _c(y: Any, electrolyte: Electrolyte) -> Any:
    return electrolyte.c_e0.value * y


def _held(law: Law, electrolyte: Electrolyte) -> Law:
    """Laws of c_e are held below a thousandth of the initial concentration."""
    return law.held(c_e=(LEAST * electrolyte.c_e0.value, 1e6))
