"""The main face of an image, and landmarks of many photographs."""

from __future__ import annotations

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.isp import RAW, Camera
from campro.models.faces import find_landmarks
from campro.models.faces.landmarks import Face, main_face


def _face(x, y, side):
    return Face((x, y, x + side, y + side), 1.0, np.zeros((5, 2)))


class Counting:
    """Detects the whole image as a face if it is not gray; counts the images."""

    name, scheme, confident_score, digest = "counting", "five", 0.5, "counting"

    def __init__(self):
        self.count = 0

    def detect(self, rgb):
        self.count += 1
        return [_face(0, 0, len(rgb))] if rgb.std() > 0 else []


def test_main_face_is_large_and_central():
    centre, corner, small = _face(80, 80, 40), _face(0, 0, 44), _face(90, 90, 20)
    assert main_face([corner, small, centre], 200, 200) is centre
    assert main_face([], 200, 200) is None


def test_photographs_without_a_face_and_unreadable_ones_are_reported(photos, tmp_path):
    landmarks = find_landmarks(photos, Counting(), tmp_path / "cache")
    assert list(landmarks.found) == photos[:3]
    assert landmarks.missed == (photos[3],)
    assert len(landmarks.problems) == 1 and "broken.png" in landmarks.problems[0]


def test_landmarks_are_computed_once_per_content_and_view(photos, tmp_path):
    detector = Counting()
    first = find_landmarks(photos[:4], detector, tmp_path / "cache")
    copy = tmp_path / "copy.png"
    copy.write_bytes(photos[0].read_bytes())
    second = find_landmarks([*photos[:4], copy], detector, tmp_path / "cache")
    assert detector.count == 4
    np.testing.assert_array_equal(second.found[copy], first.found[photos[0]])
    viewed = find_landmarks(photos[:4], detector, tmp_path / "cache", Camera("invert"))
    assert detector.count == 8
    assert len({first.digest, viewed.digest, find_landmarks([], detector, tmp_path / "cache", RAW).digest}) == 3


def test_a_damaged_cache_file_is_refused(photos, tmp_path):
    (tmp_path / "landmarks").mkdir()
    (tmp_path / "landmarks" / "counting.json").write_text('{"half')
    with pytest.raises(CamproError, match=r"counting\.json: expected cached landmarks"):
        find_landmarks(photos[:1], Counting(), tmp_path)
