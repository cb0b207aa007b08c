"""One particle while it cracks."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.connectivity import scipy_label
from voxtrode.data.generation.cracks_settings import Cracks
from voxtrode.data.generation.cracks_sheets import Frame, Sheet
from voxtrode.data.generation.shape import Floats

Mask = NDArray[np.bool_]
Window = tuple[slice, ...]
Triple = tuple[float, float, float]

SURFACE, INTERNAL = 0, 1
_CRUMB = 27
_CRUMB_SHARE = 1e-3
_BOX = np.ones((3, 3, 3), dtype=bool)


class CrackedBody:
    """A particle in its box, and the voxels its cracks have taken.

    Attributes:
        box: Where the particle's arrays lie in the volume: one voxel more than it on every side.
        size: Number of its voxels before cracking.
        taken: Voxels of surface and of internal cracks.
    """

    def __init__(
        self,
        box: Window,
        own: Mask,
        free: Mask,
        outside: Mask,
        radius: float,
        voxel: Triple,
        sizes: Cracks,
        sheet: Sheet,
    ) -> None:
        """Start without cracks.

        Args:
            box: Place in the volume.
            own: The particle.
            free: Its voxels that may crack.
            outside: Voxels without a particle.
            radius: Largest inscribed radius [m].
            voxel: Edge lengths (z, y, x) [m].
            sizes: Of the cracks.
            sheet: Makes their voxels.
        """
        self.box = box
        self.size = int(np.count_nonzero(own))
        self.taken = (np.zeros(own.shape, dtype=bool), np.zeros(own.shape, dtype=bool))
        self._left = own.copy()
        self._free = free
        self._open = outside.copy()
        self._radius = radius
        self._voxel = np.asarray(voxel)
        self._sizes = sizes
        self._sheet = sheet
        self._extends = np.array([length > 1 for length in own.shape])
        self._starts = (
            np.flatnonzero(free & ndimage.binary_dilation(outside)),
            np.flatnonzero(free & ndimage.binary_erosion(own, _BOX, 2, border_value=1)),
        )

    def add(self, kind: int, most: int, random: np.random.Generator) -> int:
        """Try one sheet of a kind, of at most so many voxels; the number of voxels it took."""
        starts = self._starts[kind]
        if len(starts) == 0:
            return 0
        start = np.array(np.unravel_index(starts[random.integers(len(starts))], self._left.shape))
        if not self._left[tuple(start)]:
            return 0
        frame = (self._from_surface, self._inside)[kind](start, random)
        window = self._window(start, frame.half_extent)
        voxel = (self._voxel[0], self._voxel[1], self._voxel[2])
        sheet = self._sheet(frame, window, self._left[window], voxel, random)
        sheet &= self._free[window]
        keep = (self._opened, self._closed)[kind]
        sheet = keep(sheet, window)
        if np.count_nonzero(sheet) > most:
            sheet = keep(self._trimmed(sheet, window, frame.origin, most), window)
        if not sheet.any():
            return 0
        sheet = self._with_crumbs(sheet, window, most)
        if not np.array_equal(keep(sheet, window), sheet):
            return 0
        number = int(np.count_nonzero(sheet))
        if number:
            self.taken[kind][window][sheet] = True
            self._left[window][sheet] = False
            if kind == SURFACE:
                self._open[window][sheet] = True
        return number

    def _from_surface(self, start: NDArray[np.intp], random: np.random.Generator) -> Frame:
        origin = (start + 0.5) * self._voxel
        near = self._window(start, max(0.4 * self._radius, 2.0 * float(self._voxel.max())))
        mass = np.argwhere(self._left[near]) + [part.start for part in near]
        inward = _unit(self._flat((mass.mean(axis=0) - start) * self._voxel), random)
        depth, length = self._sizes.depth * self._radius, self._sizes.length * self._radius
        return self._frame(origin, inward, (depth, length), random)

    def _inside(self, start: NDArray[np.intp], random: np.random.Generator) -> Frame:
        origin = (start + 0.5) * self._voxel
        along = _unit(self._flat(random.normal(size=3)), random)
        radius = self._sizes.internal_radius * self._radius
        return self._frame(origin, along, (radius, radius), random)

    def _frame(
        self,
        origin: Floats,
        along: Floats,
        length: tuple[float, float],
        random: np.random.Generator,
    ) -> Frame:
        """A sheet that holds `along` and else any direction; across a section it holds that."""
        drawn = random.normal(size=3) if self._extends.all() else 1.0 - self._extends
        across = _unit(drawn - (drawn * along).sum() * along, random)
        normal = np.cross(along, across)
        sizes = self._sizes
        return Frame(origin, along, across, normal, length, sizes.width, sizes.waviness)

    def _opened(self, sheet: Mask, window: Window) -> Mask:
        """The pieces of a sheet that have a face to the outside, also through older cracks."""
        return _touching(sheet, ndimage.binary_dilation(self._open[window]) & sheet)

    def _closed(self, sheet: Mask, window: Window) -> Mask:
        """The part of a sheet with a voxel of the particle or of a void between it and all else."""
        wide = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in window)
        back = tuple(
            slice(part.start - more.start, part.stop - more.start)
            for part, more in zip(window, wide, strict=True)
        )
        safe = self._left[wide] | self.taken[INTERNAL][wide]
        safe = ndimage.binary_erosion(safe, _BOX, border_value=1)
        return sheet & safe[back]

    def _trimmed(self, sheet: Mask, window: Window, origin: Floats, most: int) -> Mask:
        """The voxels of a sheet that are nearest to where it starts."""
        places = np.argwhere(sheet)
        points = (places + [part.start for part in window] + 0.5) * self._voxel
        order = np.argsort(((points - origin) ** 2).sum(axis=1), kind="stable")[:most]
        trimmed = np.zeros_like(sheet)
        trimmed[tuple(places[order].T)] = True
        return trimmed

    def _with_crumbs(self, sheet: Mask, window: Window, most: int) -> Mask:
        """A sheet with the crumbs it cuts off; nothing if it cuts off more, or gets too large."""
        nothing = np.zeros_like(sheet)
        wide = tuple(slice(max(part.start - 1, 0), part.stop + 1) for part in window)
        back = tuple(
            slice(part.start - more.start, part.stop - more.start)
            for part, more in zip(window, wide, strict=True)
        )
        after = self._left[wide].copy()
        after[back] &= ~sheet
        # What each piece in the window leaves is one piece: then nothing is cut off anywhere.
        left = np.unique(scipy_label(self._left[wide])[0][after])
        if scipy_label(after)[1] <= len(left):
            return sheet
        whole = self._left.copy()
        whole[window] &= ~sheet
        pieces, count = scipy_label(whole)
        before = scipy_label(self._left)[1]
        if count <= before:
            return sheet
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        order = np.argsort(-sizes, kind="stable")
        small = order[before:count]
        if sizes[small].max() > max(1, min(_CRUMB, _CRUMB_SHARE * self.size)):
            return nothing
        crumbs = np.isin(pieces, small)
        beyond = crumbs.copy()
        beyond[window] = False
        joined = sheet | crumbs[window]
        allowed = not beyond.any() and bool(self._free[window][joined].all())
        return joined if allowed and np.count_nonzero(joined) <= most else nothing

    def _window(self, start: NDArray[np.intp], half: float) -> Window:
        reach = np.ceil(half / self._voxel).astype(np.intp)
        low = np.maximum(start - reach, 0)
        high = np.minimum(start + reach + 1, self._left.shape)
        return tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))

    def _flat(self, vector: Floats) -> Floats:
        flat: Floats = vector * self._extends
        return flat


def _touching(mask: Mask, seeds: Mask) -> Mask:
    pieces, count = scipy_label(mask)
    chosen = np.zeros(count + 1, dtype=bool)
    chosen[pieces[seeds]] = True
    chosen[0] = False
    touching: Mask = chosen[pieces]
    return touching


def _unit(vector: Floats, random: np.random.Generator) -> Floats:
    """A vector of length 1; any direction where it has none."""
    length = float(np.sqrt((vector**2).sum()))
    return vector / length if length > 1e-300 else np.eye(3)[random.integers(3)]
