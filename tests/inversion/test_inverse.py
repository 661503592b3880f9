"""The inverse of a profile as a table: by hand where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.images import write_image
from campro.inversion.inverse import CELLS, Inverse, _variances, posterior_mean, prior_of, spread_codes
from campro.isp import Camera, IspProfile, load_profile

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
UNIFORM = np.full(CELLS, 1.0)


def test_the_inverse_of_what_loses_nothing_is_exact():
    negative = IspProfile("invert", load_profile("invert").blocks)
    np.testing.assert_array_equal(Inverse(negative, UNIFORM)(Camera(negative)(RGB)), RGB)


def test_the_inverse_is_the_mean_over_what_became_one_colour():
    """All colours become their highest bit: by hand, the mean of each half of the levels, weighed by the prior."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    table, made = posterior_mean(raw & 0x808080, UNIFORM)
    np.testing.assert_array_equal(table[0x000000], [64, 64, 64])  # 63.5, halves up
    np.testing.assert_array_equal(table[0x800080], [192, 64, 192])
    np.testing.assert_array_equal(table[0x810181], table[0x800080])  # never captured: as its neighbourhood
    assert made.sum() == 8
    dark = UNIFORM.copy()
    dark[0] = 1e9
    np.testing.assert_array_equal(posterior_mean(raw & 0x808080, dark)[0][0], [4, 4, 4])  # 3.5


def test_spread_is_how_far_apart_the_colours_are_that_became_one():
    """Red becomes its highest bit, green loses one bit, blue nothing: by hand, and the same by weight."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    captured = raw & 0x80FEFF
    means, _ = posterior_mean(captured, UNIFORM)
    found = _variances(captured, UNIFORM, means)[captured[::4099]]
    red = (128**2 - 1) / 12 + 0.25  # a half from the mean, which is rounded
    np.testing.assert_allclose(found[:, 0], red, rtol=1e-5)
    np.testing.assert_allclose(found[:, 1:], [[0.5, 0.0]] * len(found), atol=1e-6)
    assert set(spread_codes(found)) == {3}
    assert spread_codes(_variances(captured, UNIFORM, means)[[0x000100]])[0] == 63  # none becomes it: beyond all


def test_a_prior_counts_photographs_alike(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((10, 10, 3), np.uint8))
    write_image(tmp_path / "b.png", np.full((50, 50, 3), 255, np.uint8))
    prior = prior_of([tmp_path / "a.png", tmp_path / "b.png"])
    assert prior[0] == pytest.approx(prior[-1])
    assert prior.sum() == pytest.approx(2.1)


def test_a_picture_that_was_drawn_on_is_told_from_what_the_camera_made():
    profile = load_profile("campro-default")
    inverse, captured = Inverse(profile, UNIFORM), Camera(profile)(RGB)
    assert inverse.made(captured) == 1.0
    captured[:20] = RGB[:20]
    assert 0.5 < inverse.made(captured) < 0.8  # a fifth of all colours can be handed out
