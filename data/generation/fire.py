"""FIRE, for rigid clumps of balls that push each other by their overlaps.

Bitzek et al., Phys. Rev. Lett. 97, 170201 (2006). Forces are overlaps, bodies have the mass 1 and
a moment of inertia of their lever squared; y and x are periodic. Only arithmetic and roots are
used, one after the other, so that the bits are the same on every processor.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from voxtrode.data.generation.neighbours import close_pairs, wrapped

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_FIRST, _SMALLEST, _LARGEST = 0.15, 0.02, 0.6  # steps of time
_PATIENCE = 5  # steps downhill before steps grow
_GROW, _SHRINK = 1.1, 0.5
_MIXING, _LESS_MIXING = 0.1, 0.99
_STRIDE = 0.1  # of a body's own radius: the longest way in a step
_SKIN = 0.5  # of the smallest body's radius: how far pairs are looked for


@njit(cache=True)
def place(centres: Floats, quaternions: Floats, first: Indices, offsets: Floats) -> Floats:
    """Centres of the balls of bodies, float[m, 3]."""
    balls = np.empty_like(offsets)
    for b in range(len(centres)):
        w, p, q, r = quaternions[b]
        for k in range(first[b], first[b + 1]):
            u, v, s = offsets[k]
            # x + 2 w (a x x) + 2 a x (a x x) with the axis part a of the quaternion
            cu = q * s - r * v
            cv = r * u - p * s
            cs = p * v - q * u
            balls[k, 0] = centres[b, 0] + u + 2.0 * (w * cu + q * cs - r * cv)
            balls[k, 1] = centres[b, 1] + v + 2.0 * (w * cv + r * cu - p * cs)
            balls[k, 2] = centres[b, 2] + s + 2.0 * (w * cs + p * cv - q * cu)
    return balls


@njit(cache=True)
def gyration(first: Indices, offsets: Floats, radii: Floats) -> Floats:
    """Squared lever of each body; 0 where turning changes nothing."""
    squared = np.zeros(len(first) - 1)
    for b in range(len(squared)):
        far = 0.0
        for k in range(first[b], first[b + 1]):
            distance = offsets[k, 0] ** 2 + offsets[k, 1] ** 2 + offsets[k, 2] ** 2
            far = max(far, np.sqrt(distance))
        if far > 1e-9:
            squared[b] = max(far, 0.3 * radii[first[b]]) ** 2
    return squared


@njit(cache=True)
def _push(
    b: int,
    arm: tuple[float, float, float],
    push: tuple[float, float, float],
    force: Floats,
    torque: Floats,
) -> None:
    """Adds a force that acts at the end of an arm from a body's centre."""
    for axis in range(3):
        force[b, axis] += push[axis]
    torque[b, 0] += arm[1] * push[2] - arm[2] * push[1]
    torque[b, 1] += arm[2] * push[0] - arm[0] * push[2]
    torque[b, 2] += arm[0] * push[1] - arm[1] * push[0]


@njit(cache=True)
def _pairs(
    box: Floats,
    centres: Floats,
    balls: Floats,
    radii: Floats,
    body: Indices,
    first: Indices,
    second: Indices,
    force: Floats,
    torque: Floats,
    energy: Floats,
) -> tuple[float, float]:
    """Forces between balls; the largest overlap and the mean one, over the sums of radii."""
    worst = 0.0
    total = 0.0
    touching = 0
    for p in range(len(first)):
        i = first[p]
        j = second[p]
        dz = balls[i, 0] - balls[j, 0]
        dy = wrapped(balls[i, 1] - balls[j, 1], box[1])
        dx = wrapped(balls[i, 2] - balls[j, 2], box[2])
        reach = radii[i] + radii[j]
        squared = dz * dz + dy * dy + dx * dx
        if squared >= reach * reach or squared == 0.0:
            continue
        distance = np.sqrt(squared)
        overlap = reach - distance
        worst = max(worst, overlap / reach)
        total += overlap / reach
        touching += 1
        size = overlap / distance
        # They meet in the middle of the overlap.
        inner = (0.5 * overlap - radii[i]) / distance
        outer = 1.0 + inner
        a = body[i]
        b = body[j]
        arm = (
            balls[i, 0] - centres[a, 0] + inner * dz,
            balls[i, 1] - centres[a, 1] + inner * dy,
            balls[i, 2] - centres[a, 2] + inner * dx,
        )
        _push(a, arm, (size * dz, size * dy, size * dx), force, torque)
        arm = (
            balls[j, 0] - centres[b, 0] + outer * dz,
            balls[j, 1] - centres[b, 1] + outer * dy,
            balls[j, 2] - centres[b, 2] + outer * dx,
        )
        _push(b, arm, (-size * dz, -size * dy, -size * dx), force, torque)
        energy[a] += 0.25 * overlap * overlap
        energy[b] += 0.25 * overlap * overlap
    return worst, total / max(touching, 1)


@njit(cache=True)
def _walls(
    height: float,
    centres: Floats,
    balls: Floats,
    radii: Floats,
    body: Indices,
    lower: Floats,
    upper: Floats,
    force: Floats,
    torque: Floats,
    energy: Floats,
) -> float:
    """Forces of the walls on balls and of the limits on centres; the largest overlap."""
    worst = 0.0
    for k in range(len(balls)):
        b = body[k]
        below = max(radii[k] - balls[k, 0], 0.0)
        above = max(balls[k, 0] + radii[k] - height, 0.0)
        if below + above > 0.0:
            worst = max(worst, max(below, above) / (2.0 * radii[k]))
            arm = (0.0, balls[k, 1] - centres[b, 1], balls[k, 2] - centres[b, 2])
            _push(b, arm, (below - above, 0.0, 0.0), force, torque)
            energy[b] += 0.5 * (below * below + above * above)
    for b in range(len(centres)):
        outside = min(centres[b, 0] - lower[b], 0.0) + max(centres[b, 0] - upper[b], 0.0)
        force[b, 0] -= outside
        energy[b] += 0.5 * outside * outside
    return worst


@njit(cache=True)
def _sums(
    force: Floats, torque: Floats, speed: Floats, spin: Floats, inertia: Floats
) -> tuple[float, float, float]:
    """Power, squared force and squared speed in all degrees of freedom."""
    power = 0.0
    forces = 0.0
    speeds = 0.0
    for b in range(len(force)):
        for axis in range(3):
            power += force[b, axis] * speed[b, axis]
            forces += force[b, axis] ** 2
            speeds += speed[b, axis] ** 2
            if inertia[b] > 0.0:
                power += torque[b, axis] * spin[b, axis]
                forces += torque[b, axis] ** 2 / inertia[b]
                speeds += spin[b, axis] ** 2 * inertia[b]
    return power, forces, speeds


@njit(cache=True)
def _accelerate(
    keep: float,
    gain: float,
    force: Floats,
    torque: Floats,
    speed: Floats,
    spin: Floats,
    inertia: Floats,
) -> None:
    """Speeds times `keep` plus forces times `gain`."""
    for b in range(len(force)):
        for axis in range(3):
            speed[b, axis] = keep * speed[b, axis] + gain * force[b, axis]
            if inertia[b] > 0.0:
                spin[b, axis] = keep * spin[b, axis] + gain * torque[b, axis] / inertia[b]


@njit(cache=True)
def _advance(
    dt: float,
    centres: Floats,
    quaternions: Floats,
    speed: Floats,
    spin: Floats,
    inertia: Floats,
    largest: Floats,
) -> None:
    """Moves and turns the bodies, none further than its stride."""
    for b in range(len(centres)):
        straight = 0.0
        turn = 0.0
        for axis in range(3):
            straight += speed[b, axis] ** 2
            turn += spin[b, axis] ** 2 * inertia[b]
        way = dt * np.sqrt(max(straight, turn))
        if way > _STRIDE * largest[b]:
            speed[b] *= _STRIDE * largest[b] / way
            spin[b] *= _STRIDE * largest[b] / way
        for axis in range(3):
            centres[b, axis] += dt * speed[b, axis]
        if inertia[b] > 0.0:
            _turn(quaternions[b], spin[b], dt)


@njit(cache=True)
def _farthest(balls: Floats, known: Floats) -> float:
    """The longest way of a ball."""
    farthest = 0.0
    for k in range(len(balls)):
        squared = 0.0
        for axis in range(3):
            squared += (balls[k, axis] - known[k, axis]) ** 2
        farthest = max(farthest, squared)
    longest: float = np.sqrt(farthest)
    return longest


@njit(cache=True)
def _turn(quaternion: Floats, spin: Floats, dt: float) -> None:
    """Turns by 2 atan(|spin| dt / 2), which needs no function but the root."""
    w, p, q, r = quaternion
    u = 0.5 * dt * spin[0]
    v = 0.5 * dt * spin[1]
    s = 0.5 * dt * spin[2]
    quaternion[0] = w - u * p - v * q - s * r
    quaternion[1] = p + u * w + v * r - s * q
    quaternion[2] = q + v * w + s * p - u * r
    quaternion[3] = r + s * w + u * q - v * p
    quaternion /= np.sqrt((quaternion**2).sum())


@njit(cache=True)
def fire(
    box: Floats,
    centres: Floats,
    quaternions: Floats,
    start: Indices,
    offsets: Floats,
    radii: Floats,
    body: Indices,
    lower: Floats,
    upper: Floats,
    inertia: Floats,
    energy: Floats,
    steps: int,
    enough: float,
) -> tuple[int, float, float]:
    """Moves and turns bodies downhill.

    Args:
        box: Edge lengths (z, y, x), float[3].
        centres: Of the bodies, changed in place, float[n, 3].
        quaternions: Of the bodies, changed in place, float[n, 4].
        start: Where the balls of each body begin, int[n + 1].
        offsets: Of the balls from their body's centre, in the body's frame, float[m, 3].
        radii: Of the balls, float[m].
        body: Of each ball, int[m].
        lower, upper: Limits of the bodies' heights, float[n].
        inertia: Squared lever of each body; 0 where turning changes nothing, float[n].
        energy: Is set to the energy of each body, float[n].
        steps: At most that many.
        enough: Ends when no overlap is larger, over the sum of radii.

    Returns:
        Number of steps, mean and largest overlap.
    """
    n = len(centres)
    largest = np.zeros(n)
    for k in range(len(radii)):
        largest[body[k]] = max(largest[body[k]], radii[k])
    force = np.zeros((n, 3))
    torque = np.zeros((n, 3))
    speed = np.zeros((n, 3))
    spin = np.zeros((n, 3))
    skin = _SKIN * largest.min()
    balls = place(centres, quaternions, start, offsets)
    known = balls.copy()
    first, second = close_pairs(balls, radii, body, box, skin)
    dt = _FIRST
    mixing = _MIXING
    downhill = 0
    taken = 0
    worst = 0.0
    mean = 0.0
    for step in range(steps + 1):
        if 2.0 * _farthest(balls, known) > skin:
            first, second = close_pairs(balls, radii, body, box, skin)
            known[:] = balls
        force[:] = 0.0
        torque[:] = 0.0
        energy[:] = 0.0
        worst, mean = _pairs(box, centres, balls, radii, body, first, second, force, torque, energy)
        pressed = _walls(box[0], centres, balls, radii, body, lower, upper, force, torque, energy)
        worst = max(worst, pressed)
        power, forces, speeds = _sums(force, torque, speed, spin, inertia)
        taken = step
        if worst <= enough or step == steps or forces < 1e-16 * n * skin * skin:
            break
        if power > 0.0:
            downhill += 1
            ratio = mixing * np.sqrt(speeds / forces)
            _accelerate(1.0 - mixing, ratio, force, torque, speed, spin, inertia)
            if downhill > _PATIENCE:
                dt = min(dt * _GROW, _LARGEST)
                mixing *= _LESS_MIXING
        else:
            downhill = 0
            speed[:] = 0.0
            spin[:] = 0.0
            dt = max(dt * _SHRINK, _SMALLEST)
            mixing = _MIXING
        _accelerate(1.0, dt, force, torque, speed, spin, inertia)
        _advance(dt, centres, quaternions, speed, spin, inertia, largest)
        balls = place(centres, quaternions, start, offsets)
    for b in range(n):
        for axis in range(1, 3):
            centres[b, axis] -= box[axis] * np.floor(centres[b, axis] / box[axis])
    return taken, mean, worst
