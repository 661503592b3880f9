"""Recolouring: which table is used for which picture."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
import torch

from campro.enhance.recolouring import Recolouring, ambiguity_classes, without_recolouring
from campro.inversion.inverse import BINS
from campro.isp import Camera, load_profile
from campro.isp.functional import through_jpeg

CODES = np.full(BINS, 5, np.uint8)
UNIFORM = np.full(BINS, 1 / BINS)
WHITE_LUT = np.ones((2, 2, 2, 3), np.float32)
PHOTO = np.ascontiguousarray(skimage.data.astronaut()[:200, 100:300])


def test_each_channel_has_its_own_ambiguity_class():
    classes = ambiguity_classes(torch.full((1, 2, 2), 1 + (2 << 2) + (3 << 4)))
    np.testing.assert_allclose(classes[0, :, 0, 0], [1 / 3, 2 / 3, 1])


def test_without_recolouring_the_picture_stays_as_it_is():
    found = without_recolouring(PHOTO)
    assert found.rgb is PHOTO
    assert not found.ambiguity.any()
    assert not found.is_camera_output


@pytest.mark.slow
def test_camera_output_gets_the_exact_inverse_and_jpeg_files_get_the_lut():
    recolouring = Recolouring(WHITE_LUT, CODES, load_profile("campro-default"), UNIFORM)
    captured = Camera("campro-default")(PHOTO)
    exact, by_lut = recolouring(captured), recolouring(through_jpeg(captured, 95))
    assert exact.is_camera_output
    assert np.median(np.abs(exact.rgb[exact.ambiguity == 0].astype(int) - PHOTO[exact.ambiguity == 0])) <= 1
    assert not by_lut.is_camera_output
    assert (by_lut.rgb == 255).all()
    assert (by_lut.ambiguity == 5).all()


@pytest.mark.slow
def test_a_profile_that_is_not_pointwise_gets_the_lut():
    recolouring = Recolouring(WHITE_LUT, CODES, load_profile("defocus-9-3"), UNIFORM)
    assert not recolouring(Camera("defocus-9-3")(PHOTO)).is_camera_output
