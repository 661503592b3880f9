"""All faces of a photograph, at several scales."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.errors import CamproError
from campro.core.images import write_image
from campro.models.faces.face_boxes import all_faces, find_face_boxes
from campro.models.faces.landmarks import Face


class Blobs:
    """Detects white squares with a side of at least 16 pixels."""

    name, scheme, confident_score, digest = "blobs", "five", 0.5, "blobs"

    def __init__(self):
        self.calls = 0

    def detect(self, rgb):
        self.calls += 1
        faces = []
        for half in (slice(0, rgb.shape[1] // 2), slice(rgb.shape[1] // 2, None)):
            rows, columns = np.nonzero(rgb[:, half].min(2) > 127)
            if len(rows) and rows.max() - rows.min() >= 15:
                left = half.start
                box = (left + columns.min(), rows.min(), left + columns.max() + 1, rows.max() + 1)
                faces.append(Face(tuple(map(float, box)), 0.9, np.zeros((5, 2))))
        return faces


@pytest.fixture
def photo():
    rgb = np.zeros((64, 128, 3), np.uint8)
    rgb[10:50, 10:50] = 255  # detected at both scales
    rgb[20:30, 90:100] = 255  # detected only in the enlarged image
    return rgb


def test_each_face_is_detected_once_at_any_size(photo):
    boxes = all_faces(photo, Blobs())
    assert len(boxes) == 2
    large, small = boxes[boxes[:, 0].argsort()]
    torch.testing.assert_close(large, torch.tensor([10.0, 10, 50, 50]), atol=1, rtol=0)
    torch.testing.assert_close(small, torch.tensor([90.0, 20, 100, 30]), atol=1, rtol=0)


def test_boxes_are_computed_once_per_photograph(photo, tmp_path):
    write_image(tmp_path / "a.png", photo)
    write_image(tmp_path / "empty.png", np.zeros_like(photo))
    photos, detector = [tmp_path / "a.png", tmp_path / "empty.png"], Blobs()
    first = find_face_boxes(photos, detector, tmp_path)
    calls = detector.calls
    second = find_face_boxes(photos, detector, tmp_path)
    assert detector.calls == calls == 4
    assert torch.equal(first[photos[0]], second[photos[0]])
    assert second[photos[1]].shape == (0, 4)
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(CamproError):
        find_face_boxes([tmp_path / "bad.png"], detector, tmp_path)


def test_a_changed_photograph_and_another_detector_are_computed_anew(photo, tmp_path):
    detector = Blobs()
    write_image(tmp_path / "a.png", photo)
    find_face_boxes([tmp_path / "a.png"], detector, tmp_path)
    write_image(tmp_path / "a.png", photo[:, ::-1].copy())
    find_face_boxes([tmp_path / "a.png"], detector, tmp_path)
    assert detector.calls == 4  # two scales
    detector.digest = "other weights"
    find_face_boxes([tmp_path / "a.png"], detector, tmp_path)
    assert detector.calls == 6


def test_a_damaged_cache_file_is_refused(photo, tmp_path):
    write_image(tmp_path / "a.png", photo)
    find_face_boxes([tmp_path / "a.png"], Blobs(), tmp_path)
    (file,) = (tmp_path / "face-boxes").iterdir()
    file.write_text('{"half')
    with pytest.raises(CamproError, match="cached face boxes"):
        find_face_boxes([tmp_path / "a.png"], Blobs(), tmp_path)


def test_a_changed_digit_in_the_cache_is_noticed(photo, tmp_path):
    write_image(tmp_path / "a.png", photo)
    find_face_boxes([tmp_path / "a.png"], Blobs(), tmp_path)
    (file,) = (tmp_path / "face-boxes").iterdir()
    text = file.read_text()
    place = text.index("[[") + 2
    file.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :])
    with pytest.raises(CamproError, match="cached face boxes"):
        find_face_boxes([tmp_path / "a.png"], Blobs(), tmp_path)
