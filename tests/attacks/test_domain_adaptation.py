"""AdaBN and CORAL against their definitions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from campro.attacks.domain_adaptation import SHRINKAGE, CoralEmbedder, adapt_batch_norm, adaptation_runs


def with_batch_norm(embedder):
    embedder.norm = nn.BatchNorm2d(3)
    embedder.body = nn.Sequential(embedder.norm, *embedder.body)
    return embedder


def test_batch_norm_gets_the_statistics_of_captured_faces(tiny_embedder):
    """The running mean of the first layer becomes the mean of all captured pixels."""
    crops = np.random.default_rng(0).integers(0, 256, (128, 16, 16, 3), dtype=np.uint8)
    adapted = adapt_batch_norm(with_batch_norm(tiny_embedder()), crops)
    mean = ((crops / 255 - 0.5) / 0.5).mean((0, 1, 2))
    np.testing.assert_allclose(adapted.norm.running_mean, mean, atol=1e-5)
    assert not adapted.training


def test_coral_matches_mean_and_covariance(tiny_embedder):
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(5000, 8, generator=generator) * torch.arange(1, 9) + 3
    captured = torch.randn(5000, 8, generator=generator) * torch.arange(8, 0, -1) - 1
    adapted = CoralEmbedder(tiny_embedder(), captured, raw)
    matched = (captured - adapted.captured_mean) @ adapted.transform + adapted.raw_mean
    np.testing.assert_allclose(matched.mean(0), raw.mean(0), atol=1e-3)

    def shrunk(embeddings):
        covariance = torch.cov(embeddings.T)
        return covariance + SHRINKAGE * covariance.trace() / 8 * torch.eye(8)

    np.testing.assert_allclose(adapted.transform.T @ shrunk(captured) @ adapted.transform, shrunk(raw), atol=0.01)
    embeddings = adapted(torch.rand(4, 3, 16, 16))
    np.testing.assert_allclose(embeddings.detach().norm(dim=1), 1, atol=1e-5)


def test_adabn_needs_batch_norm(trainable, tiny_embedder, cache):
    assert list(adaptation_runs(trainable, cache)) == ["CORAL"]
    normed = replace(trainable, embedder=with_batch_norm(tiny_embedder()))
    assert list(adaptation_runs(normed, cache)) == ["CORAL", "AdaBN", "AdaBN and CORAL"]
