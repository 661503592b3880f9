"""Fitted curves of cameras against rivals, and their invariants."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.cameras.camera_table import CAMERAS
from campro.cameras.libcamera import PISP
from campro.isp import GammaLut
from campro.isp.curve_limits import LINEAR_LEVELS


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=3, max_size=9), st.integers(0, 1000))
def test_the_fitted_curve_is_the_closest_that_the_camera_can_draw(values, seed):
    """No curve of the camera near the fitted one, and none from simple rules, is closer to the wanted one."""
    lut = GammaLut((tuple(values),))
    wanted = np.interp(LINEAR_LEVELS, lut.positions, values)
    error = lambda curve: np.square(np.interp(LINEAR_LEVELS, PISP.limits.curve.knots, curve) - wanted).sum()  # noqa: E731
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


@given(
    st.lists(st.floats(-0.2, 1.2), min_size=65, max_size=65), st.sampled_from(["rpi-pisp", "rpi-vc4", "rockchip-rkaiq"])
)
def test_the_nearest_curve_can_be_held_and_stays(values, name):
    limits = CAMERAS[name].limits
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
