"""H.264 of one picture: another decoder reads the stream, and quantisers order size and error."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.isp.video_coding import h264_stream, through_h264

RNG = np.random.default_rng(0)
COLOURS = cv2.resize(RNG.integers(0, 256, (6, 8, 3), dtype=np.uint8), (64, 48), interpolation=cv2.INTER_CUBIC)
SMOOTH = (COLOURS // 5 + 100).astype(np.uint8)  # weak colours: 4:2:0 and the matrix of a decoder matter little


def test_another_decoder_shows_the_same_picture(tmp_path):
    (tmp_path / "one.h264").write_bytes(h264_stream(SMOOTH, 24))
    found, bgr = cv2.VideoCapture(str(tmp_path / "one.h264")).read()
    assert found
    assert np.abs(bgr[..., ::-1].astype(int) - through_h264(SMOOTH, 24)).mean() < 2  # levels


def test_a_higher_quantiser_has_fewer_bytes_and_more_error():
    sizes = [len(h264_stream(SMOOTH, quantiser)) for quantiser in (10, 30, 50)]
    errors = [np.abs(through_h264(SMOOTH, quantiser).astype(int) - SMOOTH).mean() for quantiser in (10, 30, 50)]
    assert sizes == sorted(sizes, reverse=True)
    assert errors == sorted(errors)
    assert errors[0] < 4
    assert len(set(errors)) == 3


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 7, 3), (17, 16, 3)])
def test_odd_sizes_stay_and_the_result_repeats(shape):
    rgb = RNG.integers(0, 256, shape, dtype=np.uint8)
    coded = through_h264(rgb, 30)
    assert coded.shape == shape
    np.testing.assert_array_equal(coded, through_h264(rgb, 30))


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(CamproError, match=r"campro\[video\]"):
        through_h264(SMOOTH, 30)
