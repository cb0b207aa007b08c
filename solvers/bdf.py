"""Backward differentiation of order 2 with variable steps: formulas alone, no fields.

Notation: the new step is h = t_{n+1} − t_n, the earlier ones h₁ and h₂; ω = h/h₁. The formula is
zero-stable for ω < 1 + √2. Reference: Hairer, Nørsett & Wanner, Solving ODEs I, ch. III.5.
"""

from collections.abc import Sequence

MAX_GROWTH = 2.0
"""Largest ratio of neighbouring steps, below the limit 1 + √2."""


def derivative(h: float, earlier: Sequence[float]) -> tuple[float, tuple[float, ...]]:
    """Coefficients of u̇(t_{n+1}) ≈ α u_{n+1} + Σ cᵢ u_{n−i}.

    Args:
        h: New step [s].
        earlier: Earlier steps h₁, h₂, …; without any, implicit Euler.

    Returns:
        α and (c₀, c₁, …) [1/s].
    """
    if not earlier:
        return 1.0 / h, (-1.0 / h,)
    w = h / earlier[0]
    scale = 1.0 / ((1.0 + w) * h)
    return (1.0 + 2.0 * w) * scale, (-((1.0 + w) ** 2) * scale, w * w * scale)


def extrapolation(h: float, earlier: Sequence[float]) -> tuple[float, ...]:
    """Weights of u_n, u_{n−1}, … in the polynomial through the known states, at t_{n+1}.

    Args:
        h: New step [s].
        earlier: Up to two earlier steps; their number is the polynomial's degree.
    """
    nodes = [0.0]
    for step in earlier[:2]:
        nodes.append(nodes[-1] - step)
    weights = []
    for i, node in enumerate(nodes):
        weight = 1.0
        for j, other in enumerate(nodes):
            if i != j:
                weight *= (h - other) / (node - other)
        weights.append(weight)
    return tuple(weights)


def error_factor(h: float, earlier: Sequence[float]) -> tuple[float, int]:
    """Local error as a share of the difference between solution and extrapolation (Milne).

    With two earlier steps or more both differ from the truth by a multiple of h³ u‴; with one,
    the estimate is that of implicit Euler against the straight line, which is on the safe side.

    Returns:
        The factor, and the power of h that the error goes with; 0 and 1 where nothing is known.
    """
    if not earlier:
        return 0.0, 1
    w = h / earlier[0]
    if len(earlier) == 1:
        return 1.0 / (2.0 + 1.0 / w), 2
    corrector = (1.0 + w) ** 2 / (6.0 * w * (1.0 + 2.0 * w))
    one = 1.0 + 1.0 / w
    predictor = one * (one + earlier[1] / h) / 6.0
    return corrector / (corrector + predictor), 3
