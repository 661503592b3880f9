"""Derivatives of the colour model, against finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from campro.deploy.colour_model import ColourModel
from campro.deploy.colour_samples import Samples
from campro.isp import load_profile

from .conftest import NOMINAL


def samples(count: int, pairs: int = 3, seed: int = 0) -> Samples:
    rng = np.random.default_rng(seed)
    return Samples(rng.random((count, 3)), rng.random((count, 3)), np.arange(count) % pairs, rng.random((count, 2)))


@pytest.mark.parametrize("offsets", [False, True])
@pytest.mark.parametrize("nominal", [NOMINAL, load_profile("campro-strong")], ids=["mixed", "strong"])
def test_the_jacobian_is_that_of_the_outputs(nominal, offsets):
    data, rng = samples(40), np.random.default_rng(1)
    model = replace(ColourModel.start(nominal, 3), has_offsets=offsets, gains=rng.normal(0, 0.1, (3, 3)))
    outputs, jacobian = model.jacobian(data)
    np.testing.assert_allclose(outputs, model.outputs(data))
    step = rng.normal(0, 1e-7, len(model.vector))
    step[model.sections["rises"]] -= step[model.sections["rises"]].mean()
    moved = model.moved(model.vector + step)
    inside = (moved.values == (model.vector + step)[model.sections["values"]].reshape(model.values.shape)).all(0).all()
    slack = 1e-10 if inside else 2e-7  # values at 0 or 1 are projected
    np.testing.assert_allclose(moved.outputs(data) - outputs, jacobian @ step, atol=slack + 2e-8)


def test_the_profile_predicts_what_the_model_predicts():
    data = samples(20, 1)
    model = ColourModel.start(NOMINAL, 1)
    tone, ccm, lut, _ = model.profile("a").blocks
    light = np.interp(data.default, np.linspace(0, 1, len(tone.values)), tone.values)
    mixed = (light @ np.array(ccm.matrix).T).clip(0, 1)
    shown = np.interp(mixed, lut.positions, lut.values[0])
    np.testing.assert_allclose(model.outputs(data), shown, atol=1e-9)
