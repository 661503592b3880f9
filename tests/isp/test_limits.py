"""Limits of cameras: every reason for a refusal, rounding by hand, and the pipeline within limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.cameras.camera_table import CAMERAS
from campro.cameras.libcamera import PISP
from campro.core.errors import CamproError
from campro.isp import Camera, Ccm, Degamma, GammaLut, IspPipeline, IspProfile, Quantise, load_profile
from campro.isp.curve_limits import CurveLimits
from campro.isp.limits import Grid, Limits, parts


def profile(matrix=((0.9, 0.1, 0.0), (0.05, 0.8, 0.1), (0.1, 0.0, 1.1)), values=(0.1, 0.3, 0.6, 0.8, 1.0)):
    return IspProfile("mild", (Degamma(), Ccm(matrix), GammaLut((tuple(values),)), Quantise(8)))


def test_registers_round_as_their_sources_say():
    assert Grid(-8, 8, 1 / 1000, truncates=True).rounded(np.array([1.2349, -1.2349])).tolist() == [1.234, -1.234]
    assert Grid(-8, 8, 1 / 4).rounded(np.array([1.2, -1.2, 0.125])).tolist() == [1.25, -1.25, 0.25]


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


def test_parts_of_a_profile():
    ccm, lut = parts(profile())
    assert ccm.matrix[0] == (0.9, 0.1, 0.0)
    assert lut.values == ((0.1, 0.3, 0.6, 0.8, 1.0),)


@pytest.mark.parametrize("name", ["rpi-pisp", "rpi-vc4", "rockchip-rkaiq", "android-camera2"])
@pytest.mark.slow
def test_a_pipeline_for_a_camera_never_leaves_what_it_can_hold(name):
    """Whatever the gradients say, what the pipeline shows in training is what the camera's fast path shows."""
    limits = CAMERAS[name].limits
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


def test_the_condition_number_is_bounded():
    limits = replace(CAMERAS["rkisp1-log"].limits, condition=4.0)
    strong = load_profile("campro-strong")
    assert any("condition number" in reason for reason in limits.problems(strong))
    for start in (np.array(parts(strong)[0].matrix), np.diag([8.0, 7.0, 0.01]), np.array([[7.9, -7.9, 0]] * 3)):
        matrix = limits.bounded(start)
        assert np.linalg.cond(matrix) <= 4 * (1 + 1e-6)
        assert limits.matrix.holds(matrix)
    mild = np.diag([1.0, 0.9, 1.1])
    np.testing.assert_array_equal(limits.bounded(mild), mild)


def test_training_keeps_the_bound():
    limits = replace(CAMERAS["rkisp1-log"].limits, condition=4.0)
    pipeline = IspPipeline.from_profile(load_profile("campro-strong"), limits)
    with torch.no_grad():
        pipeline.blocks[1].matrix.copy_(torch.diag(torch.tensor([3.0, 1.0, 0.01])))
    pipeline.project_()
    assert np.linalg.cond(parts(pipeline.to_profile("bounded"))[0].matrix) <= 4.2  # rounded to steps of 1/128
