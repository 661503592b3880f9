"""The fitted colours of a simulated camera are close to its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.deploy.colour_fit import fit_colours, sampled
from campro.deploy.shot_pairs import Pair, registered
from campro.isp import MeasuredDegamma

from .conftest import LIGHT, MATRIX, MIXED, NOMINAL, TONE, VALUES


@pytest.mark.slow
def test_unknown_parameters_are_recovered(taken):
    pairs = [registered(str(i), *pair, NOMINAL) for i, pair in enumerate(taken)]
    found = fit_colours(sampled(pairs), NOMINAL)
    tone, ccm, lut, _ = found.blocks
    assert isinstance(tone, MeasuredDegamma)
    even = np.linspace(0, 1, len(tone.values))
    np.testing.assert_allclose(tone.values, np.interp(even, TONE, LIGHT), atol=0.03)
    np.testing.assert_allclose(ccm.matrix, MATRIX, atol=0.04)
    assert np.abs(ccm.matrix - MATRIX).mean() < np.abs(np.array(MIXED) - MATRIX).mean() / 2
    np.testing.assert_allclose(lut.values, VALUES, atol=0.04)


def test_pictures_of_one_colour_are_too_few_samples():
    flat = np.full((240, 320, 3), 120, np.uint8)
    with pytest.raises(CamproError, match="flat squares of different colours, got 20"):
        sampled([Pair("a", flat, flat, np.ones((240, 320), bool))])


def test_at_most_20_squares_of_each_colour_are_sampled():
    """32 x 40 squares of 40 grey levels, 8 levels apart or more: each level gives 20 samples."""
    levels = np.linspace(10, 245, 29).astype(np.uint8)
    picture = np.repeat(np.repeat(np.tile(levels, (32, 1)), 8, 0), 8, 1)
    picture = np.repeat(picture[..., None], 3, 2)
    samples = sampled([Pair("a", picture, 255 - picture, np.ones(picture.shape[:2], bool))])
    assert len(samples.default) == 29 * 20
    np.testing.assert_allclose(samples.default + samples.protected, 1)
