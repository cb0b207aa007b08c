"""How many cells fill a length."""

import pytest

from voxtrode.data.spacing import cubes_along


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_cells_fit_or_are_finer(levels: int) -> None:
    """The spacing changes by a tenth at most, or gets smaller where no count allows that."""
    for tenths in range(5, 1000, 7):
        length = 0.1 * tenths
        spacing = length / cubes_along(length, 1.5, levels)
        nearest = length / max(1, round(length / 1.5))
        if abs(nearest / 1.5 - 1.0) <= 0.1:
            assert abs(spacing / 1.5 - 1.0) <= 0.1 + 1e-12
        else:
            assert spacing <= 1.5 or abs(spacing / 1.5 - 1.0) <= 0.1


@pytest.mark.parametrize(
    ("length", "levels", "count"),
    [(24.0, 0, 16), (25.0, 2, 16), (27.1, 2, 20), (0.7, 0, 1), (2.0, 0, 2), (9.0, 3, 6)],
)
def test_large_cells_are_fitted_where_they_can_be(length: float, levels: int, count: int) -> None:
    """16.7 cells become 16 for large cells to fit, 6 do not become 8."""
    assert cubes_along(length, 1.5, levels) == count
