"""The table of face detectors."""

from __future__ import annotations

import numpy as np
import pytest
import skimage

from campro.core.errors import CamproError
from campro.models.faces import FACE_DETECTORS, face_detectors, load_face_detector
from campro.models.faces.face_detectors import YunetFaces


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
