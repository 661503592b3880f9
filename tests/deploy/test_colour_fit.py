"""The fitted colours of a simulated camera are close to its parameters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.deploy.colour_fit import better_fit, fit_colours, fit_gains
from campro.deploy.colour_model import ColourModel
from campro.deploy.colour_samples import Samples, sampled
from campro.deploy.fit_checks import checked
from campro.deploy.shot_pairs import Pair, registered
from campro.isp import MeasuredDegamma

from .conftest import LIGHT, MATRIX, MIXED, NOMINAL, TONE, VALUES, with_blocks


def synthetic(pairs: int, stops: float, noise: float = 1 / 255, count: int = 2000) -> tuple[Samples, np.ndarray]:
    """Samples of a camera with MATRIX and VALUES, and the gains (natural logarithms) of its pairs."""
    rng = np.random.default_rng(0)
    gains = np.log(2) * rng.uniform(-stops, stops, (pairs, 3))
    true = replace(ColourModel.start(NOMINAL, pairs), matrix=MATRIX, values=np.array(VALUES), gains=gains)
    data = Samples(
        rng.uniform(0.05, 0.98, (count, 3)), np.zeros((count, 3)), np.arange(count) % pairs, np.zeros((count, 2))
    )
    return replace(data, protected=true.outputs(data) + rng.normal(0, noise, (count, 3))), gains


@pytest.mark.parametrize("stops", [0.0, 0.35])
def test_matrix_and_gains_are_recovered(stops):
    """Differences of exposure and white balance between pairs do not spoil the matrix."""
    data, gains = synthetic(5, stops)
    fit = fit_colours(data, NOMINAL)
    assert np.abs(fit.model.matrix - MATRIX).mean() < np.abs(np.array(MIXED) - MATRIX).mean()
    apart = fit.model.gains - gains
    assert np.abs(apart - apart.mean(0)).max() < 0.02
    low, high = fit.intervals()
    assert (high.matrix - low.matrix).mean() < 0.2
    assert (low.matrix <= fit.model.matrix).all()


def test_the_better_matrix_is_taken():
    """The fitted matrix where the camera's differs from the nominal one, and the nominal one where it does not."""
    data, _ = synthetic(4, 0.1, count=1600)
    rows = data.pair == 3
    training, validation = data.subset(~rows), replace(data.subset(rows), pair=np.zeros(rows.sum(), int))
    fit, kept = better_fit(training, validation, NOMINAL)
    assert not kept
    assert np.abs(fit.model.matrix - MATRIX).mean() < 0.02
    true = with_blocks(MATRIX, VALUES, NOMINAL.blocks[2].knots)
    fit, kept = better_fit(training, validation, true)
    assert kept
    np.testing.assert_allclose(fit.model.matrix, MATRIX, atol=1e-3)
    notes = checked(fit, training, list("abc"), None, kept).notes
    assert any("nominal matrix is kept" in note for note in notes)


def test_gains_alone():
    data, gains = synthetic(3, 0.4)
    true = replace(ColourModel.start(NOMINAL, 1), matrix=MATRIX, values=np.array(VALUES))
    np.testing.assert_allclose(fit_gains(true, data).gains, gains, atol=0.01)


def test_few_pairs_have_no_intervals():
    data, _ = synthetic(3, 0, count=600)
    assert fit_colours(data, NOMINAL).intervals() is None


@pytest.mark.slow
def test_unknown_parameters_are_recovered(taken):
    pairs = [registered(str(i), *pair, NOMINAL) for i, pair in enumerate(taken)]
    found = fit_colours(sampled(pairs), NOMINAL).model.profile("found")
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
    pair = Pair("a", picture, 255 - picture, np.ones(picture.shape[:2], bool))
    samples = sampled([pair, pair])
    assert len(samples) == 29 * 20
    np.testing.assert_allclose(samples.default + samples.protected, 1)
    assert set(samples.pair) == {0, 1}
    np.testing.assert_allclose(samples.default[:, 0], levels[(samples.place[:, 0] * 29).astype(int)] / 255)
    assert len(sampled([pair], 1, 100)) == 100
