"""Local thickness and chords against closed forms and the definition."""

import numpy as np
import pytest
from labelled_shapes import CUBE, FLAT, ball, noise
from scipy.ndimage import distance_transform_edt, gaussian_filter

from voxtrode.data.characterisation.sizes import mean_chords, size_distribution


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [1, 2, 5])
def test_thickness_of_a_film(axis, thickness):
    """Flat: within one voxel, in nearly cubic ones of the shortest edge or a little more."""
    mask = np.zeros((20, 21, 22), bool)
    mask[(slice(None),) * axis + (slice(6, 6 + thickness),)] = True
    found = size_distribution(mask, FLAT)
    for key in ("d10_m", "d50_m", "d90_m", "mean_m", "max_m"):
        assert found[key] == pytest.approx(thickness * FLAT[axis], abs=1.0 + 1e-6)
    chords = mean_chords(mask, FLAT)
    assert chords.pop("zyx"[axis]) == pytest.approx(thickness * FLAT[axis])
    assert set(chords.values()) == {None}


def test_not_narrower_at_a_side():
    """Half a film at the side of the box is a whole one with its mirror image."""
    mask = np.zeros((20, 8, 9), bool)
    mask[:5] = True
    assert size_distribution(mask, CUBE)["d50_m"] == pytest.approx(10.0)
    assert mean_chords(mask, CUBE)["z"] == 10.0


@pytest.mark.parametrize(("voxel", "radius"), [(CUBE, 8.0), (CUBE, 16.0), (FLAT, 20.0)])
def test_thickness_of_a_ball(voxel, radius):
    """Its diameter, less up to 1.5 voxels of the longest edge: centres lie on voxels."""
    shape = tuple(int((2 * radius + 6) / edge) for edge in voxel)
    found = size_distribution(ball(shape, np.full(3, radius + 3.2), radius, voxel), voxel)
    assert 2 * radius - 1.5 * max(voxel) < found["d50_m"] < 2 * radius + 0.5
    assert found["d50_m"] == pytest.approx(found["max_m"], rel=0.05)


def test_mixture_of_films():
    """Films of 3 and 9 voxels, 1 to 1 by volume: the curve steps down once, at a half."""
    mask = np.zeros((100, 6, 7), bool)
    for first in (5, 15, 25):
        mask[first : first + 3] = True
    mask[60:69] = True
    found = size_distribution(mask, CUBE)
    curve = found["curve"]
    diameters, shares = np.array(curve["diameter_m"]), np.array(curve["share"])
    assert shares[diameters <= 4.0] == pytest.approx(1.0)
    assert shares[diameters > 4.0] == pytest.approx(0.5)
    assert found["d10_m"] <= 5.0
    assert found["d90_m"] == pytest.approx(10.0)
    assert (np.diff(shares) <= 0).all()


def brute_thickness(mask):
    """Per voxel of a set the largest diameter of a ball inside it that covers the voxel."""
    # Voxels beside a mirrored side are their own neighbours: a mirrored margin says the distances.
    width = max(mask.shape)
    inner = tuple(slice(width, width + length) for length in mask.shape)
    distance = distance_transform_edt(np.pad(mask, width, mode="symmetric"))[inner]
    indices = np.stack(np.indices(mask.shape), axis=-1)
    thickness = np.zeros(mask.shape)
    for centre in np.argwhere(mask):
        radius = distance[tuple(centre)]
        inside = ((indices - centre) ** 2).sum(axis=-1) < radius**2 - 1e-9
        thickness[inside] = np.maximum(thickness[inside], 2 * radius)
    return thickness[mask]


@pytest.mark.parametrize("shape", [(16, 18, 20), (1, 30, 40), (7, 24, 16)])
@pytest.mark.parametrize("grain", [1.5, 3.0])
def test_thickness_is_that_of_the_definition(shape, grain):
    """Each share is of what balls at least so large cover; between radii none is left out."""
    field = gaussian_filter(np.random.default_rng(3).normal(size=shape), grain, mode="wrap")
    mask = field > np.median(field)
    exact = brute_thickness(mask)
    curve = size_distribution(mask, CUBE, count=10_000)["curve"]
    assert curve["share"][0] == 1.0
    for diameter, share in zip(curve["diameter_m"], curve["share"], strict=True):
        assert share == np.mean(exact > diameter * (1 - 1e-6))


def test_scale_of_sizes():
    """The same in nanometres."""
    mask = noise((12, 13, 14), 2).astype(bool)
    one, other = size_distribution(mask, CUBE), size_distribution(mask, (1e-9,) * 3)
    assert other["d50_m"] == pytest.approx(one["d50_m"] * 1e-9)


def test_mean_chord_of_a_ball():
    """4 R/3 along each axis, whatever the voxels' edges."""
    mask = ball((30, 90, 45), np.array([45.2, 44.9, 45.1]), 36.0, FLAT)
    assert list(mean_chords(mask, FLAT).values()) == pytest.approx([48.0] * 3, rel=0.01)


# Profiles
