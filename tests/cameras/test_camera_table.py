"""The contract of every camera in the table: limits, page, files, and refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.cameras.camera_table import CAMERAS, find_camera
from campro.cameras.libcamera import PISP, VC4
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference
from campro.isp import Camera, Ccm, GammaLut, load_profile
from campro.isp.limits import parts

from .camera_files import BASES, ROUNDING_LEVELS, base_for, fitted_files, profile

MATRIX_AND_CURVE = [name for name in CAMERAS if not CAMERAS[name].base]
"""Cameras whose files hold the profile's own numbers."""


@pytest.mark.parametrize("name", CAMERAS)
def test_every_camera_is_described(name):
    camera = CAMERAS[name]
    assert find_camera(name) is camera
    assert camera.name == name
    assert camera.title
    assert len(camera.limits.source) > 10
    assert bool(camera.base) == (name in BASES), "a camera that needs a base file needs one in BASES of the tests"
    page = camera.page_text()
    assert page.startswith("# ")
    assert {"## Check", "## Lock-down"} <= set(page.splitlines())


def test_an_unknown_camera_is_refused_with_the_names():
    with pytest.raises(CamproError, match=r"rpi-vc4.*'nikon'"):
        find_camera("nikon")


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.slow
def test_reading_back_gives_the_realised_profile(name):
    target, held, files = fitted_files(name, profile())
    back = target.read(files, base_for(name))
    apart = difference(held, back)
    assert apart.largest <= ROUNDING_LEVELS.get(name, 1)
    assert apart.mean < 0.5


FIXED = ("rkisp1", "libcamera-simple", "jetson-isp")
"""Cameras whose curve is an exponent, or always the same."""
FALLS = [name for name in CAMERAS if CAMERAS[name].limits.curve.rise is None and name not in FIXED]


@pytest.mark.parametrize("name", FALLS)
@pytest.mark.slow
def test_a_falling_curve_survives_where_the_camera_takes_it(name):
    target, held, files = fitted_files(name, load_profile("negative"))
    apart = difference(held, target.read(files, base_for(name)))
    assert apart.largest <= 2 * ROUNDING_LEVELS.get(name, 1)  # steep in the dark, where a step of the matrix shows most
    assert apart.mean < 0.5


NEW_VC4 = fitted_files("rpi-vc4", profile())[2][VC4.FILE]


def test_the_knots_of_each_camera():
    """Counts and a few places, as in the sources."""
    vc4, pisp = (np.array(t.limits.curve.knots) * 65535 for t in (VC4, PISP))
    assert (len(vc4), vc4[16], vc4[24], vc4[31]) == (33, 16384, 32768, 61440)
    assert (len(pisp), pisp[31], pisp[32], pisp[48], pisp[63]) == (65, 15872, 16384, 32768, 63488)
    rkaiq = np.array(CAMERAS["rockchip-rkaiq"].limits.curve.knots) * 4095
    assert len(rkaiq) == 45
    assert rkaiq.round().astype(int)[[8, 12, 16, 40, 43, 44]].tolist() == [
        8,
        16,
        32,
        2048,
        3584,
        4095,
    ]


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.parametrize("start", ["campro-default", "negative"])
@pytest.mark.slow
def test_a_fitted_profile_is_one_that_the_camera_holds(name, start):
    limits = CAMERAS[name].limits
    fitted = limits.fitted(load_profile(start))
    assert limits.problems(fitted) == []
    assert limits.realised(fitted).blocks == fitted.blocks  # rounding twice changes nothing


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.slow
def test_every_camera_holds_campro_strong(name):
    """On pictures of any colours: at most a sixteenth of all levels off, where a camera has few knots or a power."""
    strong = load_profile("campro-strong")
    rgb = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    held, wanted = (Camera(one)(rgb).astype(int) for one in (CAMERAS[name].limits.fitted(strong), strong))
    off = np.abs(held - wanted)
    assert off.mean() < 3
    assert off.max() <= (20 if name == "libcamera-simple" else 16)  # steps of the 256-level tables in the dark


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rpi-vc4", "rpi-pisp", "rkisp1", "rockchip-rkaiq", "rockchip-isp21"])
@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_mutated_base_gives_a_valid_result_or_a_clear_error(name, data):
    target = CAMERAS[name]
    text = base_for(name)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        new = data.draw(st.text(st.sampled_from('{}[]<>/",:.-0123456789eE\n\r &abc'), max_size=4))
        text = text[:start] + new + text[end:]
    held = fitted_files(name, profile())[1]
    try:
        files = target.write(held, text)
        back = target.read(files, text)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        (own, _), (found, _) = parts(held), parts(back)
        np.testing.assert_allclose(found.matrix, own.matrix, atol=0.1)


@pytest.mark.parametrize("name", CAMERAS)
def test_a_matrix_out_of_range_is_refused(name):
    limits = CAMERAS[name].limits
    largest = limits.matrix_range[1]
    ccm, curve = Ccm(((largest, 0, 0), (0, 1, 0), (0, 0, 1))), limits.fitted(profile()).blocks[2]
    inside = replace(profile(), blocks=(profile().blocks[0], ccm, curve, profile().blocks[3]))
    assert limits.problems(inside) == []
    outside = replace(limits, matrix=replace(limits.matrix, high=largest - 0.5))
    with pytest.raises(CamproError, match="matrix entries"):
        outside.realised(inside)


@pytest.mark.parametrize("name", CAMERAS)
def test_offsets_and_curves_beyond_the_limits_are_refused(name):
    limits = CAMERAS[name].limits
    start, ccm, lut, last = limits.fitted(profile()).blocks
    shifted = replace(profile(), blocks=(start, replace(ccm, offsets=(0.1, 0, 0)), lut, last))
    three = GammaLut((lut.values[0], tuple(0.9 * v for v in lut.values[0]), lut.values[0]), lut.knots)
    coloured = replace(profile(), blocks=(start, ccm, three, last))
    assert any("offsets" in reason for reason in limits.problems(shifted)) == (limits.offsets is None)
    assert any("one curve" in reason for reason in limits.problems(coloured)) == (limits.channels == 1)


@pytest.mark.parametrize("name", BASES)
def test_a_product_with_a_calibrated_matrix_out_of_range_is_refused(name):
    steep = profile(matrix=((5, 0, 0), (0, 5, 0), (0, 0, 5)))
    with pytest.raises(CamproError, match="times the"):
        CAMERAS[name].write(CAMERAS[name].limits.fitted(steep), base_for(name))


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1, 2]", "<matfile></matfile>"])
@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.slow
def test_files_of_another_format_are_refused(name, text):
    camera, held, files = fitted_files(name, profile())
    with pytest.raises(CamproError):
        camera.read(dict.fromkeys(files, text), base_for(name))
    if name in BASES:
        with pytest.raises(CamproError):
            camera.write(held, text)
