"""Preprocessing and the base class of face embedders."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.models.faces import EmbedderCard, FaceEmbedder

CARD = EmbedderCard("toy", (4, 2), 3, 0.5, (0.5, 0.25, 1.0), "arcface-112", order="bgr")


class MeanColour(FaceEmbedder):
    """The smallest embedder possible: a card and `features`."""

    def features(self, prepared):
        return prepared.mean((2, 3))


def test_preparation_by_hand():
    crops = torch.rand(2, 3, 4, 2)
    blue_green_red = torch.stack([crops[:, 2], crops[:, 1], crops[:, 0]], 1)
    torch.testing.assert_close(CARD.prepare(crops), (blue_green_red - 0.5) / torch.tensor([0.5, 0.25, 1]).view(3, 1, 1))


@pytest.mark.parametrize("shape", [(3, 4, 2), (1, 3, 2, 4), (1, 1, 4, 2)])
def test_crops_of_another_shape_are_refused(shape):
    with pytest.raises(CamproError, match=r"crops \(B, 3, 4, 2\)"):
        CARD.prepare(torch.rand(shape))


def test_an_embedder_needs_only_a_card_and_features():
    embedder, crops = MeanColour(CARD), torch.rand(5, 3, 4, 2, requires_grad=True)
    embeddings = embedder(crops)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(5))
    embeddings.sum().backward()
    assert embedder.differentiable and crops.grad.abs().sum() > 0
    assert embedder(crops[:0]).shape == (0, 3)


def test_features_must_be_defined():
    with pytest.raises(NotImplementedError):
        FaceEmbedder(CARD)(torch.rand(1, 3, 4, 2))


def test_embeddings_are_float32_in_mixed_precision():
    class Half(MeanColour):
        def features(self, prepared):
            return super().features(prepared).bfloat16()

    assert Half(CARD)(torch.rand(2, 3, 4, 2)).dtype == torch.float32
