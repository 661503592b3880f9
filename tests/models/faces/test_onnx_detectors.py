"""Decoders of SCRFD and CenterFace, on networks with constant outputs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from campro.core.errors import CamproError
from campro.models.faces import load_face_detector, onnx_detectors


def _constant_network(path, outputs):
    """An ONNX file with a picture as input and the given arrays as outputs."""
    names = [f"y{i}" for i in range(len(outputs))]
    nodes = [helper.make_node("Identity", [f"c{name}"], [name]) for name in names]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, y.shape) for name, y in zip(names, outputs)],
        [numpy_helper.from_array(y, f"c{name}") for name, y in zip(names, outputs)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def _scrfd_outputs(cells=(128, 32, 8)):
    """For a 64 x 64 picture: both anchors at row 1, column 2 of stride 16 have the same face, with different scores."""
    scores, boxes, points = ([np.zeros((n, width), np.float32) for n in cells] for width in (1, 4, 10))
    for anchor, score in ((0, 0.7), (1, 0.9)):
        row = (1 * 4 + 2) * 2 + anchor
        scores[1][row], boxes[1][row], points[1][row] = score, (1, 0.5, 1, 2), np.arange(10) / 10
    return [*scores, *boxes, *points]


def _centerface_outputs():
    """For a 64 x 64 picture: one face of 16 x 32 (width x height) around the middle of row 8, column 6."""
    heat, scale, offset, points = (np.zeros((1, n, 16, 16), np.float32) for n in (1, 2, 2, 10))
    heat[0, 0, 8, 6] = 0.8
    scale[0, :, 8, 6] = np.log([32 / 4, 16 / 4])
    points[0, :, 8, 6] = np.tile([0.25, 0.5], 5)  # (y, x) as parts of height and width
    return [heat, scale, offset, points]


def test_scrfd_by_hand(tmp_path):
    _constant_network(tmp_path / "scrfd.onnx", _scrfd_outputs())
    (face,) = load_face_detector(f"scrfd/{tmp_path}/scrfd.onnx").detect(np.zeros((64, 64, 3), np.uint8))
    assert face.score == pytest.approx(0.9)
    # the cell's corner (32, 16), and distances left, top, right, bottom in strides of 16
    np.testing.assert_allclose(face.box, (32 - 16, 16 - 8, 32 + 16, 16 + 32), atol=1e-4)
    np.testing.assert_allclose(face.points, np.array([32, 16]) + 1.6 * np.arange(10).reshape(5, 2), atol=1e-4)


def test_centerface_by_hand(tmp_path):
    _constant_network(tmp_path / "centerface.onnx", _centerface_outputs())
    (face,) = load_face_detector(f"centerface/{tmp_path}/centerface.onnx").detect(np.zeros((64, 64, 3), np.uint8))
    assert face.score == pytest.approx(0.8)
    x, y = (6 + 0.5) * 4, (8 + 0.5) * 4
    np.testing.assert_allclose(face.box, (x - 8, y - 16, x + 8, y + 16), atol=1e-4)
    np.testing.assert_allclose(face.points, [(x, y - 8)] * 5, atol=1e-4)


def test_large_images_are_shrunk_and_coordinates_scaled_back(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_detectors, "LONGEST", 64)
    _constant_network(tmp_path / "scrfd.onnx", _scrfd_outputs())
    (face,) = load_face_detector(f"scrfd/{tmp_path}/scrfd.onnx").detect(np.zeros((128, 128, 3), np.uint8))
    np.testing.assert_allclose(face.box, (32, 16, 96, 96), atol=1e-3)


@pytest.mark.parametrize("name", ["scrfd", "centerface"])
def test_files_of_other_networks_are_refused(tmp_path, name):
    _constant_network(tmp_path / "other.onnx", [np.zeros((1, 3), np.float32)])
    with pytest.raises(CamproError, match=name):
        load_face_detector(f"{name}/{tmp_path}/other.onnx").detect(np.zeros((64, 64, 3), np.uint8))
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    with pytest.raises(CamproError, match="ONNX file"):
        load_face_detector(f"{name}/{tmp_path}/broken.onnx")


def test_outputs_of_wrong_shape_are_refused(tmp_path):
    outputs = _scrfd_outputs()
    outputs[4] = outputs[4][:5]
    _constant_network(tmp_path / "scrfd.onnx", outputs)
    with pytest.raises(CamproError, match="the outputs of scrfd"):
        load_face_detector(f"scrfd/{tmp_path}/scrfd.onnx").detect(np.zeros((64, 64, 3), np.uint8))
