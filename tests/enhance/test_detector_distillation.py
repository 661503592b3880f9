"""Detector distillation: its loss by hand, that it trains the network, and that it is removed after training."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from campro.core.images import write_image
from campro.enhance.detector_distillation import DetectorDistillation
from campro.enhance.enhancement_losses import Sample
from campro.enhance.enhancers import new_enhancer
from campro.isp import Camera


def pooled(images):
    """A teacher whose features are means of the picture at three scales, in levels."""
    return [255 * F.avg_pool2d(images, stride) for stride in (8, 16, 32)]


def test_the_loss_is_1_for_a_constant_prediction_and_0_for_a_perfect_one():
    distillation, raw = DetectorDistillation(pooled, (3, 3, 3)), torch.rand(4, 3, 64, 64)
    features = [F.batch_norm(part, None, None, training=True) for part in pooled(raw)]
    for head in distillation.heads:
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    assert distillation.loss(features, raw).item() == pytest.approx(1, abs=1e-3)
    for head in distillation.heads:
        head.weight.data[:, :, 0, 0] = torch.eye(3)
    assert distillation.loss(features, raw).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_the_mask_network_learns_the_features_of_the_teacher(tmp_path):
    torch.manual_seed(0)
    rgb = (torch.rand(96, 96, 3) * 255).byte().numpy()
    write_image(tmp_path / "photo.png", rgb)
    enhancer = new_enhancer("fast")
    enhancer.prepare([tmp_path / "photo.png"], Camera("invert"), pooled)
    raw = F.interpolate(torch.rand(2, 3, 8, 8), scale_factor=8)
    sample = Sample(1 - raw, 1 - raw, raw, raw, raw, torch.ones(2, 1, 64, 64))
    optimiser, losses = torch.optim.AdamW(enhancer.parameters(), lr=3e-3), []
    for _ in range(40):
        _, features = enhancer.mask_net.with_features(sample.uncompressed)
        losses.append(enhancer.distillation.loss(features, raw).item())
        optimiser.zero_grad()
        enhancer.loss(sample).backward()
        optimiser.step()
    assert losses[-1] < losses[0] / 4
    enhancer.finish([sample])
    assert not any(name.startswith("distillation") for name in enhancer.state_dict())


def test_the_teacher_and_the_network_must_have_the_same_number_of_scales():
    with pytest.raises(ValueError, match="zip"):
        DetectorDistillation(pooled, (3, 3))
