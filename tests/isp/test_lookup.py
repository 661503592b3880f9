"""The 8-bit path, compared with an independent float64 reference for all 2^24 colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import to_rgb8, to_tensor
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise, apply, load_profile, pipeline


def _profile(seed, curve, channels, offsets, even):
    rng = np.random.default_rng(seed)
    matrix = tuple(tuple(row) for row in (np.eye(3) + rng.normal(0, 0.4, (3, 3))).tolist())
    inner = np.sort(rng.uniform(0.01, 0.99, 9)).tolist()
    knots = None if even else (0.0, *inner, 1.0)
    values = tuple(tuple(rng.uniform(0, 1, 32 if even else 11).tolist()) for _ in range(channels))
    shift = tuple(rng.normal(0, 0.05, 3).tolist()) if offsets else (0.0, 0.0, 0.0)
    return IspProfile("random", (Degamma(curve), Ccm(matrix, shift), GammaLut(values, knots), Quantise()))


PROFILES = {
    "shared": _profile(0, "power-2.2", 1, False, True),
    "per channel": _profile(1, "srgb", 3, True, True),
    "given knots": _profile(2, "power-2.2", 3, True, False),
}


def _reference(profile, rgb):
    """By numpy alone, (N, 3) uint8."""
    degamma, ccm, lut, _ = profile.blocks
    x = rgb / 255
    x = x**2.2 if degamma.curve != "srgb" else np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    mixed = np.clip(x @ np.array(ccm.matrix).T + np.array(ccm.offsets), 0, 1)
    knots = np.linspace(0, 1, len(lut.values[0])) if lut.knots is None else np.array(lut.knots)
    curves = [lut.values[c if len(lut.values) == 3 else 0] for c in range(3)]
    out = np.stack([np.interp(mixed[:, c], knots, curves[c]) for c in range(3)], 1)
    return np.floor(out * 255 + 0.5).astype(np.uint8)


@pytest.mark.parametrize("name", PROFILES)
def test_every_colour_equals_the_reference(name):
    profile = PROFILES[name]
    wrong = 0
    green, blue = (axis.ravel() for axis in np.mgrid[:256, :256])
    for red in range(256):
        rgb = np.stack([np.full_like(green, red), green, blue], 1).astype(np.uint8)
        wrong += int((apply(profile, rgb[None])[0] != _reference(profile, rgb)).any(1).sum())
    assert wrong == 0


def test_stacks_and_strided_views_are_accepted():
    rgb = np.random.default_rng(0).integers(0, 256, (3, 17, 31, 3), dtype=np.uint8)
    whole = apply(PROFILES["shared"], rgb)
    assert whole.shape == rgb.shape
    np.testing.assert_array_equal(whole[1], apply(PROFILES["shared"], rgb[1]))
    np.testing.assert_array_equal(apply(PROFILES["shared"], rgb[:, ::2, ::-1]), whole[:, ::2, ::-1])  # strided views
    assert apply(PROFILES["shared"], rgb[:0]).shape == (0, 17, 31, 3)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_other_arrays_are_refused(bad):
    with pytest.raises(CamproError, match="apply"):
        apply(PROFILES["shared"], bad)


@pytest.mark.parametrize("name", ["invert", "low-resolution-8", "defocus-13-5"])
def test_the_pipeline_agrees_to_one_level(name):
    rgb = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    profile = load_profile(name)
    with torch.no_grad():
        slow = to_rgb8(pipeline(profile)(to_tensor(rgb)).clamp(0, 1))[0]
    assert np.abs(slow.astype(int) - apply(profile, rgb)).max() <= 1


def test_the_profile_invert_inverts_every_level():
    rgb = np.random.default_rng(2).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    np.testing.assert_array_equal(apply(load_profile("invert"), rgb), 255 - rgb)
    np.testing.assert_array_equal(apply(load_profile("identity"), rgb), rgb)
