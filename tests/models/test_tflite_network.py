"""Networks in TFLite files: outputs against numpy, and files that are refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from support.tflite_files import CUSTOM, write_layer, write_reshape

from campro.core.errors import CamproError
from campro.models.preprocessing import PictureCard
from campro.models.tflite_network import TfliteNetwork

CARD = PictureCard("toy", (4, 3), mean=0.5, std=0.25, order="bgr")


@pytest.fixture
def file(tmp_path):
    pytest.importorskip("ai_edge_litert")
    return tmp_path / "toy.tflite"


@pytest.mark.parametrize("open_sides", [False, True])
def test_outputs_are_those_of_numpy(file, open_sides):
    """A layer over all values; three pictures through a file of batch 1, prepared as the card states."""
    rng = np.random.default_rng(0)
    weights, bias = rng.normal(size=(5, 4 * 3 * 3)), rng.normal(size=5)
    write_layer(file, (4, 3), weights, bias, open_sides)
    pictures = rng.uniform(size=(3, 3, 4, 3)).astype(np.float32)
    (found,) = TfliteNetwork(CARD, file)(torch.from_numpy(pictures))
    prepared = (pictures[:, ::-1].transpose(0, 2, 3, 1) - 0.5) / 0.25
    np.testing.assert_allclose(found, prepared.reshape(3, -1) @ weights.T + bias, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (4, 5)}, "expected the size 4 x 3 of its card, got an input of 4 x 5; correct `size`"),
        ({"kind": "uint8"}, "expected inputs and outputs of float32, got picture of uint8; convert"),
        ({"inputs": 2}, "expected one input, the picture, got picture, picture1; convert"),
        ({"operator": CUSTOM}, "expected a TFLite network, got .*custom op.*; the file is damaged or of another kind"),
    ],
)
def test_networks_that_do_not_suit_are_refused(file, change, message):
    write_reshape(file, **{"size": (4, 3)} | change)
    with pytest.raises(CamproError, match=message) as refused:
        TfliteNetwork(CARD, file)
    assert "\n" not in str(refused.value) and str(file) in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b"this is no network, whatever its name says"])
def test_files_of_another_kind_are_refused(file, content):
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CamproError, match=r"expected a TFLite network") as refused:
        TfliteNetwork(CARD, file)
    assert "\n" not in str(refused.value)


def test_a_cut_file_is_refused(file):
    write_layer(file, (4, 3), np.zeros((5, 36)), np.zeros(5))
    file.write_bytes(file.read_bytes()[:-400])
    with pytest.raises(CamproError, match=r"expected a TFLite network.*damaged"):
        TfliteNetwork(CARD, file)


def test_the_package_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    monkeypatch.delitem(sys.modules, "ai_edge_litert.interpreter", raising=False)
    with pytest.raises(CamproError, match=r"toy: expected the package ai_edge_litert.*pip install 'campro\[tflite\]'"):
        TfliteNetwork(CARD, tmp_path / "toy.tflite")
