"""The main face of an image, and landmarks of many photographs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
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


def test_a_changed_photograph_and_another_detector_are_computed_anew(photos, tmp_path):
    detector = Counting()
    find_landmarks(photos[:1], detector, tmp_path / "cache")
    photos[0].write_bytes(photos[1].read_bytes())
    find_landmarks(photos[:1], detector, tmp_path / "cache")
    assert detector.count == 2
    detector.digest = "other weights"
    find_landmarks(photos[:1], detector, tmp_path / "cache")
    assert detector.count == 3


def test_a_damaged_cache_file_is_refused(photos, tmp_path):
    (tmp_path / "landmarks").mkdir()
    (tmp_path / "landmarks" / "counting.json").write_text('{"half')
    with pytest.raises(CamproError, match=r"counting\.json: expected cached landmarks"):
        find_landmarks(photos[:1], Counting(), tmp_path)


def test_a_flipped_bit_in_the_cache_is_noticed(photos, tmp_path):
    find_landmarks(photos[:2], Counting(), tmp_path)
    (file,) = (tmp_path / "landmarks").iterdir()
    raw = file.read_bytes()
    for place in np.random.default_rng(0).integers(0, len(raw) - 1, 60).tolist():  # the last byte ends the line
        file.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        with pytest.raises(CamproError, match="cached landmarks"):
            find_landmarks(photos[:2], Counting(), tmp_path)


def test_a_cache_of_version_0_1_is_used_if_its_values_are_landmarks(photos, tmp_path):
    (tmp_path / "landmarks").mkdir()
    old = tmp_path / "landmarks" / "counting.json"
    old.write_text(json.dumps({file_sha256(photos[0]): [[1.0, 2.0]] * 5}))
    detector = Counting()
    found = find_landmarks(photos[:2], detector, tmp_path).found
    assert detector.count == 1 and found[photos[0]].tolist() == [[1, 2]] * 5
    old.unlink()  # the new file has all of them
    assert find_landmarks(photos[:2], detector, tmp_path).found[photos[0]].tolist() == [[1, 2]] * 5
    (tmp_path / "landmarks" / "counting.checked.json").unlink()
    for value in ([[1.0, 2.0]] * 4, "x", [[1.0, 1e999]] * 5, [[1.0, True]] * 5):
        old.write_text(json.dumps({file_sha256(photos[0]): value}))
        with pytest.raises(CamproError, match="cached landmarks"):
            find_landmarks(photos[:1], detector, tmp_path)


def test_a_cache_that_cannot_be_written_is_left_out(photos, tmp_path, capsys):
    (tmp_path / "landmarks").write_text("a file where the folder should be")
    for _ in range(2):
        assert list(find_landmarks(photos[:1], Counting(), tmp_path).found) == photos[:1]
    assert capsys.readouterr().err.count("CAMPRO_CACHE") == 1
