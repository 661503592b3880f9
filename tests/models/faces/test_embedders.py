"""Recognisers against their originals, and the contract that all of them keep."""

from __future__ import annotations

import dlib
import numpy as np
import onnx
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.data.facemodel import FaceModel
from campro.models.faces import FACE_EMBEDDERS, EmbedderCard, align, load_embedder, load_face_detector
from campro.models.faces.mobilefacenet import Depthwise
from campro.models.faces.onnx_embedder import load_onnx

RANDOM = ["dlib-resnet29", "mobilefacenet"]


@pytest.fixture(scope="module")
def pictures():
    """Two synthetic people in two pictures each."""
    return [picture for person in FaceModel.load().sample(2, 2, seed=5) for picture in person]


def test_dlib_port_agrees_with_dlib(pictures):
    original = dlib.face_recognition_model_v1(str(locate("dlib_face_recognition_resnet_model_v1.dat")))
    embed = load_embedder("dlib-resnet29")
    crops = np.stack([np.ascontiguousarray(picture[5:155, 5:155]) for picture in pictures])
    wanted = np.array([original.compute_face_descriptor(crop) for crop in crops])
    with torch.no_grad():
        raw = embed.features(embed.card.prepare(to_tensor(crops)))
        rows = embed(to_tensor(crops))
    np.testing.assert_allclose(raw.numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(rows.numpy(), wanted / np.linalg.norm(wanted, axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("name", RANDOM)
def test_contract(name):
    embed = load_embedder(name, weights=None)
    crops = torch.rand(2, 3, *embed.card.size, requires_grad=True)
    rows = embed(crops)
    assert rows.shape == (2, embed.card.dim)
    torch.testing.assert_close(rows.norm(dim=1), torch.ones(2))
    rows[:, 0].sum().backward()
    assert crops.grad.abs().sum() > 0
    assert embed(crops[:0]).shape == (0, embed.card.dim)
    assert embed.card.weights_sha256 is None
    with pytest.raises(CamproError, match="align"):
        embed(torch.rand(1, 3, 50, 50))


@pytest.mark.parametrize("name", ["mobilefacenet", "mobilefacenet-cat", "edgeface-xs"])
@pytest.mark.shared
def test_public_weights_know_people_apart(shared_data, name, pictures):
    if name == "edgeface-xs":
        pytest.importorskip("timm")
    embed = load_embedder(name)
    crops = torch.cat([align(picture, embed.card) for picture in pictures])
    with torch.no_grad():
        alike = embed(crops) @ embed(crops).T
    assert alike[0, 1] > alike[0, 2:].max()
    assert alike[2, 3] > alike[2:, :2].max()


def test_unknown_names_and_bad_files(tmp_path):
    with pytest.raises(CamproError, match="dlib-resnet29"):
        load_embedder("nobody")
    with pytest.raises(CamproError, match="no such file"):
        load_embedder("mobilefacenet", weights=tmp_path / "absent.ckpt")
    for name, file in (("mobilefacenet", "x.ckpt"), ("mobilefacenet", "x.safetensors"), ("dlib-resnet29", "x.dat")):
        (tmp_path / file).write_bytes(b"\x80garbage" * 9)
        with pytest.raises(CamproError) as caught:
            load_embedder(name, weights=tmp_path / file)
        assert "\n" not in str(caught.value)


def test_truncated_dlib_file(tmp_path):
    whole = locate("dlib_face_recognition_resnet_model_v1.dat").read_bytes()
    (tmp_path / "half.dat").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CamproError, match="more bytes"):
        load_embedder("dlib-resnet29", weights=tmp_path / "half.dat")


def _onnx_file(path, size=(8, 6), dim=5):
    weight = np.random.default_rng(0).normal(size=(3 * size[0] * size[1], dim)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["y"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, *size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", dim])],
        [numpy_helper.from_array(weight, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return weight


def test_any_onnx_file_with_a_card(tmp_path):
    weight = _onnx_file(tmp_path / "linear.onnx")
    card = EmbedderCard("linear", (8, 6), 5, 0.5, (0.5, 0.25, 0.5), "arcface-112", order="bgr")
    embed = load_onnx(tmp_path / "linear.onnx", card)
    crops = torch.rand(3, 3, 8, 6)
    prepared = (crops.flip(1) - 0.5) / torch.tensor([0.5, 0.25, 0.5]).view(3, 1, 1)
    wanted = torch.nn.functional.normalize(prepared.flatten(1) @ torch.from_numpy(weight))
    torch.testing.assert_close(embed(crops), wanted)
    (tmp_path / "linear.json").write_text(
        '{"name": "linear", "size": [8, 6], "dim": 5, "mean": 0.5, "std": [0.5, 0.25, 0.5],'
        ' "template": "arcface-112", "order": "bgr"}'
    )
    torch.testing.assert_close(load_embedder(f"onnx/{tmp_path}/linear.json")(crops), wanted)
    with pytest.raises(CamproError, match="numbers a face"):
        load_onnx(tmp_path / "linear.onnx", EmbedderCard("linear", (8, 6), 4, 0, 1, "arcface-112"))(crops)


def test_frbench_adapter():
    pytest.importorskip("frbench")
    embed = load_embedder("frbench/mobilefacenet", weights=None)
    crops = torch.rand(2, 3, 112, 112, requires_grad=True)
    rows = embed(crops)
    assert rows.shape == (2, 512)
    rows[:, 0].sum().backward()
    assert crops.grad.abs().sum() > 0
    with pytest.raises(CamproError, match="frbench"):
        load_embedder("frbench/nothing", weights=None)


def test_every_family_is_reachable():
    assert {"dlib-resnet29", "mobilefacenet", "frbench", "onnx"} <= set(FACE_EMBEDDERS)
    assert load_face_detector("dlib").scheme == "dlib"


@given(st.integers(5, 12), st.integers(5, 12), st.sampled_from([1, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_depthwise_filters_and_their_gradients_are_those_of_torch(height: int, width: int, stride: int) -> None:
    ours = Depthwise(4, 4, 3, stride, 1, groups=4, bias=False).double()
    theirs = torch.nn.Conv2d(4, 4, 3, stride, 1, groups=4, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    sides = []
    for filters in (ours, theirs):
        crops = torch.rand(2, 4, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        found = filters(crops.requires_grad_())
        (found**2).sum().backward()
        sides.append((found, crops.grad, filters.weight.grad))
    torch.testing.assert_close(sides[0], sides[1])
