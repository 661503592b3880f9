"""White balance and exposure as a closed loop: raw statistics are safe, those behind a steep matrix are not."""

from __future__ import annotations

import numpy as np
import pytest

from campro.cameras.feedback_loop import simulate_loop
from campro.isp import load_profile
from campro.isp.limits import parts


def loop_of(name, statistics):
    return simulate_loop(np.array(parts(load_profile(name))[0].matrix), statistics, scenes=1)


@pytest.mark.parametrize("name", ["campro-default", "campro-strong"])
def test_raw_statistics_do_not_see_the_matrix(name):
    assert loop_of(name, "raw").gain_error == 0
    assert loop_of(name, "raw").settled


def test_campro_default_settles_where_the_inverse_is_applied():
    assert loop_of("campro-default", "behind-matrix-inverted").settled


def test_campro_strong_freezes_the_gains():
    """Grey becomes (0, g, g) after clipping, and its inverse image is dark: no frame is measured."""
    loop = loop_of("campro-strong", "behind-matrix-inverted")
    assert loop.frozen == 1
    assert not loop.settled


def test_campro_strong_runs_away_without_the_inverse():
    loop = loop_of("campro-strong", "behind-matrix")
    assert loop.gain_error > 1
    assert not loop.settled


def test_the_identity_settles_everywhere():
    for statistics in ("raw", "behind-matrix", "behind-matrix-inverted"):
        assert simulate_loop(np.eye(3), statistics, scenes=1).settled
