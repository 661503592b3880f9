"""The fused colour blocks, compared with the plain functions and with numerical differentiation."""

from __future__ import annotations

import numba
import pytest
import torch

from campro.isp import functional
from campro.isp.fused_autograd import fused_colour_blocks

KNOTS = {"even": torch.linspace(0, 1, 16), "uneven": torch.tensor([0.0, 0.07, 0.2, 0.55, 0.8, 1.0])}


def _inputs(kind, dtype, size=(2, 3, 6, 7), channels=1):
    torch.manual_seed(3)
    knots = KNOTS[kind].to(dtype)
    images = torch.rand(size, dtype=dtype) * 0.98 + 0.01
    matrix = (torch.eye(3) + 0.3 * torch.randn(3, 3)).to(dtype)
    offsets, values = 0.05 * torch.randn(3, dtype=dtype), torch.rand(channels, len(knots), dtype=dtype)
    return [t.requires_grad_() for t in (images, matrix, offsets, values)], knots


def _plain(images, curve, matrix, offsets, values, knots, levels):
    linear = images if curve is None else functional.degamma(images, curve)
    out = functional.apply_lut(functional.apply_ccm(linear, matrix, offsets), values, knots)
    return functional.quantise(out) if levels else out


@pytest.mark.parametrize("kind", KNOTS)
@pytest.mark.parametrize("curve", ["power-2.2", "srgb", None])
@pytest.mark.parametrize("levels", [0, 255])
@pytest.mark.parametrize("channels", [1, 3])
def test_values_and_gradients_equal_those_of_the_functions(kind, curve, levels, channels):
    (images, matrix, offsets, values), knots = _inputs(kind, torch.float64, (2, 3, 60, 151), channels)
    back = torch.randn(images.shape, dtype=torch.float64)
    results = []
    for way in (fused_colour_blocks, _plain):
        out = way(images, curve, matrix, offsets, values, knots, levels)
        results.append((out, *torch.autograd.grad(out, (images, matrix, offsets, values), back)))
    for ours, plain in zip(*results):
        torch.testing.assert_close(ours, plain, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KNOTS)
def test_gradients_equal_numerical_differentiation(kind):
    (images, matrix, offsets, values), knots = _inputs(kind, torch.float64)
    assert torch.autograd.gradcheck(
        lambda *p: fused_colour_blocks(p[0], "power-2.2", *p[1:], knots, 0),
        (images, matrix, offsets, values),
        eps=1e-7,
        atol=1e-5,
    )


def test_gradients_are_the_same_for_any_number_of_threads():
    (images, matrix, offsets, values), knots = _inputs("even", torch.float32, (1, 3, 200, 301))
    before = numba.get_num_threads()
    gradients = []
    for threads in (before, 1, before):
        numba.set_num_threads(threads)
        out = fused_colour_blocks(images, "srgb", matrix, offsets, values, knots, 255)
        gradients.append(torch.autograd.grad(out.sum(), (matrix, offsets, values)))
    numba.set_num_threads(before)
    for other in gradients[1:]:
        assert all(torch.equal(a, b) for a, b in zip(gradients[0], other))
