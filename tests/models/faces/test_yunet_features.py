"""Feature maps of YuNet, against average pooling and against another runtime."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from campro.models.faces import load_face_detector
from campro.models.faces.face_detectors import YunetFaces
from campro.models.faces.yunet_features import STRIDES, YunetFeatures, detector_features


@pytest.fixture
def pools(tmp_path):
    """A network with the structure of YuNet; its feature maps, each read by four heads, are averages of the input."""
    nodes, outputs = [], []
    for stride in STRIDES:
        sides = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes.append(helper.make_node("AveragePool", ["x"], [f"inner_{stride}"], **sides))
        for head in ("cls", "obj", "bbox", "kps"):
            nodes.append(helper.make_node("Neg", [f"inner_{stride}"], [f"{head}_{stride}_before"]))
            nodes.append(helper.make_node("Sigmoid", [f"{head}_{stride}_before"], [f"{head}_{stride}"]))
            sized = ["b", 3, f"h{stride}", f"w{stride}"]
            outputs.append(helper.make_tensor_value_info(f"{head}_{stride}", TensorProto.FLOAT, sized))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["b", 3, "h", "w"])
    graph = helper.make_graph(nodes, "pools", [given], outputs)
    path = tmp_path / "pools.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def test_features_are_the_input_of_the_heads_for_bgr_images(pools):
    images = torch.rand(2, 3, 64, 96)
    for stride, features in zip(STRIDES, YunetFeatures(pools)(images), strict=True):
        wanted = torch.nn.functional.avg_pool2d(255 * images.flip(1), stride)
        torch.testing.assert_close(features, wanted, rtol=1e-5, atol=1e-3)


def test_dlib_has_no_feature_maps():
    assert detector_features(load_face_detector("dlib")) is None


@pytest.mark.shared
def test_the_file_for_one_size_gives_the_same_features_at_other_sizes(shared_data):
    files = [shared_data / "models" / f"yunet_n_{size}.onnx" for size in ("320_320", "dynamic")]
    images = torch.rand(2, 3, 64, 96)
    for fixed_size, any_size in zip(*(YunetFeatures(file)(images) for file in files), strict=True):
        torch.testing.assert_close(fixed_size, any_size, rtol=1e-3, atol=1e-2)


@pytest.mark.shared
def test_features_of_the_public_weights_agree_with_onnx(shared_data):
    """With the reference evaluator of onnx; the tensor names were looked up in this file."""
    detector = YunetFaces(shared_data / "models" / "yunet_n_dynamic.onnx")
    images = torch.rand(1, 3, 64, 64)
    model = onnx.shape_inference.infer_shapes(onnx.load(detector.path))
    body = onnx.utils.Extractor(model).extract_model(["input"], ["287", "291", "295"])
    wanted = ReferenceEvaluator(body).run(None, {"input": 255 * images.flip(1).numpy()})
    for features, reference in zip(detector_features(detector)(images), wanted, strict=True):
        np.testing.assert_allclose(features.numpy(), reference, rtol=1e-3, atol=1e-3)
