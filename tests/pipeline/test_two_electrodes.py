"""`kind: two_electrodes`: a full cell in one volume from a study file alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voxtrode.data.connectivity import judge
from voxtrode.data.errors import InputError
from voxtrode.pipeline.check import check
from voxtrode.pipeline.stage_image import roles_of
from voxtrode.pipeline.study import Study, parse_study

SPHERES: dict[str, Any] = {
    "diameters": ["3 um"],
    "size": ["6 um", "5 um", "5 um"],
    "voxel": "0.5 um",
    "active_fraction": 0.5,
    "seed": 1,
}
NSD = {"porosity": 0.5, "tortuosity": "bruggeman", "conductivity": "10 S/m"}


def study(**last: Any) -> Study:
    """A positive electrode at z = 0, a thicker negative one at z = L."""
    other = {**SPHERES, "size": ["7 um", "5 um", "5 um"], "seed": 2, **last}
    return parse_study(
        {
            "name": "cell",
            "volume": {
                "generate": {
                    "kind": "two_electrodes",
                    "first": SPHERES,
                    "between": "3 um",
                    "last": other,
                }
            },
            "phases": {
                "first-active": {"material": "nmc811"},
                "first-nsd": NSD,
                "between": {"porosity": 0.5, "tortuosity": 1.5},
                "last-active": {"material": "graphite-chen2020"},
                "last-nsd": NSD,
            },
            "positive": {"phases": ["first-active", "first-nsd"], "collector": "first"},
            "negative": {
                "phases": ["last-active", "last-nsd"],
                "collector": "last",
                "potentials": ["0.1 V", "0.9 V"],
            },
            "voltage_window": ["2.5 V", "4.2 V"],
            "protocol": [{"discharge": "1C", "until": "2.5 V"}],
            "mesh": {"size": "1 um"},
        },
        Path("/"),
    )


def test_both_electrodes_reach_their_collectors() -> None:
    """The volume is what was announced, and every particle is alive; the ends say what they are."""
    made = study()
    assert made.collectors == ("positive collector", "negative collector")
    assert str(check(made)["volume"]).startswith("32 x 10 x 10 voxels")
    generate = made.volume.generate
    assert generate is not None
    volume = generate.make()
    assert volume.labels.shape == generate.shape
    assert volume.phases == generate.phase_names
    shares = np.bincount(volume.labels.ravel()) / volume.labels.size
    assert dict(zip(volume.phases, shares, strict=True)) == pytest.approx(
        generate.expected_shares, abs=0.03
    )
    roles = roles_of(made, volume.phases, volume.labels.shape)
    flags = judge(volume.labels, roles)
    alive = flags.active[np.isin(volume.labels, roles.active)]
    assert alive.mean() > 0.99
    assert set(np.unique(volume.labels[flags.active])) == set(roles.active)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"voxel": "0.25 um"}, "voxel of last"),
        ({"size": ["7 um", "6 um", "5 um"]}, r"size of last .* expected equal \(y, x\)"),
    ],
)
def test_electrodes_that_do_not_fit(changes: dict[str, Any], said: str) -> None:
    """Refused, with both."""
    with pytest.raises(InputError, match=said):
        study(**changes)
