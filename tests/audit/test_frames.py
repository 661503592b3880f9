from __future__ import annotations

import cv2
import numpy as np

from campro.audit.frames import Frame


def test_frames_differ_little_and_repeat():
    rgb = cv2.resize(np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8), (64, 64))
    one, again, other = Frame(1)(rgb), Frame(1)(rgb), Frame(2)(rgb)
    np.testing.assert_array_equal(one, again)
    assert 0 < np.abs(one.astype(int) - other).mean() < 25
