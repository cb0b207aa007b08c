"""Connectivity on arrays small enough to judge by hand, and on slabs against the whole."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from voxtrode.data.connectivity import (
    Roles,
    isolated_fractions,
    judge,
    percolates,
    percolating_shares,
    require_paths,
    scipy_label,
)
from voxtrode.data.errors import InputError

PORE, NMC, CBD = 0, 1, 2
PHASES = ("pore", "nmc", "cbd")
ROLES = Roles(active=(NMC,), electronic=(NMC, CBD), ionic=(PORE, CBD))
NO_CBD = Roles(active=(NMC,), electronic=(NMC,), ionic=(PORE,))


def column(text):
    """A volume one voxel high, rows of x from z = 0 on: '.' pore, 'N' nmc, 'C' cbd."""
    values = {".": PORE, "N": NMC, "C": CBD}
    rows = [[values[letter] for letter in row] for row in text.split()]
    return np.array(rows, dtype=np.uint8)[:, None, :]


def picture(mask):
    return " ".join("".join("#" if one else "-" for one in row) for row in mask[:, 0, :])


def test_paths_and_dead_ends():
    """Left: a grounded particle; middle: a floating one; right: a pore pocket closed in."""
    labels = column("N..NNN N..N.N ....NN .NN... ......")
    flags = judge(labels, NO_CBD)
    assert picture(flags.active) == "#--### #--#-# ----## ------ ------"
    assert picture(flags.electronic) == picture(flags.active)
    assert picture(flags.ionic) == "-##--- -##--- ####-- #--### ######"
    value, by_role = isolated_fractions(labels, NO_CBD, flags, NMC)
    assert value == pytest.approx(2 / 11)
    assert by_role == {"active": 2 / 11, "electronic": 2 / 11}
    assert isolated_fractions(labels, NO_CBD, flags, PORE)[0] == pytest.approx(1 / 19)


def test_edges_and_corners_do_not_connect():
    """Two conductors that meet in an edge only, and the same for the electrolyte."""
    flags = judge(column("N. .N .."), NO_CBD)
    assert picture(flags.active) == "#- -- --"
    flags = judge(column(".N N. N."), NO_CBD)
    assert picture(flags.ionic) == "-- -# -#"


def test_other_conductors_carry_electrons():
    """A particle on a carbon-binder leg is alive; without its being a conductor it is dead."""
    labels = column("C... C... N... ....")
    assert picture(judge(labels, ROLES).active) == "---- ---- #--- ----"
    assert not judge(labels, Roles((NMC,), (NMC,), (PORE, CBD))).active.any()


def test_unwetted_material_is_dead_and_leads_nobody():
    """The lower particle is walled in by a void: dead, so that what stands on it is dead too."""
    void = 3
    labels = column("N... N... C... N... ....")
    labels[:3, 0, 1] = void
    roles = Roles((NMC,), (NMC, CBD), (PORE,))
    flags = judge(labels, roles)
    assert not flags.active.any()
    assert not flags.electronic.any()
    wetted = labels.copy()
    wetted[1, 0, 1:] = PORE
    assert picture(judge(wetted, roles).active) == "#--- #--- ---- #--- ----"


def test_wetted_by_living_electrolyte_only():
    """A pore pocket without a path to the counter face wets nothing."""
    labels = column("NNN N.N NNN ...")
    assert picture(judge(labels, NO_CBD).active) == "### #-# ### ---"  # wetted from above
    shut = column("NNN N.N NNN CCC")
    flags = judge(shut, Roles((NMC,), (NMC, CBD), (PORE,)))
    assert not flags.ionic.any()
    assert not flags.active.any()


def test_components_are_judged_by_material():
    """An unwetted piece of one material is dead though a piece of another beside it is wetted."""
    labels = column("NC NC CC ..")
    both = Roles(active=(NMC, CBD), electronic=(NMC, CBD), ionic=(PORE,))
    assert picture(judge(labels, both).active) == "-# -# ## --"


def test_agrees_with_the_rule_iterated_to_its_fixed_point():
    """The rule as the model states it, repeated until nothing changes, on random volumes."""
    random = np.random.default_rng(5)
    roles = Roles((1, 2), (1, 2, 3), (0, 3))
    for _ in range(30):
        labels = random.choice(5, size=(8, 7, 6), p=[0.28, 0.25, 0.2, 0.12, 0.15])
        flags = judge(labels, roles)
        electronic, ionic, active = iterated(labels, roles)
        np.testing.assert_array_equal(flags.ionic, ionic)
        np.testing.assert_array_equal(flags.electronic, electronic)
        np.testing.assert_array_equal(flags.active, active)


def iterated(labels, roles):
    def reached(mask, layer):
        ids, _ = scipy_label(mask)
        return mask & np.isin(ids, np.unique(ids[layer])[np.unique(ids[layer]) > 0])

    ionic = reached(np.isin(labels, roles.ionic), -1)
    dead = np.zeros(labels.shape, dtype=bool)
    while True:
        electronic = reached(np.isin(labels, roles.electronic) & ~dead, 0)
        active = np.zeros(labels.shape, dtype=bool)
        for value in roles.active:
            ids, count = scipy_label(labels == value)
            for one in range(1, count + 1):
                component = ids == one
                active |= (
                    component & (electronic & component).any() & (grown(component) & ionic).any()
                )
        now_dead = np.isin(labels, roles.active) & ~active
        if np.array_equal(now_dead, dead):
            return electronic, ionic, active
        dead = now_dead


def grown(mask):
    result = np.zeros(mask.shape, dtype=bool)
    for axis in range(3):
        for step in (1, -1):
            moved = np.roll(mask, step, axis=axis)
            index = [slice(None)] * 3
            index[axis] = 0 if step == 1 else -1
            moved[tuple(index)] = False
            result |= moved
    return result


@pytest.mark.parametrize("cuts", [(0, 6, 12), (0, 1, 12), (0, 4, 5, 12)])
def test_slabs_agree_with_the_whole(cuts):
    """Slabs with one halo layer, global ids and joined flags give what the whole volume gives."""
    random = np.random.default_rng(1)
    for _ in range(5):
        labels = random.choice(4, size=(12, 6, 5), p=[0.33, 0.4, 0.17, 0.1])
        whole = judge(labels, ROLES)
        parts = judged_in_slabs(labels, cuts)
        for name in ("electronic", "ionic", "active"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            np.testing.assert_array_equal(joined, getattr(whole, name))


def judged_in_slabs(labels, cuts):
    """One thread per slab, meeting at barriers as ranks do; flags of each slab's own layers."""
    layers, ranks = len(labels), len(cuts) - 1
    barrier, board = Barrier(ranks, timeout=20), [None] * ranks

    def exchange(rank, item):
        board[rank] = item
        barrier.wait()
        everyone = list(board)
        barrier.wait()
        return everyone

    def work(rank):
        low, high = cuts[rank], cuts[rank + 1]
        start, stop = max(low - 1, 0), min(high + 1, layers)
        own = slice(low - start, high - start)

        def label(mask):
            ids, count = scipy_label(np.concatenate(exchange(rank, mask[own])))
            return ids[start:stop], count

        def any_of(flags):
            return np.logical_or.reduce(exchange(rank, flags))

        flags = judge(
            labels[start:stop], ROLES, label, any_of, start == 0 and low == 0, high == layers
        )
        return type(flags)(flags.electronic[own], flags.ionic[own], flags.active[own])

    with ThreadPoolExecutor(ranks) as pool:
        return list(pool.map(work, range(ranks)))


def test_percolation_per_axis():
    mask = np.zeros((3, 3, 3), dtype=bool)
    mask[:, 1, 1] = True
    assert percolates(mask) == {"z": True, "y": False, "x": False}
    mask[0, 0, 0] = True
    assert percolating_shares(mask) == {"z": 0.75, "y": 0.0, "x": 0.0}
    mask[1, 1, 1] = False
    assert percolates(mask) == {"z": False, "y": False, "x": False}
    assert percolates(np.zeros((2, 2, 2), dtype=bool)) == {"z": False, "y": False, "x": False}


def test_isolated_share_of_several_roles():
    """Carbon-binder inside a particle carries electrons and no ions: isolated as a whole."""
    labels = column("NNN. NCN. NNN. C... ....")
    flags = judge(labels, ROLES)
    share, by_role = isolated_fractions(labels, ROLES, flags, CBD)
    assert by_role == {"electronic": 0.0, "ionic": 0.5}
    assert share == 0.5
    assert isolated_fractions(labels, Roles((NMC,), (NMC,), (PORE,)), flags, CBD) == (0.0, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("N. N. NN", "no ionic path along z: none of the phases 'pore'"),
        ("..  N. ..", "phase 'nmc' has no electronic path to the collector along z"),
        ("NN NN CC ..", "phase 'nmc' touches no 'pore' with an ionic path along z"),
    ],
)
def test_missing_paths_are_named(text, message):
    labels = column(text)
    with pytest.raises(InputError, match=message):
        require_paths(labels, NO_CBD, judge(labels, NO_CBD), PHASES)


def test_present_paths_pass():
    labels = column("N.N N.. ...")
    require_paths(labels, NO_CBD, judge(labels, NO_CBD), PHASES)


def test_a_second_electrode_has_its_own_collector_and_its_own_path() -> None:
    """A column [z]: what is alive hangs on the collector of its own electrode.

    1 is the electrode at z = 0, 2 the far one, 0 the pore; some of each lies where no path of its
    own reaches it, and one pore touches one electrode only.
    """
    labels = np.array([1, 0, 2, 0, 1, 0, 2]).reshape(7, 1, 1)
    flags = judge(np.repeat(labels, 2, axis=2), Roles((1, 2), (1, 2), (0,), far=(2,)))
    # Judged by faces, the pores are three layers, each between 1 and 2.
    assert flags.ionic[:, 0, 0].tolist() == [False, True, False, True, False, True, False]
    assert flags.electronic[:, 0, 0].tolist() == [True, *5 * [False], True]
    assert flags.active[:, 0, 0].tolist() == flags.electronic[:, 0, 0].tolist()
    lonely = np.array([1, 0, 1, 0, 2]).reshape(5, 1, 1)
    flags = judge(lonely, Roles((1, 2), (1, 2), (0,), far=(2,)))
    assert flags.ionic[:, 0, 0].tolist() == [False, False, False, True, False]
    assert flags.active[:, 0, 0].tolist() == [False, False, False, False, True]


def test_a_stirred_electrolyte_comes_in_from_every_side():
    """Floating material lives, wetted by what reaches a face of the box; a closed hole is none."""
    labels = column("..... .NNN. .N.N. .NNN. .....")
    stirred = Roles((NMC,), (NMC,), (PORE,), bath=(0, 2), everywhere=True)
    flags = judge(labels, stirred)
    assert picture(flags.active) == "----- -###- -#-#- -###- -----"
    assert picture(flags.ionic) == "##### #---# #---# #---# #####"
    assert not judge(labels, NO_CBD).active.any()
    # Along y, of one voxel, nothing comes in; were it open, the hole would be.
    across = Roles((NMC,), (NMC,), (PORE,), bath=(0, 1, 2), everywhere=True)
    assert picture(judge(labels, across).ionic) == "##### #---# #-#-# #---# #####"


def test_a_stirred_electrolyte_with_a_collector():
    """What has no path to z = 0 is dead, as in a cell."""
    labels = column("..N.. ..N.. ..... .N... .....")
    flags = judge(labels, Roles((NMC,), (NMC,), (PORE,), bath=(0, 2)))
    assert picture(flags.active) == "--#-- --#-- ----- ----- -----"


def test_material_that_no_electrolyte_reaches_is_refused():
    """The message names the phase, and says what to leave."""
    labels = column("NNN N.N NNN")
    stirred = Roles((NMC,), (NMC,), (PORE,), bath=(0, 2), everywhere=True)
    with pytest.raises(InputError, match="leave a layer of electrolyte"):
        require_paths(labels, stirred, judge(labels, stirred), PHASES)
