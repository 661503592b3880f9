"""Embedders from ONNX files, and their cards."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import onnx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from campro.core.errors import CamproError
from campro.models.faces import EmbedderCard, load_embedder
from campro.models.faces.onnx_embedder import load_onnx, read_card

CARD = {"name": "linear", "size": [8, 6], "dim": 5, "mean": 0.5, "std": [0.5, 0.25, 0.5], "template": "arcface-112"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


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


def test_an_onnx_file_and_its_card_give_the_embeddings_computed_by_hand(tmp_path):
    weight = _onnx_file(tmp_path / "linear.onnx")
    card = EmbedderCard("linear", (8, 6), 5, 0.5, (0.5, 0.25, 0.5), "arcface-112", order="bgr")
    embedder = load_onnx(tmp_path / "linear.onnx", card)
    assert embedder.differentiable
    crops = torch.rand(3, 3, 8, 6)
    prepared = (crops.flip(1) - 0.5) / torch.tensor([0.5, 0.25, 0.5]).view(3, 1, 1)
    wanted = torch.nn.functional.normalize(prepared.flatten(1) @ torch.from_numpy(weight))
    torch.testing.assert_close(embedder(crops), wanted)
    (tmp_path / "linear.json").write_text(
        '{"name": "linear", "size": [8, 6], "dim": 5, "mean": 0.5, "std": [0.5, 0.25, 0.5],'
        ' "template": "arcface-112", "order": "bgr"}'
    )
    torch.testing.assert_close(load_embedder(f"onnx/{tmp_path}/linear.json")(crops), wanted)
    with pytest.raises(CamproError, match="values per face"):
        load_onnx(tmp_path / "linear.onnx", EmbedderCard("linear", (8, 6), 4, 0, 1, "arcface-112"))


def test_missing_files_and_cards_are_refused(tmp_path):
    card = EmbedderCard("linear", (8, 6), 5, 0, 1, "arcface-112")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    for weights, its_card, message in (
        (None, card, "a file"),
        (tmp_path / "absent.onnx", card, "no such file"),
        (tmp_path / "bad.onnx", None, "a card"),
        (tmp_path / "bad.onnx", card, "an ONNX network"),
        (tmp_path / "bad.onnx", tmp_path / "absent.json", "a JSON object"),
    ):
        with pytest.raises(CamproError, match=message):
            load_onnx(weights, its_card)


@pytest.mark.parametrize(
    "change",
    [
        {"size": 112},
        {"size": [0, 6]},
        {"dim": "5"},
        {"mean": [0.5, 0.5]},
        {"std": 0},
        {"template": "none"},
        {"order": "gbr"},
        {"name": 1},
        {"name": "two\nlines"},
        {"mean": 127.5, "std": 127.5},
        {"mean": 127.5, "std": 127.5, "scale": 1},
        {"mean": 0.5, "std": 0.5, "scale": "255"},
        {"mean": 0.5, "std": 0.5, "scale": 255},
        {"mean": float("nan")},
        {"std": float("nan")},
        {"std": float("inf")},
        {"std": 10**400},
        {"std": [0.5, 0.5, 0]},
        {"std": 1e-30},
        {"std": -0.5},
        {"mean": "0.5"},
        {"mean": True},
        {"mean": {}},
        {"template": ["arcface-112"]},
        {"template": "arcface"},
        {"order": None},
        {"output": 3},
        {"licence": None},
        {"source": ["s"]},
        {"size": [112.0, 112]},
        {"dim": True},
        {"colour": "red"},
    ],
)
def test_wrong_fields_of_a_card_are_refused(tmp_path, change):
    (tmp_path / "card.json").write_text(json.dumps(CARD | change))
    with pytest.raises(CamproError, match=r"card\.json"):
        read_card(tmp_path / "card.json")


@given(st.dictionaries(st.sampled_from([*CARD, "order", "licence", "scale", "output", "other"]), JSON) | JSON)
def test_any_json_gives_a_card_or_a_campro_error(tmp_path_factory, value):
    file = tmp_path_factory.getbasetemp() / "card.json"
    file.write_text(json.dumps(CARD | value if isinstance(value, dict) else value))
    try:
        card = read_card(file)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        assert card.prepare(torch.rand(1, 3, *card.size)).isfinite().all()


def test_mean_and_std_for_values_up_to_255_equal_those_for_values_up_to_1(tmp_path):
    _onnx_file(tmp_path / "net.onnx")
    one = CARD | {"mean": 0.5, "std": 0.5}
    other = CARD | {"mean": 127.5, "std": [127.5, 127.5, 127.5], "scale": 255, "order": "RGB"}
    crops, embeddings = torch.rand(3, 3, 8, 6), []
    for card in (one, other):
        (tmp_path / "net.json").write_text(json.dumps(card))
        embeddings.append(load_embedder(f"onnx/{tmp_path}/net.json")(crops))
    torch.testing.assert_close(*embeddings)
    (tmp_path / "net.json").write_text(json.dumps(CARD | {"mean": 127.5, "std": 127.5}))
    with pytest.raises(CamproError, match='"scale": 255'):
        read_card(tmp_path / "net.json")


@pytest.mark.parametrize(("written", "meant"), [("RGB", "rgb"), ("Bgr", "bgr")])
def test_case_of_the_channel_order_does_not_matter(tmp_path, written, meant):
    (tmp_path / "card.json").write_text(json.dumps(CARD | {"order": written}))
    assert read_card(tmp_path / "card.json").order == meant


def _network(path, shape=("n", 3, 8, 6), kind=TensorProto.FLOAT, batch="n", more=None, inputs=1):
    """Mean colour of each quarter of a row, as an ONNX file: any input type, axes and batch size."""
    nodes, value = [], "x"
    if kind != TensorProto.FLOAT:
        nodes.append(helper.make_node("Cast", [value], ["cast"], to=TensorProto.FLOAT))
        value = "cast"
    if shape[-1] == 3:
        nodes.append(helper.make_node("Transpose", [value], ["turned"], perm=[0, 3, 1, 2]))
        value = "turned"
    nodes += [helper.make_node("Flatten", [value], ["flat"]), helper.make_node("MatMul", ["flat", "w"], ["embedding"])]
    outputs = [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, 5])]
    if more:
        nodes.append(helper.make_node("Softmax", ["embedding"], ["probabilities"]))
        wanted = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [batch, 5])
        outputs = [wanted, *outputs] if more == "both" else [wanted]
    weight = np.random.default_rng(0).normal(size=(144, 5)).astype(np.float32)
    takes = [helper.make_tensor_value_info("x", kind, shape)]
    takes += [helper.make_tensor_value_info("training", TensorProto.BOOL, [])] * (inputs - 1)
    graph = helper.make_graph(nodes, "net", takes, outputs, [numpy_helper.from_array(weight, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


TINY = EmbedderCard("tiny", (8, 6), 5, 0, 1, "arcface-112", scale=255)
"""Pixel values from 0 to 255."""


@pytest.mark.parametrize(
    "form",
    [
        {"shape": (1, 3, 8, 6), "batch": 1},
        {"shape": (4, 3, 8, 6), "batch": 4},
        {"shape": ("n", 8, 6, 3)},
        {"shape": (1, 8, 6, 3), "batch": 1},
        {"shape": ("n", 3, "height", "width")},
        {"kind": TensorProto.FLOAT16},
        {"kind": TensorProto.DOUBLE},
        {"kind": TensorProto.UINT8},
        {"kind": TensorProto.UINT8, "shape": (1, 8, 6, 3), "batch": 1},
    ],
)
def test_every_form_of_input_gives_the_same_embeddings(tmp_path, form):
    crops = torch.randint(256, (7, 3, 8, 6)) / 255
    _network(tmp_path / "plain.onnx")
    _network(tmp_path / "form.onnx", **form)
    wanted = load_onnx(tmp_path / "plain.onnx", TINY)(crops)
    torch.testing.assert_close(load_onnx(tmp_path / "form.onnx", TINY)(crops), wanted, atol=2e-3, rtol=0)


@pytest.mark.parametrize(
    ("form", "change", "message"),
    [
        ({"inputs": 2}, {}, "one input.*training"),
        ({"shape": ("n", 3, 6, 8)}, {}, "6 x 8.*correct `size`"),
        ({"shape": ("n", 1, 8, 18)}, {}, "3 channels"),
        ({"kind": TensorProto.UINT8}, {"mean": 127.5, "std": 127.5}, "uint8.*scale"),
        ({"kind": TensorProto.INT64}, {}, "int64"),
        ({"more": "both"}, {}, "`output`.*probabilities, embedding"),
        ({"more": "both"}, {"output": "features"}, "'features'.*probabilities, embedding"),
        ({}, {"dim": 6}, "6 values per face"),
    ],
)
def test_networks_that_do_not_suit_the_card_are_refused_when_loaded(tmp_path, form, change, message):
    _network(tmp_path / "net.onnx", **form)
    with pytest.raises(CamproError, match=message) as caught:
        load_onnx(tmp_path / "net.onnx", replace(TINY, **change))
    assert "\n" not in str(caught.value)


def test_of_several_outputs_the_card_names_the_embedding(tmp_path):
    crops = torch.rand(2, 3, 8, 6)
    _network(tmp_path / "plain.onnx")
    _network(tmp_path / "both.onnx", more="both")
    wanted = load_onnx(tmp_path / "plain.onnx", TINY)(crops)
    torch.testing.assert_close(load_onnx(tmp_path / "both.onnx", replace(TINY, output="embedding"))(crops), wanted)


@pytest.mark.parametrize("more", ["both", "probabilities"])
def test_a_softmax_is_not_taken_for_an_embedding(tmp_path, more):
    _network(tmp_path / "net.onnx", more=more)
    with pytest.raises(CamproError, match="softmax"):
        load_onnx(tmp_path / "net.onnx", replace(TINY, output="probabilities"))(torch.rand(2, 3, 8, 6))
