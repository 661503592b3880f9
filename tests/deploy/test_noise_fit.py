"""The fitted noise of synthetic pictures is close to its parameters."""

from __future__ import annotations

import numpy as np
import pytest

from campro.deploy.noise_fit import fit_noise
from campro.isp import MeasuredDegamma


def test_white_noise_is_recovered():
    """Noise of a known variance on flat patches of many levels, after a gamma curve of 2.2."""
    tone, rng = MeasuredDegamma(tuple((np.linspace(0, 1, 256) ** 2.2).tolist())), np.random.default_rng(0)
    shot, read = 2e-3, 5e-3
    light = np.linspace(0.05, 0.8, 40)[:, None, None, None] * np.ones((40, 128, 128, 3))
    noisy = light + np.sqrt(shot * light + read**2) * rng.standard_normal(light.shape)
    pictures = np.floor(255 * noisy.clip(0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)
    found = fit_noise(pictures, tone)
    assert found is not None
    assert found.shot == pytest.approx(shot, rel=0.1)
    assert found.read == pytest.approx(read, rel=0.5)  # little of it shows beside shot noise
    assert fit_noise(pictures[:1], tone) is None
