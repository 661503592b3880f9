"""The networks of the fast enhancer: shapes, and their output at initialisation."""

from __future__ import annotations

import torch

from campro.enhance.networks import CELL_FEATURES, MaskNet, TintNet


def test_the_mask_network_has_features_at_three_scales():
    net = MaskNet()
    logits, features = net.with_features(torch.rand(2, 3, 64, 128))
    assert logits.shape == (2, 1, 8, 16)
    assert [part.shape[1:] for part in features] == [
        (width, 8 // scale, 16 // scale) for width, scale in zip(net.widths, (1, 2, 4))
    ]


def test_the_tint_is_zero_before_training():
    tint = TintNet()(torch.rand(2, CELL_FEATURES, 8, 16))
    assert tint.shape == (2, 3, 8, 16)
    assert not tint.any()
