"""The protector's loss: which weights it trains, and what it is made of."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from campro.design.attackers import Attacker
from campro.design.game_losses import protector_face_loss
from campro.design.protector import Protector, frozen
from campro.isp import IspPipeline, load_profile
from campro.models.faces import load_embedder


class Detector(nn.Module):
    """Stands in for a detector: its loss is the mean difference of its weighted input from the raw scenes."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def imitate(self, images, raw, teacher):
        return (self.weight * images - teacher.weight * raw).abs().mean()


@pytest.fixture
def attacker():
    embedder = load_embedder("mobilefacenet", weights=None).eval()
    return Attacker(embedder, torch.eye(3, embedder.card.dim))


def test_losses_and_gradients(attacker):
    pipeline, detector, teacher = IspPipeline.from_profile(load_profile("negative")), Detector(), Detector()
    faces, scenes = torch.rand(2, 3, *attacker.embedder.card.size), torch.rand(1, 3, 32, 32)
    person, rng = torch.tensor([0, 2]), np.random.default_rng(0)
    losses = Protector(pipeline, detector)([attacker], faces, person, scenes, teacher, 0.5, rng)
    face = protector_face_loss(attacker.logits(pipeline(faces), rng), person)
    detection = (pipeline(scenes) - scenes).abs().mean()
    torch.testing.assert_close(losses.face, face)
    torch.testing.assert_close(losses.detection, detection)
    torch.testing.assert_close(losses.loss, face + 0.5 * detection)
    losses.loss.backward()
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in pipeline.parameters())
    assert detector.weight.grad.abs() > 0
    assert all(p.grad is None for p in attacker.parameters())


def test_frozen_lets_gradients_pass_to_the_input_only():
    embed = load_embedder("mobilefacenet", weights=None)
    crops = torch.rand(1, 3, *embed.card.size, requires_grad=True)
    with frozen(embed):
        embeddings = embed(crops)
    embeddings.sum().backward()
    assert crops.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in embed.parameters())
