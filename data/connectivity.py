"""What is connected to the collector and to the counter face, judged by faces of voxels."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrode.data.errors import InputError

Mask = NDArray[np.bool_]
Ids = NDArray[np.integer[Any]]
Labeller = Callable[[Mask], tuple[Ids, int]]
Reducer = Callable[[Mask], Mask]

AXES = ("z", "y", "x")


@dataclass(frozen=True)
class Roles:
    """Label values by what their phases can do.

    Attributes:
        active: Labels that store lithium.
        electronic: Labels that conduct electrons (active ones included where they do).
        ionic: Labels that conduct ions.
        far: Labels of a second electrode, whose collector is the face z = L; then there is no
            counter face. Empty with one electrode.
        bath: Axes (0, 1, 2 for z, y, x) across both of whose faces of the box a stirred electrolyte
            reaches in, instead of the one at z = L; empty: none does.
        everywhere: Electrons reach all conductors, not from the collector alone.
    """

    active: tuple[int, ...]
    electronic: tuple[int, ...]
    ionic: tuple[int, ...]
    far: tuple[int, ...] = ()
    bath: tuple[int, ...] = ()
    everywhere: bool = False

    def split(self, values: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Labels of the electrode at z = 0, and of the far one."""
        far = tuple(value for value in values if value in self.far)
        return tuple(value for value in values if value not in self.far), far


@dataclass(frozen=True, eq=False)
class Flags:
    """The voxels that take part, each bool[z, y, x].

    Attributes:
        electronic: Electron conductors with a path to the collector (z = 0).
        ionic: Ion conductors with a path to the counter face (z = L).
        active: Active voxels of connected and wetted components.
    """

    electronic: Mask
    ionic: Mask
    active: Mask


def scipy_label(mask: Mask) -> tuple[Ids, int]:
    """Face-connected components of a mask: ids 1..n (0 outside the mask) and their number n."""
    ids, count = ndimage.label(mask)
    return ids, int(count)


def _unchanged(per_component: Mask) -> Mask:
    return per_component


def judge(
    labels: NDArray[np.integer[Any]],
    roles: Roles,
    label: Labeller = scipy_label,
    any_of: Reducer = _unchanged,
    first_layer: bool = True,
    last_layer: bool = True,
) -> Flags:
    """Find what is alive: connected by faces to the electrode it needs, and wetted.

    An electron conductor is alive with a path to z = 0 through any electron conductors, an ion
    conductor with a path to z = L through any ion conductors. An active component (face-connected
    voxels of one label) is alive if it has an electronic path and at least one face to a living ion
    conductor. Dead active material conducts nothing either: what hangs on it dies with it.

    That rule is a fixed point, and is reached without iterating: whether a component is wetted
    depends on ion conductors alone, and active material without a path leads nobody to the
    collector. So the unwetted components are taken out first and the electronic paths found once.

    With a second electrode (`Roles.far`) each conductor needs a path to its own collector through
    its own electrode, and an ion conductor must wet active material of both.

    In a stirred electrolyte (`Roles.bath`) ions come in across the faces of the box, but for those
    of an axis along which a flat volume was extruded; with `Roles.everywhere` every electron
    conductor is alive whose active components are wetted.

    On a slab of a distributed volume (its own layers and one halo layer towards each neighbour)
    the same rule runs when `label` returns ids that are global, `any_of` joins the flags of
    components over all slabs, and the two booleans say which slab holds a face of the box.

    Args:
        labels: Phase of each voxel [z, y, x].
        roles: What each label can do.
        label: Labels the face-connected components of a mask: ids 1..n, 0 outside, and n.
        any_of: Joins a bool[n + 1] (by component id) over all slabs by logical or.
        first_layer: Whether labels[0] is the layer at the collector.
        last_layer: Whether labels[-1] is the layer at the counter face.

    Returns:
        The living voxels by role.
    """
    bottom = [(0, 0)] if first_layer else []
    top = [(0, -1)] if last_layer else []
    near, far = roles.split(roles.active)
    if roles.far:
        ionic = _joining(labels, roles.ionic, (near, far), label, any_of)
    else:
        starts = _sides(roles.bath, first_layer, last_layer) if roles.bath else top
        ionic = _reach(np.isin(labels, roles.ionic), starts, label, any_of)
    unwetted = np.zeros(labels.shape, dtype=bool)
    for value in roles.active:
        ids, count = label(labels == value)
        wetted = np.zeros(count + 1, dtype=bool)
        for here, there in neighbours():
            wetted[ids[here][ionic[there]]] = True
            wetted[ids[there][ionic[here]]] = True
        wetted = any_of(wetted)
        wetted[0] = True
        unwetted |= ~wetted[ids]
    near, far = roles.split(roles.electronic)
    conductors = np.isin(labels, near) & ~unwetted
    electronic = conductors
    if not roles.everywhere:
        electronic = _reach(conductors, bottom, label, any_of)
    if roles.far:
        electronic |= _reach(np.isin(labels, far) & ~unwetted, top, label, any_of)
    return Flags(electronic, ionic, np.isin(labels, roles.active) & electronic)


def _sides(bath: tuple[int, ...], first_layer: bool, last_layer: bool) -> list[tuple[int, int]]:
    """Axis and index of the layers that a stirred electrolyte comes in from."""
    ends = {(0, 0): first_layer, (0, -1): last_layer}
    return [(axis, k) for axis in bath for k in (0, -1) if ends.get((axis, k), True)]


def neighbours() -> list[tuple[tuple[slice, ...], tuple[slice, ...]]]:
    """Index pairs that lay a 3D array beside itself, one voxel on: one pair per axis z, y, x."""
    pairs = []
    for axis in range(3):
        here, there = [slice(None)] * 3, [slice(None)] * 3
        here[axis], there[axis] = slice(None, -1), slice(1, None)
        pairs.append((tuple(here), tuple(there)))
    return pairs


def percolating_shares(mask: Mask) -> dict[str, float]:
    """Share of a phase in face-connected components that span the box, per axis "z", "y", "x".

    Args:
        mask: The phase, bool[z, y, x].

    Returns:
        0 where the phase does not percolate along an axis.
    """
    return spanning_shares(*scipy_label(mask))


def spanning_shares(ids: Ids, count: int) -> dict[str, float]:
    """Share of the voxels of all components in those that span the box, per axis "z", "y", "x".

    Args:
        ids: Component 1..count of each voxel [z, y, x]; 0 where there is none.
        count: Number of components.
    """
    sizes = np.bincount(ids.ravel(), minlength=count + 1)
    sizes[0] = 0
    shares = {}
    for axis, name in enumerate(AXES):
        spanning = np.intersect1d(np.take(ids, 0, axis=axis), np.take(ids, -1, axis=axis))
        shares[name] = int(sizes[spanning].sum()) / max(int(sizes.sum()), 1)
    return shares


def percolates(mask: Mask) -> dict[str, bool]:
    """Whether one face-connected component of a phase spans the box, per axis "z", "y", "x"."""
    return {axis: share > 0.0 for axis, share in percolating_shares(mask).items()}


def isolated_fractions(
    labels: NDArray[np.integer[Any]], roles: Roles, flags: Flags, value: int
) -> tuple[float, dict[str, float]]:
    """Share of a phase's voxels that are dead.

    Args:
        labels: Phase of each voxel [z, y, x].
        roles: What each label can do.
        flags: What `judge` found.
        value: The phase's label.

    Returns:
        The share that is dead in at least one of the phase's roles (0 for a phase without a role),
        and the dead share by role ("active", "electronic", "ionic").
    """
    judged = {
        "active": (roles.active, flags.active),
        "electronic": (roles.electronic, flags.electronic),
        "ionic": (roles.ionic, flags.ionic),
    }
    alive = {name: mask for name, (values, mask) in judged.items() if value in values}
    phase = labels == value
    total = int(np.count_nonzero(phase))
    if not alive or total == 0:
        return 0.0, {}
    dead = {name: _share(phase & ~mask, total) for name, mask in alive.items()}
    return _share(phase & ~np.logical_and.reduce(list(alive.values())), total), dead


def require_paths(
    labels: NDArray[np.integer[Any]],
    roles: Roles,
    flags: Flags,
    phases: Sequence[str],
) -> None:
    """Refuse a volume in which a simulation has nothing to run on.

    Called before meshing and solving; in the image and transport stages absence is a result.

    Args:
        labels: Phase of each voxel [z, y, x].
        roles: What each label can do.
        flags: What `judge` found.
        phases: Name of each label.

    Raises:
        InputError: No ion conductor reaches the counter face, or an active phase has no electronic
            path to the collector or no wetted part. Names the phase and the axis.
    """
    if roles.bath:
        _require_bath(labels, roles, flags, phases)
        return
    if roles.far and not flags.ionic.any():
        raise InputError(
            f"no ionic path along z: none of the phases {_names(roles.ionic, phases)} touches"
            " active material of both electrodes; check the labels and the crop"
        )
    if not flags.ionic.any():
        raise InputError(
            f"no ionic path along z: none of the phases {_names(roles.ionic, phases)} reaches the "
            "counter face (z = L); check the collector's end, the labels and the crop"
        )
    # Judged without the rule on wetting, to name what is missing.
    near, far = roles.split(roles.electronic)
    paths = _reach(np.isin(labels, near), [(0, 0)], scipy_label, _unchanged)
    if roles.far:
        paths |= _reach(np.isin(labels, far), [(0, -1)], scipy_label, _unchanged)
    for value in roles.active:
        phase = labels == value
        if not (phase & paths).any():
            raise InputError(
                f"phase '{phases[value]}' has no electronic path to the collector along z through "
                f"{_names(roles.electronic, phases)}; check the collector's end, the labels and the"
                " crop, or give a connecting phase a conductivity"
            )
        if not (phase & flags.active).any():
            raise InputError(
                f"phase '{phases[value]}' touches no {_names(roles.ionic, phases)} with an ionic "
                "path along z to the counter face (z = L), or only where it has no electronic path;"
                " check the labels and the crop"
            )


def _require_bath(
    labels: NDArray[np.integer[Any]], roles: Roles, flags: Flags, phases: Sequence[str]
) -> None:
    """As `require_paths`, for a stirred electrolyte."""
    for value in roles.active:
        if not (flags.active & (labels == value)).any():
            electrons = "" if roles.everywhere else ", or has no electronic path to z = 0"
            raise InputError(
                f"phase '{phases[value]}' touches no {_names(roles.ionic, phases)} that reaches a "
                f"side of the volume{electrons}; leave a layer of electrolyte around the particle"
            )


def _reach(mask: Mask, starts: Sequence[tuple[int, int]], label: Labeller, any_of: Reducer) -> Mask:
    """The components of a mask that touch one of some layers, each an axis and an index."""
    ids, count = label(mask)
    touches = np.zeros(count + 1, dtype=bool)
    for axis, layer in starts:
        touches[np.take(ids, layer, axis=axis)] = True
    touches = any_of(touches)
    touches[0] = False
    reached: Mask = touches[ids]
    return reached


def _joining(
    labels: NDArray[np.integer[Any]],
    ionic: tuple[int, ...],
    electrodes: tuple[tuple[int, ...], ...],
    label: Labeller,
    any_of: Reducer,
) -> Mask:
    """The components of the ion conductors that touch active material of each electrode."""
    ids, count = label(np.isin(labels, ionic))
    joins = np.ones(count + 1, dtype=bool)
    for active in electrodes:
        inside = np.isin(labels, active)
        touches = np.zeros(count + 1, dtype=bool)
        for here, there in neighbours():
            touches[ids[here][inside[there]]] = True
            touches[ids[there][inside[here]]] = True
        joins &= any_of(touches)
    joins[0] = False
    joined: Mask = joins[ids]
    return joined


def _share(mask: Mask, total: int) -> float:
    return int(np.count_nonzero(mask)) / total


def _names(values: Sequence[int], phases: Sequence[str]) -> str:
    return ", ".join(f"'{phases[value]}'" for value in values) or "(none)"
