"""Losses of enhancers, by hand."""

from __future__ import annotations

import pytest
import torch

from campro.enhance.enhancement_losses import contrast_loss, enhancement_loss


def test_the_enhancement_loss_is_the_error_outside_faces_and_the_brightness_on_them():
    enhanced, raw = torch.full((1, 3, 1, 2), 0.75), torch.ones(1, 3, 1, 2)
    background = torch.tensor([[[[1.0, 0.0]]]])
    assert float(enhancement_loss(enhanced, raw, background)) == pytest.approx((0.25 + 0.75) / 2)


def test_the_contrast_loss_ignores_faces():
    raw, enhanced = torch.zeros(2, 1, 3, 1, 4).expand(2, 1, 3, 4, 4).clone()
    enhanced[..., 3] = 1
    background = torch.ones(1, 1, 4, 4)
    assert float(contrast_loss(enhanced, raw, background, [1])) > 0
    background[..., 3] = 0
    assert float(contrast_loss(enhanced, raw, background, [1])) == 0
