"""The 8-bit path, compared with numpy in float64, and with the table of all 2^24 colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.core.images import to_rgb8, to_tensor
from campro.core.kernels import njit
from campro.isp import Ccm, Degamma, GammaLut, IspProfile, Quantise, apply, load_profile, pipeline
from campro.isp.lookup import colour_chain, colour_table, look_up, reference_level
from campro.isp.pointwise import is_pointwise
from campro.isp.profile import BUILTIN_PROFILES, KNOT_GAP, MeasuredDegamma


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


@pytest.mark.slow
@pytest.mark.parametrize("name", PROFILES)
def test_colours_equal_the_reference(name):
    """Every green and blue with every fifth red."""
    profile = PROFILES[name]
    wrong = 0
    green, blue = (axis.ravel() for axis in np.mgrid[:256, :256])
    for red in range(0, 256, 5):
        rgb = np.stack([np.full_like(green, red), green, blue], 1).astype(np.uint8)
        wrong += int((apply(profile, rgb[None])[0] != _reference(profile, rgb)).any(1).sum())
    assert wrong == 0


@pytest.mark.parametrize("name", BUILTIN_PROFILES)
@pytest.mark.slow
def test_every_colour_of_built_in_profiles_equals_the_table_in_float64(name):
    blocks = load_profile(name).blocks
    if not blocks or not is_pointwise(blocks):
        return
    colour = np.arange(1 << 24, dtype=np.uint32)
    rgb = np.stack([colour >> 16, colour >> 8 & 255, colour & 255], 1).astype(np.uint8)[None]
    np.testing.assert_array_equal(apply(load_profile(name), rgb), look_up(rgb, colour_table(blocks)))


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


def _exact(profile, rgb):
    """The output of Degamma(), Ccm, GammaLut, Quantise by numpy in float64; (N, 3) uint8."""
    _, ccm, lut, quantise = profile.blocks
    mixed = np.clip((rgb / 255) ** 2.2 @ np.array(ccm.matrix).T + np.array(ccm.offsets), 0, 1)
    curves = np.broadcast_to(lut.values, (3, len(lut.positions)))
    value = np.stack([np.interp(mixed[:, c], lut.positions, curves[c]) for c in range(3)], 1)
    levels = 2**quantise.bits - 1
    return np.floor(np.floor(value * levels + 0.5) / levels * 255 + 0.5).astype(np.uint8)


def _defined(profile, rgb):
    """The output by the definition, pixel by pixel; filling a table of all colours takes half a second."""
    out = np.empty_like(rgb)
    _fill(rgb.reshape(-1, 3), out.reshape(-1, 3), *colour_chain(profile.blocks))
    return out


@njit()  # not kept on disk, where a change of `reference_level` would not be noticed
def _fill(rgb, out, curve, matrix, offsets, knots, values, levels):
    for i in range(len(rgb)):
        for c in range(3):
            out[i, c] = reference_level(
                rgb[i, 0], rgb[i, 1], rgb[i, 2], c, curve, matrix, offsets, knots, values, levels
            )


def _in_turn(profile, rgb):
    with torch.no_grad():
        return to_rgb8(pipeline(profile)(to_tensor(rgb)))[0]


@pytest.mark.parametrize("bits", [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 16])
@pytest.mark.slow
def test_other_numbers_of_bits_are_exact_and_the_pipeline_agrees(bits):
    rng = np.random.default_rng(bits)
    rgb = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
    for points in (2, 32, 256):
        matrix = tuple(map(tuple, rng.uniform(-3, 3, (3, 3)).tolist()))
        values = tuple(map(tuple, rng.uniform(0, 1, (3, points)).tolist()))
        profile = IspProfile("bits", (Degamma(), Ccm(matrix), GammaLut(values), Quantise(bits)))
        done = apply(profile, rgb)
        np.testing.assert_array_equal(done.reshape(-1, 3), _exact(profile, rgb.reshape(-1, 3)))
        apart = np.abs(done.astype(int) - _in_turn(profile, rgb)).max()
        assert apart <= (0 if bits < 8 else 1)


def _level(code):
    return (code / 255) ** 2.2


NEAR = {
    "beside the middle": (0.0, 0.5, 0.5 + 1e-6, 1.0),
    "at a level": (0.0, _level(128) - 2e-6, _level(128), 1.0),
    "at the start": (0.0, 1e-6, 0.5, 1.0),
    "at the end": (0.0, 0.5, 1 - 2e-6, 1.0),
}


@pytest.mark.parametrize("name", NEAR)
def test_both_paths_agree_for_knots_close_together(name):
    profile = IspProfile(name, (Degamma(), Ccm(np.eye(3).tolist()), GammaLut(((0.0, 0.2, 0.9, 1.0),), NEAR[name])))
    rgb = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    pipe, picture = pipeline(profile), to_tensor(rgb).requires_grad_()
    out = pipe(picture)
    assert out.dtype == picture.dtype
    np.testing.assert_array_equal(to_rgb8(out.detach())[0], apply(profile, rgb))
    out.sum().backward()
    for gradient in (picture.grad, *(each.grad for each in pipe.parameters() if each.requires_grad)):
        assert gradient.isfinite().all()


@pytest.mark.parametrize("gap", [1e-300, 1e-12, 9e-7])
def test_closer_knots_are_refused_in_one_line(gap):
    with pytest.raises(CamproError, match="apart") as caught:
        GammaLut(((0.0, 0.5, 1.0),), (0.0, gap, 1.0))
    assert "\n" not in str(caught.value)


@st.composite
def pointwise_profiles(draw):
    """Any valid pointwise profile, with knots that may lie close together, and any number of bits."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = draw(st.sampled_from([2, 3, 5, 33, 257]))
    gaps = rng.exponential(1.0, points - 1)
    shrink = draw(st.sampled_from([1.0, 1e-2, 1e-4, 1e-7]))
    gaps[rng.random(points - 1) < 0.4] *= shrink
    knots = np.concatenate([[0.0], np.cumsum(gaps / gaps.sum())])
    knots[-1] = 1.0
    values = rng.uniform(0, 1, (draw(st.sampled_from([1, 3])), points))
    degamma = draw(st.sampled_from([(Degamma(),), (Degamma("srgb"),), (MeasuredDegamma((0.0, 0.0, 0.7, 1.0)),), ()]))
    ccm = draw(st.sampled_from([(Ccm(rng.uniform(-5, 5, (3, 3)).tolist(), rng.uniform(-1, 1, 3).tolist()),), ()]))
    rounding = draw(st.sampled_from([(), (Quantise(1),), (Quantise(4),), (Quantise(8),), (Quantise(10),)]))
    even = draw(st.booleans())
    try:
        lut = GammaLut(values.tolist(), None if even else knots.tolist())
    except CamproError as error:
        assert min(np.diff(knots)) < KNOT_GAP, error
        return None
    return IspProfile("any", (*degamma, *ccm, lut, *rounding))


@given(pointwise_profiles(), st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
@pytest.mark.slow
def test_the_pipeline_agrees_to_one_level_for_every_valid_profile(profile, seed):
    if profile is not None:
        rgb = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        np.testing.assert_array_equal(apply(profile, rgb), _defined(profile, rgb))
        assert np.abs(_in_turn(profile, rgb).astype(int) - apply(profile, rgb)).max() <= 1


def test_built_in_profiles_are_computed_in_float32():
    assert not any(pipeline(name).exact for name in BUILTIN_PROFILES)


@pytest.mark.slow
def test_a_curve_with_more_steps_than_fit_is_exact():
    """64 Ki changes of the output between 0 and 1: most entries of the table hold several."""
    zigzag = tuple(float(point % 2) for point in range(257))
    profile = IspProfile("zigzag", (Degamma(), GammaLut((zigzag,)), Quantise()))
    rgb = np.random.default_rng(3).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    np.testing.assert_array_equal(apply(profile, rgb), _defined(profile, rgb))


@pytest.mark.parametrize("scale", [0.0, 1e-9, 1e-3, 1.0, 5.0])
@pytest.mark.slow
def test_small_and_large_matrices_are_exact(scale):
    rng = np.random.default_rng(4)
    matrix = (scale * rng.uniform(-1, 1, (3, 3))).tolist()
    profile = IspProfile("scaled", (Degamma(), Ccm(matrix, (0.2, -0.3, 0.9)), Quantise()))
    rgb = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
    np.testing.assert_array_equal(apply(profile, rgb), _defined(profile, rgb))
