"""The table of face detectors."""

from __future__ import annotations

import numpy as np
import pytest
import skimage
import torch

from campro.core.errors import CamproError
from campro.core.images import read_image
from campro.models.faces import FACE_DETECTORS, face_detectors, load_face_detector
from campro.models.faces.face_detectors import YunetFaces
from campro.models.faces.landmarks import main_face
from campro.models.faces.retinaface import RetinaFaces, anchors
from campro.models.faces.retinaface_net import RetinaFaceNet


def _check(detector):
    """Contract of a detector that detects the astronaut's face and none in a gray image."""
    rgb = skimage.data.astronaut()
    face = max(detector.detect(rgb), key=lambda found: found.score)
    assert face.score >= detector.confident_score
    x0, y0, x1, y1 = face.box
    assert 150 < x0 < x1 < 300 and 20 < y0 < y1 < 220
    assert face.points.shape == (5, 2) and face.points.dtype == np.float64
    assert (face.points > (x0, y0)).all() and (face.points < (x1, y1)).all()
    assert detector.detect(np.full((80, 60, 3), 128, np.uint8)) == []


def test_dlib_keeps_the_contract():
    detector = load_face_detector("dlib")
    assert detector.scheme == "dlib"
    _check(detector)


@pytest.mark.shared
@pytest.mark.parametrize("file", ["yunet_n_320_320.onnx", "yunet_n_dynamic.onnx"])
def test_yunet_keeps_the_contract(shared_data, file):
    _check(load_face_detector(f"yunet/{shared_data}/models/{file}"))


@pytest.mark.parametrize("name", ["nobody", "dlib/file", "scrfd", "centerface"])
def test_unknown_names_and_missing_files_are_refused(name):
    with pytest.raises(CamproError, match="face detector"):
        load_face_detector(name)


@pytest.mark.parametrize("family", [name for name in FACE_DETECTORS if name != "dlib"])
def test_damaged_weights_are_refused(tmp_path, family):
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(CamproError, match=r"bad\.onnx"):
        load_face_detector(f"{family}/{tmp_path}/bad.onnx")


def test_a_network_that_is_not_yunet_is_refused(tmp_path):
    with pytest.raises(CamproError, match="YuNet"):
        YunetFaces(tmp_path / "absent.onnx")


def test_a_file_that_ends_its_process_is_refused(tmp_path, monkeypatch):
    (tmp_path / "crash.onnx").write_bytes(b"unknown content")
    monkeypatch.setattr(face_detectors, "_TRIAL", "import os, signal; os.kill(os.getpid(), signal.SIGFPE)")
    with pytest.raises(CamproError, match=r"crash\.onnx: expected YuNet's weights, got a crash of OpenCV \(signal 8\)"):
        YunetFaces(tmp_path / "crash.onnx")


@pytest.mark.shared
def test_an_unknown_file_that_works_is_loaded(shared_data, tmp_path):
    """A byte behind the last field of an ONNX file changes its hash, not the network."""
    data = (shared_data / "models/yunet_n_dynamic.onnx").read_bytes()
    (tmp_path / "other.onnx").write_bytes(data + b"\x12\x01x")  # the producer's name once more
    _check(YunetFaces(tmp_path / "other.onnx"))


def test_retinaface_decodes_by_hand():
    """An anchor of side 20 at (12, 4): offsets are in tenths of the side, sizes exp(0.2 v)."""
    detector = RetinaFaces.__new__(RetinaFaces)
    anchor = anchors(32, 32)[3:4]
    assert anchor.tolist() == [[12, 4, 20]]
    boxes, points = np.array([[1.0, -2.0, 0.0, 5 * np.log(2)]]), np.arange(10.0)[None]
    ((x0, y0, x1, y1, score, *places),) = detector.decode([np.array([[0.25, 0.75]]), boxes, points, anchor])
    assert (x0, y0, x1, y1) == pytest.approx((14 - 10, 0 - 20, 14 + 10, 0 + 20))
    assert score == 0.75
    assert places[:4] == pytest.approx([12 + 0, 4 + 2, 12 + 4, 4 + 6])


def test_retinaface_loads_a_file_of_its_layout_and_no_other(tmp_path):
    net = RetinaFaceNet()
    torch.save(net.state_dict(), tmp_path / "random.pth")
    assert isinstance(
        load_face_detector(f"retinaface/{tmp_path}/random.pth").detect(np.zeros((50, 40, 3), np.uint8)), list
    )
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(CamproError, match="RetinaFaceNet"):
        load_face_detector(f"retinaface/{tmp_path}/other.pth")


@pytest.mark.shared
def test_retinaface_keeps_the_contract_and_agrees_with_yunet(shared_data):
    detector, other = load_face_detector("retinaface"), load_face_detector("yunet")
    _check(detector)
    photos = sorted((shared_data / "lfw/images").glob("*/*_0001.jpg"))[:200:10]
    distances = []
    for photo in photos:
        rgb = read_image(photo)
        found = [main_face(one.detect(rgb), *rgb.shape[:2]) for one in (detector, other)]
        distances.append(np.abs(found[0].points - found[1].points).mean())
    assert len(distances) == 20 and max(distances) < 6  # pixels, of faces 100 pixels wide
