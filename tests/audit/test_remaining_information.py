"""The information that a profile leaves in a pixel."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from campro.audit import remaining_information as module
from campro.audit.remaining_information import ANYTHING, remaining_information, spread
from campro.core.images import write_image
from campro.inversion.inverse import BINS
from campro.isp import load_profile


def context(tmp_path, profile):
    picture = tmp_path / "a.png"
    write_image(picture, np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8))
    return SimpleNamespace(
        profile=load_profile(profile),
        config=SimpleNamespace(seed=0, densities=(20.0,)),
        evaluation=SimpleNamespace(people=100),
        train_faces=None,
        photos=(picture,),
    )


@pytest.mark.slow
@pytest.mark.parametrize(("captured", "unknown"), [(np.arange(1 << 24, dtype=np.uint32), 0), (None, 1)])
def test_all_colours_are_counted(tmp_path, monkeypatch, captured, unknown):
    """A bijection leaves nothing unknown; one captured colour leaves all of it unknown, and Fano's bound says so."""
    table = np.zeros(1 << 24, np.uint32) if captured is None else captured
    monkeypatch.setattr(module, "colour_table", lambda blocks: table)
    found = remaining_information(context(tmp_path, "invert"))
    assert found.unknown_bits == pytest.approx(unknown * found.raw_bits, abs=1e-6)
    assert (found.source, found.pictures) == (ANYTHING, 1)
    assert found.fano_rank1 == pytest.approx(1 / np.log2(100) if unknown else 1.0)


def test_the_weight_of_a_bin_is_spread_over_its_colours():
    prior = np.zeros(BINS)
    prior[(1 << 10) | (2 << 5) | 3] = 1.0  # red 8 to 15, green 16 to 23, blue 24 to 31
    weights = spread(prior)
    (colours,) = np.nonzero(weights)
    assert len(colours) == 512 and weights.sum() == pytest.approx(1)
    assert {tuple(int(c) >> shift & 255 for shift in (16, 8, 0)) for c in (colours[0], colours[-1])} == {
        (8, 16, 24),
        (15, 23, 31),
    }


def test_other_than_pointwise_profiles_have_no_figure(tmp_path):
    assert remaining_information(context(tmp_path, "low-resolution-4")) is None
