"""The adapter of the optional package frbench."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from torch import nn

from campro.core.errors import CamproError
from campro.models.faces import FACE_EMBEDDERS, load_embedder
from campro.models.faces.embedder_card import EmbedderCard
from campro.models.faces.frbench_embedder import FrbenchEmbedder, _three


def test_unknown_backbones_and_a_missing_package_are_refused():
    message = "BACKBONE_LOSS_DATASET" if find_spec("frbench") else "pip install"
    with pytest.raises(CamproError, match=message):
        load_embedder("frbench/nothing", weights=None)


def test_one_value_stands_for_three_channels():
    assert _three(0.5) == (0.5, 0.5, 0.5)
    assert _three([1, 2, 3]) == (1.0, 2.0, 3.0)


@pytest.mark.slow
def test_every_backbone_embeds_a_crop(monkeypatch):
    """Weights are not drawn, which takes minutes: only shapes and layouts matter here."""
    registry = pytest.importorskip("frbench.backbones").BACKBONE_REGISTRY
    for name in (name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")):
        monkeypatch.setattr(torch.nn.init, name, lambda tensor, *values, **options: tensor)
    for name in registry:
        embedder = load_embedder(f"frbench/{name}", weights=None)
        with torch.inference_mode():
            assert embedder(torch.rand(1, 3, *embedder.card.size)).shape == (1, embedder.card.dim), name


def test_weights_of_other_packages_keep_their_layout(monkeypatch):
    """A network that flattens its maps by `view` fails on weights that are laid channels-last."""

    class Viewing(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.out = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(4 * 56 * 56, 512)

        def forward(self, x):
            maps = self.conv(x)
            return self.out(maps.view(len(maps), -1))

    card = EmbedderCard("frbench/viewing", (112, 112), 512, 0.5, 0.5, "arcface-112")
    monkeypatch.setitem(FACE_EMBEDDERS, "frbench", lambda weights, model: FrbenchEmbedder(card, Viewing()).eval())
    embedder = load_embedder("frbench/viewing", weights=None)
    assert embedder(torch.rand(2, 3, 112, 112)).shape == (2, 512)
    with pytest.raises(RuntimeError, match="view size"):
        embedder.to(memory_format=torch.channels_last)(torch.rand(2, 3, 112, 112))
