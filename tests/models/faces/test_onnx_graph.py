"""Each operator in torch, against ONNX Runtime; and gradients of a recogniser that is an ONNX file."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from campro.core.errors import CamproError
from campro.models.faces import EmbedderCard, load_embedder
from campro.models.faces.onnx_embedder import GraphEmbedder, OnnxEmbedder, load_onnx
from campro.models.faces.onnx_graph import OPERATORS, OnnxGraph

RNG = np.random.default_rng(0)


def random(*shape):
    return RNG.normal(size=shape).astype(np.float32)


SCALE = {"s": random(3), "b": random(3), "m": random(3), "v": np.abs(random(3)) + 0.5}
SLOPE = {"a": random(3, 1, 1)}
CASES = {
    "Add": [({"w": random(3, 1, 1)}, {})],
    "AveragePool": [
        ({}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ({}, {"kernel_shape": [2, 2]}),
    ],
    "BatchNormalization": [(SCALE, {"epsilon": 1e-3})],
    "Clip": [({"low": np.float32(-0.5), "high": np.float32(0.5)}, {})],
    "Concat": [({"w": random(2, 3, 6, 7)}, {"axis": 1})],
    "Conv": [
        ({"w": random(4, 3, 3, 3), "b": random(4)}, {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ({"w": random(6, 1, 3, 2)}, {"group": 3, "pads": [0, 1, 2, 0], "dilations": [2, 1]}),
        ({"w": random(3, 1, 3, 3), "b": random(3)}, {"group": 3, "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ],
    "Div": [({"w": np.float32(3)}, {})],
    "Dropout": [({}, {})],
    "Flatten": [({}, {}), ({}, {"axis": 1})],
    "Gemm": [({"w": random(5, 126), "c": random(5)}, {"transB": 1, "alpha": 0.5, "beta": 2.0})],
    "GlobalAveragePool": [({}, {})],
    "Identity": [({}, {})],
    "LeakyRelu": [({}, {"alpha": 0.2}), ({}, {})],
    "MatMul": [({"w": random(7, 5)}, {})],
    "MaxPool": [({}, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 0, 0]})],
    "Mul": [({"w": random(1)}, {})],
    "PRelu": [(SLOPE, {}), ({"a": random(7)}, {})],
    "Relu": [({}, {})],
    "Reshape": [({"shape": np.array([0, -1, 7])}, {})],
    "Sigmoid": [({}, {})],
    "Sub": [({"w": random(1)}, {})],
    "Transpose": [({}, {"perm": [0, 2, 3, 1]})],
}


def network(path, nodes, tensors, target="y"):
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 6, 7])],
        [helper.make_tensor_value_info(target, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


@pytest.mark.parametrize("kind", OPERATORS)
def test_operators_agree_with_onnx_runtime(kind, tmp_path):
    for number, (tensors, attributes) in enumerate(CASES[kind]):
        start = [helper.make_node("Flatten", ["x"], ["flat"])] if kind == "Gemm" else []
        first = "flat" if start else "x"
        node = helper.make_node(kind, [first, *tensors], ["y"], **attributes)
        path = network(tmp_path / f"{number}.onnx", [*start, node], tensors)
        pictures = random(2, 3, 6, 7)
        wanted = onnxruntime.InferenceSession(str(path)).run(["y"], {"x": pictures})[0]
        found = OnnxGraph(path, "x", "y")(torch.from_numpy(pictures))
        np.testing.assert_allclose(found.detach().numpy(), wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("Conv", {"auto_pad": "SAME_UPPER"}),
        ("AveragePool", {"kernel_shape": [2, 2], "ceil_mode": 1}),
        ("AveragePool", {"kernel_shape": [2, 2], "pads": [1, 0, 0, 0]}),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 1}),
        ("Flatten", {"axis": 2}),
    ],
)
def test_variants_that_are_not_supported_are_refused(kind, attributes, tmp_path):
    tensors = {"w": random(4, 3, 3, 3)} if kind == "Conv" else {}
    path = network(tmp_path / "a.onnx", [helper.make_node(kind, ["x", *tensors], ["y"], **attributes)], tensors)
    with pytest.raises(CamproError, match=kind):
        OnnxGraph(path, "x", "y")(torch.zeros(1, 3, 6, 7))


CARD = EmbedderCard("net", (6, 7), 5, 0.5, 0.5, "arcface-112")
NODES = [
    helper.make_node("Constant", [], ["half"], value=numpy_helper.from_array(np.float32(0.5))),
    helper.make_node("Mul", ["x", "half"], ["scaled"]),
    helper.make_node("BatchNormalization", ["scaled", "s", "b", "m", "v"], ["normed"]),
    helper.make_node("Flatten", ["normed"], ["flat"]),
    helper.make_node("MatMul", ["flat", "w"], ["y"]),
]


def test_a_recogniser_of_common_layers_has_gradients(tmp_path):
    path = network(tmp_path / "net.onnx", NODES, SCALE | {"w": random(126, 5)})
    embedder = load_onnx(path, CARD)
    assert isinstance(embedder, GraphEmbedder) and embedder.differentiable
    crops = torch.rand(3, 3, 6, 7, requires_grad=True)
    torch.testing.assert_close(embedder(crops), OnnxEmbedder(CARD, path)(crops.detach()), atol=1e-5, rtol=1e-4)
    embedder(crops)[:, 0].sum().backward()
    assert crops.grad.abs().sum() > 0
    trained = {name for name, parameter in embedder.named_parameters() if parameter.grad is not None}
    assert len(trained) == 3  # scale, bias and matrix; statistics and constants stay


def test_other_layers_run_in_onnx_runtime(tmp_path):
    nodes = [*NODES[:-1], helper.make_node("MatMul", ["flat", "w"], ["z"]), helper.make_node("Erf", ["z"], ["y"])]
    embedder = load_onnx(network(tmp_path / "net.onnx", nodes, SCALE | {"w": random(126, 5)}), CARD)
    assert isinstance(embedder, OnnxEmbedder) and not embedder.differentiable


@pytest.mark.shared
@pytest.mark.parametrize("name", ["sface", "mobilefacenet-cat"])
def test_public_networks_have_gradients(shared_data, name):
    assert load_embedder(name).differentiable
