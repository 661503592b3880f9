"""Blocks that simulate a camera: a measured tone curve, and noise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.isp import Ccm, GammaLut, IspProfile, MeasuredDegamma, Quantise, SensorNoise, apply, pipeline
from campro.isp.limits import parts

TONE = MeasuredDegamma((0.0, 0.05, 0.3, 0.6, 1.0))
MIXED = Ccm(((0.7, 0.2, 0.1), (-0.2, 1.1, 0.1), (0.0, 0.4, 0.6)))
CURVE = GammaLut(((0.9, 0.2, 0.6, 0.0),))
MEASURED = IspProfile("measured", (TONE, MIXED, CURVE, Quantise(8)))


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_a_measured_tone_curve_equals_numpy(colour):
    light = np.interp(np.array(colour) / 255, np.linspace(0, 1, 5), TONE.values)
    mixed = (np.array(MIXED.matrix) @ light).clip(0, 1)
    wanted = 255 * np.interp(mixed, np.linspace(0, 1, 4), CURVE.values[0])
    picture = np.array(colour, np.uint8)[None, None]
    np.testing.assert_allclose(apply(MEASURED, picture)[0, 0], wanted, atol=0.501)
    slow = pipeline(MEASURED)(torch.from_numpy(picture).permute(2, 0, 1)[None].double() / 255)
    np.testing.assert_allclose(255 * slow[0, :, 0, 0].detach(), wanted, atol=0.501)


def test_a_measured_tone_curve_is_not_trained_and_survives_a_round_trip():
    module = pipeline(MEASURED)
    assert sum(p.numel() for p in module.parameters() if p.requires_grad) == 9 + 4
    assert module.to_profile("measured") == MEASURED
    assert IspProfile.from_json(MEASURED.to_json()) == MEASURED


@pytest.mark.parametrize("values", [(0.0,), (0.1, 1.0), (0.0, 0.6, 0.5, 1.0), (0.0, 0.9), (0.0, float("nan"), 1.0)])
def test_a_tone_curve_that_does_not_rise_from_0_to_1_is_refused(values):
    with pytest.raises(CamproError):
        MeasuredDegamma(values)


def test_noise_has_its_variance_and_depends_on_seed_and_picture_alone():
    noisy = IspProfile("noisy", (SensorNoise(0.004, 0.02, seed=3),))
    grey = torch.full((1, 3, 200, 200), 0.4, dtype=torch.float64)
    first, again = (pipeline(noisy)(grey) for _ in range(2))
    assert torch.equal(first, again)
    assert float(first.var()) == pytest.approx(0.004 * 0.4 + 0.02**2, rel=0.02)
    other = pipeline(noisy)(grey + 0.01)
    assert (
        abs(float(torch.corrcoef(torch.stack([(first - first.mean()).ravel(), (other - other.mean()).ravel()]))[0, 1]))
        < 0.02
    )


def test_simulated_noise_is_ignored_when_a_profile_is_fitted_to_a_camera():
    whole = IspProfile("whole", (TONE, SensorNoise(0.001, 0.001), MIXED, CURVE, Quantise(8)))
    assert parts(whole) == (MIXED, CURVE)
