"""Embedders from ONNX files, and their cards."""

from __future__ import annotations

import json

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
    assert not embedder.differentiable
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
        load_onnx(tmp_path / "linear.onnx", EmbedderCard("linear", (8, 6), 4, 0, 1, "arcface-112"))(crops)


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
        {"colour": "red"},
    ],
)
def test_wrong_fields_of_a_card_are_refused(tmp_path, change):
    (tmp_path / "card.json").write_text(json.dumps(CARD | change))
    with pytest.raises(CamproError, match=r"card\.json"):
        read_card(tmp_path / "card.json")


@given(st.dictionaries(st.sampled_from([*CARD, "order", "licence", "other"]), JSON) | JSON)
def test_any_json_gives_a_card_or_a_campro_error(tmp_path_factory, value):
    file = tmp_path_factory.getbasetemp() / "card.json"
    file.write_text(json.dumps(CARD | value if isinstance(value, dict) else value))
    try:
        card = read_card(file)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        assert card.prepare(torch.rand(1, 3, *card.size)).isfinite().all()
