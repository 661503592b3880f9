"""Hints: what they cost by hand, that they teach, and that nothing of them is left after training."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from campro.core.images import write_image
from campro.enhance.detector_distillation import Hints
from campro.enhance.enhancement_losses import Sample
from campro.enhance.enhancers import new_enhancer
from campro.isp import Camera


def pools(images):
    """A teacher that sees means of cells at each size, in levels."""
    return [255 * F.avg_pool2d(images, stride) for stride in (8, 16, 32)]


def test_a_guess_of_nothing_costs_one_and_of_everything_none():
    hints, raw = Hints(pools, (3, 3, 3)), torch.rand(4, 3, 64, 64)
    seen = [F.batch_norm(part, None, None, training=True) for part in pools(raw)]
    for guess in hints.guess:
        torch.nn.init.zeros_(guess.weight)
        torch.nn.init.zeros_(guess.bias)
    assert hints.loss(seen, raw).item() == pytest.approx(1, abs=1e-3)
    for guess in hints.guess:
        guess.weight.data[:, :, 0, 0] = torch.eye(3)
    assert hints.loss(seen, raw).item() == pytest.approx(0, abs=1e-6)


def test_the_network_for_faces_learns_what_the_teacher_sees(tmp_path):
    torch.manual_seed(0)
    rgb = (torch.rand(96, 96, 3) * 255).byte().numpy()
    write_image(tmp_path / "photo.png", rgb)
    enhancer = new_enhancer("fast")
    enhancer.prepare([tmp_path / "photo.png"], Camera("invert"), pools)
    raw = F.interpolate(torch.rand(2, 3, 8, 8), scale_factor=8)
    sample = Sample(1 - raw, 1 - raw, raw, raw, raw, torch.ones(2, 1, 64, 64))
    optimiser, losses = torch.optim.AdamW(enhancer.parameters(), lr=3e-3), []
    for _ in range(40):
        _, features = enhancer.keep_net.with_features(sample.uncompressed)
        losses.append(enhancer.hints.loss(features, raw).item())
        optimiser.zero_grad()
        enhancer.loss(sample).backward()
        optimiser.step()
    assert losses[-1] < losses[0] / 4
    enhancer.finish([sample])
    assert not any(name.startswith("hints") for name in enhancer.state_dict())
