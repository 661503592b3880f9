"""A profile in a camera."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.isp import RAW, Camera, IspProfile, apply, load_profile

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)


def test_a_camera_applies_its_profile():
    np.testing.assert_array_equal(Camera("negative")(RGB), apply(load_profile("negative"), RGB))


def test_the_raw_camera_does_not_change_pictures():
    np.testing.assert_array_equal(RAW(RGB), RGB)
    assert RAW.name == "raw"


def test_cameras_with_equal_blocks_share_a_digest_whatever_their_names():
    invert = load_profile("invert")
    renamed = Camera(IspProfile("another name", invert.blocks), "captured")
    assert renamed.digest == Camera("invert").digest == invert.digest
    assert (renamed.name, Camera("invert").name) == ("captured", "invert")


def test_an_unknown_profile_is_refused_with_the_built_in_ones():
    with pytest.raises(CamproError, match="campro-default"):
        Camera("magic")
