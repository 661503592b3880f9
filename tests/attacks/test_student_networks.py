"""Copies of a recogniser do not change it, and compiled networks agree with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import STANDARD
from campro.attacks.student_networks import compiled_for_training, frozen_copy, trainable_copy


def test_a_trainable_copy_is_another_network(tiny_embedder):
    embedder = tiny_embedder().requires_grad_(False)
    embedder.card = replace(embedder.card, weights_sha256="0" * 64)
    student = trainable_copy(embedder)
    assert all(weight.requires_grad for weight in student.parameters())
    assert not any(weight.requires_grad for weight in embedder.parameters())
    assert student.card.weights_sha256 is None
    with torch.no_grad():
        student.body[0].weight.zero_()
    assert embedder.body[0].weight.abs().sum() > 0


def test_gradients_pass_through_a_frozen_copy(tiny_embedder):
    embedder = tiny_embedder()
    embedder.body[1] = nn.PReLU()
    frozen = frozen_copy(embedder)
    crops = torch.rand(2, 3, 16, 16, requires_grad=True)
    frozen(crops)[:, 0].sum().backward()
    assert crops.grad.abs().sum() > 0
    assert not frozen.training
    assert [name for name, weight in frozen.named_parameters() if weight.requires_grad] == ["body.1.weight"]


@pytest.mark.slow
def test_a_compiled_network_agrees(tiny_embedder):
    """Up to the eight bits of bfloat16, where the processor has it; embeddings stay float32."""
    tiny, crops = tiny_embedder().eval(), torch.rand(8, 3, 16, 16)
    embeddings = compiled_for_training(tiny, AttackerKnowledge(tiny, 0, budget=STANDARD))(crops)
    assert embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings, tiny(crops), atol=0.03, rtol=0)


def test_without_compilation_the_network_is_the_same(tiny_embedder, standard):
    tiny = tiny_embedder()
    assert compiled_for_training(tiny, AttackerKnowledge(tiny, 0, budget=standard)) is tiny
