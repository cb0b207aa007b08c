"""What limits an electrode, in words that follow from the numbers."""

from voxtrode.pipeline.analysis.limits import Limits
from voxtrode.pipeline.analysis.saturation import NEAR
from voxtrode.pipeline.analysis.solid_transport import TOLERANCE
from voxtrode.pipeline.report.numbers import number, percent

_WHOLE, _LITTLE = 0.9, 0.1
_MOVED = 0.9


def limits_text(found: Limits, thickness: float) -> str:
    """A paragraph on an electrode.

    Args:
        found: Its numbers.
        thickness: Of the volume [m].
    """
    return " ".join([_verdict(found), _solid(found), _liquid(found, thickness), *_rest(found)])


def _verdict(found: Limits) -> str:
    whose = f"the {found.electrode} electrode" if found.electrode else "the electrode"
    share = found.last.share()
    at = f"At DoD {number(found.last.dod)} {whose}"
    if found.depleted:
        return f"{at} is limited by transport in the electrolyte, which has run out of salt."
    if found.moved >= _MOVED:
        return f"{at} has used {percent(found.moved)} of its capacity: little limits it here."
    if share >= _WHOLE:
        return f"{at} is limited by diffusion in its particles, throughout."
    if share <= _LITTLE:
        return f"{at} is not limited by diffusion in its particles: they are not reached."
    return f"{at} is limited by diffusion in its particles in a part of its depth only."


def _solid(found: Limits) -> str:
    last = found.last
    where = ", ".join(f"{1e6 * low:.3g} to {1e6 * high:.3g} µm" for low, high in last.ranges())
    shares = [f"{percent(last.share(t), 2)} at {percent(t, 2)}" for t in (0.05, 0.2)]
    return (
        f"Over {percent(last.share(), 3)} of its thickness{f' (z from {where})' if where else ''}"
        " lithium is spread inside the particles as in free balls under the same current, within"
        f" {percent(TOLERANCE, 2)} ({', '.join(shares)})."
    )


def _liquid(found: Limits, thickness: float) -> str:
    if found.salt is None:
        return "There is no liquid."
    low, high = found.salt
    salt = f"Salt went down to {percent(low, 2)} and up to {percent(high, 3)} of where it began."
    if found.lithiation is None:
        return salt
    spread = found.lithiation
    peak = "it heaps up there" if spread.peaks else "without a peak there"
    return (
        f"{salt} {percent(spread.share, 2)} of the active volume lies within {NEAR:g} of the"
        f" {'highest' if spread.fills else 'lowest'} SoL, {number(spread.furthest, 2)} ({peak}),"
        " around z ="
        f" {1e6 * spread.centre:.3g} µm of {1e6 * thickness:.3g} µm."
    )


def _rest(found: Limits) -> list[str]:
    said = []
    if len(found.idle):
        volume = float(found.idle["Volume [m3]"].sum())
        depth = float((found.idle["Depth [m]"] * found.idle["Volume [m3]"]).sum() / volume)
        said.append(
            f"{len(found.idle)} particles moved less than half of the mean, around z ="
            f" {1e6 * depth:.3g} µm."
        )
    if found.loss is not None:
        name, mean = found.loss
        said.append(
            f"The largest loss of voltage is {name.lower()}: {1e3 * mean:.3g} mV on average."
        )
    return said
