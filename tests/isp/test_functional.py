"""The functions of the blocks: values by hand or by numpy, gradients, and borders."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from campro.isp import functional

PICTURE = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 0.98 + 0.01


@pytest.mark.parametrize("curve", ["power-2.2", "srgb"])
def test_degamma_equals_numpy(curve):
    x = PICTURE.numpy()
    srgb = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(functional.degamma(PICTURE, curve), srgb if curve == "srgb" else x**2.2)


def test_the_gradient_of_degamma_is_finite_at_black():
    black = torch.zeros(3, 1, 1, requires_grad=True)
    functional.degamma(black, "srgb").sum().backward()
    assert black.grad.isfinite().all()


def test_a_matrix_mixes_input_channels_into_output_channels():
    mixed = functional.apply_ccm(
        torch.tensor([0.1, 0.2, 0.3])[:, None, None],
        torch.tensor([[1.0, 1, 0], [0, 0, 2], [0, -9, 0]]),
        torch.tensor([0.0, 0.1, 0.0]),
    )
    torch.testing.assert_close(mixed.flatten(), torch.tensor([0.3, 0.7, 0.0]))


def test_halves_are_rounded_up_and_the_gradient_is_that_of_the_identity():
    x = torch.tensor([0.5, 1.5, 2.5]).div(255).requires_grad_()
    rounded = functional.quantise(x)
    rounded.sum().backward()
    torch.testing.assert_close(255 * rounded.detach(), torch.tensor([1.0, 2.0, 3.0]))
    assert torch.equal(x.grad, torch.ones(3))


def test_a_gaussian_kernel_has_sum_1_and_is_symmetric():
    kernel = functional.gaussian_kernel(7, 1.5)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_allclose(kernel, kernel[::-1])
    assert kernel[3] / kernel[4] == pytest.approx(np.exp(0.5 / 1.5**2))


@pytest.mark.parametrize("margin", [1, 4, 11])
def test_reflection_equals_numpy_also_for_wide_margins(margin):
    found = functional.mirrored(PICTURE, 3, margin)
    np.testing.assert_array_equal(found, np.pad(PICTURE, [(0, 0)] * 3 + [(margin, margin)], "reflect"))


def test_blurs_keep_constant_pictures():
    grey = torch.full((1, 3, 9, 9), 0.3, dtype=torch.float64)
    for blurred in (functional.defocus(grey, 5, 1.0), functional.chroma_blur(grey, 5, 1.0)):
        torch.testing.assert_close(blurred, grey)


def test_low_resolution_keeps_the_size_and_at_least_one_pixel():
    assert functional.low_resolution(PICTURE, 128).shape == PICTURE.shape
    torch.testing.assert_close(functional.low_resolution(PICTURE, 1), PICTURE)


def test_jpeg_changes_little_at_high_quality_and_has_the_gradient_of_the_identity():
    smooth = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).clone().requires_grad_()
    coded = functional.coded(smooth, partial(functional.through_jpeg, quality=95))
    coded.sum().backward()
    assert (coded - smooth).abs().mean() < 0.01
    assert torch.equal(smooth.grad, torch.ones_like(smooth))


def test_chroma_subsampling_equals_means_of_blocks_and_keeps_luma():
    picture = 0.4 + 0.2 * PICTURE  # nothing is clipped
    found = functional.chroma_subsampled(picture, 2, 2)
    luma = functional.luma_of(picture)
    torch.testing.assert_close(functional.luma_of(found), luma)
    difference = (picture - luma)[0, 1, 2:4, 4:6].mean()
    torch.testing.assert_close(found[0, 1, 2:4, 4:6], luma[0, 0, 2:4, 4:6] + difference)
    border = (picture - luma)[0, 2, 4, 0:2].mean()  # the last row has no second one
    torch.testing.assert_close(found[0, 2, 4, 0:2], luma[0, 0, 4, 0:2] + border)


def test_denoising_smooths_small_differences_and_keeps_edges():
    edge = torch.zeros(1, 3, 8, 16, dtype=torch.float64)
    edge[..., 8:] = 0.9
    noisy = (edge + 0.05 + 0.01 * torch.randn(edge.shape, generator=torch.Generator().manual_seed(0))).double()
    assert torch.equal(functional.denoise(noisy, 0, 0, 2), noisy)
    smooth = functional.denoise(noisy, 0.05, 0.05, 2)
    assert smooth[..., :8].std() < 0.6 * noisy[..., :8].std()
    assert (smooth[..., 8:] - smooth[..., :8]).mean() == pytest.approx(0.9, abs=0.01)


def test_a_bilateral_filter_by_hand():
    """Three grey pixels; neighbours across are weighted by exp(-2) for distance and by their difference."""
    x = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64).expand(1, 3, 1, 3)
    near, far = np.exp(-0.01 / 0.08 - 2), np.exp(-0.04 / 0.08 - 2)
    middle = (0.3 + near * 0.2 + far * 0.5) / (1 + near + far)
    assert float(functional.denoise(x, 0.2, 0.0, 1)[0, 0, 0, 1]) == pytest.approx(middle)


def test_a_scaler_keeps_means_and_enlarging_gives_the_old_size():
    picture = torch.rand(1, 3, 12, 18, dtype=torch.float64)
    small = functional.shrunk(picture, 1.5)
    assert small.shape == (1, 3, 8, 12)
    torch.testing.assert_close(small.mean(), picture.mean(), atol=0.02, rtol=0)
    assert functional.enlarged(small, 12, 18).shape == picture.shape
