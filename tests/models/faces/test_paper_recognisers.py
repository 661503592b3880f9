"""Weight files of the layouts of ArcFace, MagFace and AdaFace, which the tests make."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.models.faces import load_embedder
from campro.models.faces.embedder_card import EmbedderCard
from campro.models.faces.ir_se import IrNetwork
from campro.models.faces.iresnet import IResNet
from campro.models.faces.paper_recognisers import PAPER_RECOGNISERS

COUNTS = {
    "arcface-iresnet18": 24_025_600,
    "magface-iresnet100": 65_156_160,
    "adaface-ir18": 24_020_352,
    "arcface-irse50": 43_797_696,
    "facenet": 23_482_624,
}
"""Numbers of weights: 24.0, 65.2, 24.0, 43.8 and 23.5 million, as published."""


def published_name(name, model):
    """The name of a layer in the file that the authors publish."""
    if model.startswith("adaface"):
        return f"model.{name}"
    if model.startswith("magface"):
        return "features.module." + name.replace("features_norm.", "features.")
    return name.replace("features_norm.", "features.")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arcface-iresnet18", "magface-iresnet18", "adaface-ir18", "facenet"])
def test_files_of_the_published_layout_are_loaded(tmp_path, name):
    """The loaded network has the weights of the file, also of one with the classifier of the training set."""
    torch.manual_seed(0)
    source = load_embedder(name, weights=None)
    for buffer in (b for n, b in source.named_buffers() if n.endswith("running_var")):
        buffer.uniform_(0.5, 2)
    tensors = {published_name(key, name): value for key, value in source.state_dict().items()}
    if name.startswith("adaface"):
        tensors["head.kernel"] = torch.zeros(512, 10)
    if name == "facenet":
        tensors |= {"logits.weight": torch.zeros(10, 512), "logits.bias": torch.zeros(10)}
    torch.save({"state_dict": tensors}, tmp_path / "weights.pt")
    loaded = load_embedder(name, tmp_path / "weights.pt")
    assert len(loaded.card.weights_sha256) == 64 and loaded.card.name == name
    crops = torch.rand(1, 3, *source.card.size)
    with torch.no_grad():
        torch.testing.assert_close(loaded(crops), source(crops))
    del tensors[next(iter(tensors))]
    torch.save(tensors, tmp_path / "short.pt")
    with pytest.raises(CamproError, match="missing"):
        load_embedder(name, tmp_path / "short.pt")


@pytest.mark.parametrize("name", COUNTS)
def test_numbers_of_weights(name):
    """On the meta device: nothing is allocated."""
    with torch.device("meta"):
        network = PAPER_RECOGNISERS[name](None)
    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[name]


@pytest.mark.parametrize("name", PAPER_RECOGNISERS)
def test_without_a_file_the_option_is_named(name):
    with pytest.raises(CamproError, match=f"--face-weights {name}=PATH"):
        load_embedder(name)


def test_outputs_of_a_stage_have_half_the_side():
    """Four halvings of 112 pixels leave 7 x 7 cells for the linear layer."""
    card = EmbedderCard("toy", (32, 32), 8, 0.5, 0.5, "arcface-112")
    for network in (IResNet(card, 18), IrNetwork(card, 18, True), IrNetwork(card, 18, False)):
        assert network.eval()(torch.rand(2, 3, 32, 32)).shape == (2, 8)
