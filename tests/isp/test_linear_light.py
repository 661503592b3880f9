"""Levels in linear light: the values that all figures were measured with."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch

from campro.isp.functional import degamma
from campro.isp.linear_light import linear_levels

SHA256 = {
    "power-2.2": "8c8a7f9453d4627b417272ab0469cd87253b0a8839bec76f724dfdc28499f2a5",
    "srgb": "52f2e48145e057e730c5690a1dee94d12e26b11a84fa82cf1e586ad1c0202b8a",
}


@pytest.mark.parametrize("curve", SHA256)
def test_values_are_those_of_the_figures(curve):
    assert hashlib.sha256(linear_levels(curve).tobytes()).hexdigest() == SHA256[curve]


@pytest.mark.parametrize("curve", SHA256)
def test_the_differentiable_twin_agrees(curve):
    twin = degamma(torch.arange(256, dtype=torch.float64) / 255, curve).numpy()
    np.testing.assert_allclose(linear_levels(curve), twin, rtol=3e-16)
