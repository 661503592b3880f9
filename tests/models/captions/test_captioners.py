"""Captioners: two that learn from the captions at hand, and adapters for files."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from campro.core.errors import CamproError
from campro.models.captions import load_captioner
from campro.models.captions.gru_captioner import learn_gru
from campro.models.captions.object_scores import object_scores
from campro.models.captions.retrieval_captioner import consensus, learn_retrieval
from campro.models.captions.vocabulary import Vocabulary
from campro.models.persons import load_detector
from campro.models.persons.yolox import YoloxDetector


class Colours(YoloxDetector):
    """Its "objects" are the colours of a picture: red, green, blue."""

    def __init__(self):
        torch.nn.Module.__init__(self)
        self.card = SimpleNamespace(name="colours", licence="Apache-2.0", size=(32, 32))
        self.net = lambda pictures: self._raw(pictures)
        self.net.shape = SimpleNamespace(classes=3)

    def _raw(self, bgr):
        colour = (bgr.flip(1) / 255)[:, :, :8, :8].mean((2, 3))
        return torch.cat([torch.zeros(1, 4), torch.full((1, 1), 20.0), 12 * colour - 6], 1)[:, None]


def picture(channel):
    image = torch.zeros(3, 32, 32)
    image[channel] = 1.0
    return image


IMAGES = [picture(channel) for channel in (0, 1, 2)]
CAPTIONS = [
    ["a red wall", "a wall that is red", "a red wall"],
    ["a green field", "a green field of grass", "a field"],
    ["a blue sky", "a blue sky", "the sea under a blue sky"],
]


def test_object_scores_are_the_best_of_all_cells():
    scores = object_scores(Colours(), IMAGES)
    assert scores.shape == (3, 3) and (scores.argmax(1) == torch.arange(3)).all()
    assert scores.max() <= 1 and scores.min() >= 0
    assert object_scores(load_detector("yolox-nano", weights=None), IMAGES[:1]).shape == (1, 80)
    with pytest.raises(CamproError, match="yolox-nano"):
        object_scores(load_detector("campro-person", weights=None), IMAGES)


def test_retrieval_repeats_captions_of_similar_photographs(monkeypatch):
    monkeypatch.setattr("campro.models.captions.retrieval_captioner.NEIGHBOURS", 1)
    captioner = learn_retrieval(Colours(), IMAGES, CAPTIONS)
    found = captioner.caption([picture(2), picture(0) * 0.9])
    assert found == ["a blue sky", "a red wall"]


def test_the_consensus_agrees_with_the_others():
    assert consensus(["two dogs", "a cat on a mat", "a cat on a red mat", "a cat on a mat"]) == "a cat on a mat"
    assert consensus(["alone"]) == "alone"


@pytest.mark.slow
def test_the_tiny_network_learns_three_sentences_and_is_reproducible():
    texts = [["a red wall"] * 3, ["a green field"] * 3, ["a blue sky"] * 3]
    captioners = [learn_gru(Colours(), IMAGES, texts, seed=1, steps=60) for _ in range(2)]
    assert captioners[0].caption(IMAGES) == ["a red wall", "a green field", "a blue sky"]
    for one, two in zip(captioners[0].net.parameters(), captioners[1].net.parameters(), strict=True):
        assert torch.equal(one, two)
    assert captioners[0].card.weights_sha256 is None


def test_rare_words_are_unknown_and_not_written():
    vocabulary = Vocabulary.of([["a", "dog"], ["a", "dog"], ["a", "yak"]])
    numbers = vocabulary.numbers(["a", "yak", "dog"])
    assert numbers == [0, 3, 2, 4, 1]
    assert vocabulary.text([3, 2, 4, 1, 3]) == "a dog"


def onnx_captioner(folder: Path, **card):
    """The encoder returns the mean colour; the decoder's logits: the word after the last one, in turn."""
    picture = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])
    feature = helper.make_tensor_value_info("f", TensorProto.FLOAT, [1, 3, 1, 1])
    nodes = [helper.make_node("GlobalAveragePool", ["x"], ["f"])]
    save(folder / "encoder.onnx", nodes, [picture], [feature], [])
    words = helper.make_tensor_value_info("ids", TensorProto.INT64, [1, "n"])
    logits = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "n", 5])
    successor = np.roll(np.eye(5, dtype=np.float32), 1, axis=1)  # word i is followed by word i + 1
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["g"]),
        helper.make_node("ReduceSum", ["features", "axes"], ["s"], keepdims=0),
        helper.make_node("Mul", ["s", "zero"], ["z"]),
        helper.make_node("Add", ["g", "z"], ["y"]),
    ]
    tensors = [
        numpy_helper.from_array(successor, "table"),
        numpy_helper.from_array(np.array([0, 1, 2, 3]), "axes"),
        numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
    ]
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, 3, 1, 1])
    save(folder / "decoder.onnx", nodes, [words, features], [logits], tensors)
    fields = {"name": "toy", "size": [8, 8], "words": ["<s>", "a", "red", "##dish", "</s>"], "start": 0, "end": 4}
    (folder / "card.json").write_text(json.dumps(fields | card))
    return load_captioner(f"onnx/{folder}/card.json")


def save(path, nodes, inputs, outputs, tensors):
    graph = helper.make_graph(nodes, "toy", inputs, outputs, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_an_onnx_encoder_and_decoder(tmp_path):
    captioner = onnx_captioner(tmp_path)
    assert captioner.caption([torch.rand(3, 20, 30), torch.rand(3, 8, 8)]) == ["a reddish"] * 2
    assert len(captioner.card.weights_sha256) == 64


@pytest.mark.parametrize(
    ("card", "message"),
    [({"words": ["a"]}, "three"), ({"end": 9}, "outside"), ({"decoder": "none.onnx"}, "no such file")],
)
def test_wrong_cards_are_refused(tmp_path, card, message):
    with pytest.raises(CamproError, match=message):
        onnx_captioner(tmp_path, **card)


@pytest.mark.parametrize("name", ["nobody", "onnx", "transformers/absent-folder"])
def test_unknown_captioners_are_refused(name):
    with pytest.raises(CamproError):
        load_captioner(name)


class FakeProcessor:
    def __call__(self, images, return_tensors):
        assert images.shape == (8, 8, 3) and images.dtype == np.uint8 and return_tensors == "pt"
        return {"pixel_values": torch.from_numpy(images)[None]}

    def batch_decode(self, numbers, skip_special_tokens):
        return [f" brightness {int(number)}" for number in numbers]


class FakeModel(torch.nn.Module):
    def generate(self, pixel_values, **options):
        assert not options["do_sample"]
        return pixel_values.float().mean((1, 2, 3)).round()


def test_a_model_of_transformers(tmp_path, monkeypatch):
    calls = []

    def loader(thing):
        return SimpleNamespace(from_pretrained=lambda folder, **options: (calls.append(options), thing)[1])

    fake = SimpleNamespace(AutoProcessor=loader(FakeProcessor()), AutoModelForImageTextToText=loader(FakeModel()))
    monkeypatch.setitem(sys.modules, "transformers", fake)
    captioner = load_captioner(f"transformers/{tmp_path}")
    assert captioner.caption([torch.ones(3, 8, 8)]) == ["brightness 255"]
    assert all(options["local_files_only"] and not options["trust_remote_code"] for options in calls)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(CamproError, match=r"campro\[captions\]"):
        load_captioner(f"transformers/{tmp_path}")
