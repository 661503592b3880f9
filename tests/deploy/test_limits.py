"""What cameras can hold: refusals, roundings by hand, and fits against brute force."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.cameras.camera_table import TARGETS
from campro.cameras.libcamera import PISP, VC4
from campro.core.errors import CamproError
from campro.isp import Camera, Ccm, GammaLut, IspPipeline, IspProfile, load_profile
from campro.isp.curve_limits import SEEN, CurveLimits
from campro.isp.limits import Grid, Limits, parts

from .conftest import profile


def test_registers_round_as_their_sources_say():
    assert Grid(-8, 8, 1 / 1000, truncates=True).rounded(np.array([1.2349, -1.2349])).tolist() == [1.234, -1.234]
    assert Grid(-8, 8, 1 / 4).rounded(np.array([1.2, -1.2, 0.125])).tolist() == [1.25, -1.25, 0.25]


def test_the_knots_of_each_camera():
    """Counts and a few places, as in the sources."""
    vc4, pisp = (np.array(t.limits.curve.knots) * 65535 for t in (VC4, PISP))
    assert (len(vc4), vc4[16], vc4[24], vc4[31]) == (33, 16384, 32768, 61440)
    assert (len(pisp), pisp[31], pisp[32], pisp[48], pisp[63]) == (65, 15872, 16384, 32768, 63488)
    rkaiq = np.array(TARGETS["rockchip-rkaiq"].limits.curve.knots) * 4095
    assert len(rkaiq) == 45
    assert rkaiq.round().astype(int)[[8, 12, 16, 40, 43, 44]].tolist() == [
        8,
        16,
        32,
        2048,
        3584,
        4095,
    ]


def test_a_falling_curve_is_refused_where_slopes_are_unsigned():
    with pytest.raises(CamproError, match=r"falls, and the camera's cannot.*--fit"):
        PISP.limits.realised(load_profile("negative"))


def test_every_reason_is_named():
    bad = profile(matrix=((5, 0, 0), (0, 1, 0), (0, 0, 1)), values=(1, 0.5, 0))
    limits = Limits("", Grid(-2, 2, 0.01), curve=CurveLimits((0.0, 1.0), rise=0.2, end="white"))
    reasons = " ".join(limits.problems(bad))
    for word in ("matrix", "falls", "white"):
        assert word in reasons
    offset = IspProfile("x", (bad.blocks[0], Ccm(((1, 0, 0), (0, 1, 0), (0, 0, 1)), (0.1, 0, 0)), *bad.blocks[2:]))
    assert any("offsets" in reason for reason in PISP.limits.problems(offset))


def test_profiles_that_no_camera_can_hold_are_refused():
    with pytest.raises(CamproError, match="degamma, ccm, gamma_lut"):
        PISP.limits.realised(load_profile("defocus-9-3"))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("start", ["campro-default", "negative"])
def test_a_fitted_profile_is_one_that_the_camera_holds(name, start):
    limits = TARGETS[name].limits
    fitted = limits.fitted(load_profile(start))
    assert limits.problems(fitted) == []
    assert limits.realised(fitted).blocks == fitted.blocks  # rounding twice changes nothing


@pytest.mark.parametrize("name", TARGETS)
def test_every_camera_holds_campro_strong(name):
    """On pictures of any colours: at most a sixteenth of all levels off, where a camera has few knots or a power."""
    strong = load_profile("campro-strong")
    rgb = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    held, wanted = (Camera(one)(rgb).astype(int) for one in (TARGETS[name].limits.fitted(strong), strong))
    off = np.abs(held - wanted)
    assert off.mean() < 3
    assert off.max() <= 16


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=9), st.integers(0, 1000))
def test_the_fitted_curve_is_the_closest_that_the_camera_can_draw(values, seed):
    """No curve of the camera near the fitted one, and none from simple rules, is closer to the wanted one."""
    lut = GammaLut((tuple(values),))
    wanted = np.interp(SEEN, lut.positions, values)
    error = lambda curve: np.square(np.interp(SEEN, PISP.limits.curve.knots, curve) - wanted).sum()  # noqa: E731
    fitted = PISP.limits.curve.fitted(lut)[0]
    rises = np.diff(fitted)
    assert rises.min() >= -1e-9
    assert rises.max() <= PISP.limits.curve.rise + 1e-9
    rng = np.random.default_rng(seed)
    rivals = [
        np.full(65, np.mean(wanted)),
        np.maximum.accumulate(np.interp(PISP.limits.curve.knots, lut.positions, values)),
    ]
    rivals += [np.sort((fitted + rng.normal(0, 0.02, 65)).clip(0, 1)) for _ in range(5)]
    for rival in rivals:
        rival[-1] = rival[-2]
        if np.diff(rival).max() <= PISP.limits.curve.rise:
            assert error(fitted) <= error(rival) + 1e-3


def test_parts_of_a_profile():
    ccm, lut = parts(profile())
    assert ccm.matrix[0] == (0.9, 0.1, 0.0)
    assert lut.values == ((0.1, 0.3, 0.6, 0.8, 1.0),)


@given(
    st.lists(st.floats(-0.2, 1.2), min_size=65, max_size=65), st.sampled_from(["rpi-pisp", "rpi-vc4", "rockchip-rkaiq"])
)
def test_the_nearest_curve_can_be_held_and_stays(values, name):
    limits = TARGETS[name].limits
    wanted = np.array(values[: len(limits.curve.knots)])
    nearest = limits.curve.nearest(wanted)
    np.testing.assert_allclose(limits.curve.nearest(nearest), nearest, atol=1e-12)
    assert nearest.min() >= 0
    assert nearest.max() <= 1
    if limits.curve.rise is not None:
        assert np.diff(nearest).min() >= 0
        assert np.diff(nearest).max() <= limits.curve.rise + 1e-12
    if limits.curve.end == "white":
        assert nearest[-1] == 1


@pytest.mark.parametrize("name", ["rpi-pisp", "rpi-vc4", "rockchip-rkaiq", "android-camera2"])
def test_a_pipeline_for_a_camera_never_leaves_what_it_can_hold(name):
    """Whatever the gradients say, what the pipeline shows in training is what the camera's fast path shows."""
    limits = TARGETS[name].limits
    pipe = IspPipeline.from_profile(load_profile("campro-default"), limits)
    pictures = torch.rand(2, 3, 16, 16)
    pictures = (pictures * 255).round() / 255
    optimiser = torch.optim.Adam(pipe.parameters(), lr=0.1)
    for step in range(5):
        shown = pipe(pictures)
        optimiser.zero_grad()
        (shown * torch.randn(3, 1, 1, generator=torch.Generator().manual_seed(step))).sum().backward()
        assert all(p.grad.isfinite().all() for p in pipe.parameters() if p.requires_grad)
        optimiser.step()
        pipe.project_()
        profile = pipe.to_profile("trained")
        assert limits.problems(profile) == []
        rgb = (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
        apart = np.abs(Camera(profile)(rgb) / 255 - pipe(pictures).detach().permute(0, 2, 3, 1).numpy())
        assert (apart > 1.01 / 255).mean() == 0
        assert (apart > 0.5 / 255).mean() < 0.01
