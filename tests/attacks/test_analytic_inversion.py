"""Analytic inversion undoes an invertible profile exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from campro.attacks.analytic_inversion import colour_prior, inversion_runs, pixel_inverse
from campro.attacks.attack_base import AttackerKnowledge
from campro.isp import Camera, load_profile


@pytest.fixture
def knowledge(tiny_embedder, photo):
    return AttackerKnowledge(tiny_embedder(), 0, photos=(photo,), profiles=(load_profile("invert"),))


@pytest.mark.slow
def test_an_invertible_profile_is_undone(knowledge, cache, rgb):
    (inverse,) = inversion_runs(knowledge, cache)["per-pixel inverse"]().transforms
    np.testing.assert_allclose(inverse(Camera("invert")(rgb)).astype(int), rgb, atol=1)
    assert pixel_inverse(knowledge, cache) is inverse


def test_blurring_profiles_have_no_analytic_inverse(knowledge, cache):
    assert list(inversion_runs(knowledge, cache)) == ["per-pixel inverse", "neighbourhood inverse"]
    assert not inversion_runs(replace(knowledge, profiles=(load_profile("defocus-9-3"),)), cache)


def test_the_prior_is_of_the_photographs(knowledge, cache):
    prior = colour_prior(knowledge, cache)
    assert prior.sum() == pytest.approx(1.1)  # one photograph, and an even spread of the weight 0.1
    assert colour_prior(knowledge, cache) is prior
