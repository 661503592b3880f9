"""The fast enhancer: what its tables and networks do on pictures that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.images import to_tensor, write_image
from campro.core.lut3d import Lut3d
from campro.enhance.enhancement_losses import Sample
from campro.enhance.enhancers import new_enhancer
from campro.enhance.fast_enhancer import MASK_BIAS, MASK_GAIN, _ambiguity_by_bin, cell_features
from campro.enhance.recolouring import ambiguity_classes
from campro.inversion import cell_grid
from campro.isp import Camera, load_profile


@pytest.mark.slow
def test_prepare_fits_the_lut_to_the_inverse_of_the_profile(tmp_path):
    enhancer = new_enhancer("fast")
    rgb = np.random.default_rng(0).integers(0, 256, (600, 600, 3), np.uint8)
    write_image(tmp_path / "photo.png", rgb)
    negative = load_profile("invert")
    enhancer.prepare([tmp_path / "photo.png"], Camera(negative))
    raw = to_tensor(rgb)
    assert (enhancer.lut(1 - raw) - raw).abs().mean() < 0.03
    recoloured = enhancer.recolouring(negative)(255 - rgb)
    np.testing.assert_array_equal(recoloured.rgb, rgb)
    assert recoloured.is_camera_output
    assert not recoloured.ambiguity.any()  # an invertible profile


def test_the_ambiguity_of_a_bin_is_the_error_of_the_lut():
    """An error of 10 levels in the upper half of red, none in green, 30 levels in blue."""
    variances = torch.zeros(3, 33, 33, 33)
    variances[0, :, :, 16:], variances[2] = (10 / 255) ** 2, (30 / 255) ** 2
    codes = _ambiguity_by_bin(Lut3d(variances)).reshape(32, 32, 32)
    assert set(codes[16:].flat) == {2 + (3 << 4)}
    assert set(codes[:15].flat) == {3 << 4}


def test_cell_features_of_tensors_equal_those_of_arrays():
    captured, recoloured = np.random.default_rng(0).integers(0, 256, (2, 20, 70, 3), np.uint8)
    codes = np.random.default_rng(1).integers(0, 64, (20, 70), np.uint8)
    ambiguity = ambiguity_classes(torch.from_numpy(codes[None]))
    found = cell_features(to_tensor(captured), to_tensor(recoloured), ambiguity)
    wanted = torch.from_numpy(cell_grid.cell_features(captured, recoloured, codes))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)


def test_a_mask_that_is_0_everywhere_still_has_a_gradient():
    """Where the mask is certain and wrong, its gradient must be large and not vanish."""
    enhancer = new_enhancer("fast")
    torch.nn.init.constant_(enhancer.mask_net.body.head.bias, -40.0)
    captured, raw = torch.rand(2, 2, 3, 64, 64)
    enhancer.loss(Sample(captured, captured, captured, captured, raw, torch.ones(2, 1, 64, 64))).backward()
    assert enhancer.mask_net.body.head.bias.grad[0] < -0.1


def test_before_training_a_deviation_is_shared_by_the_three_channels():
    """A pixel whose red alone deviates from its cell gets a third of that deviation in every channel."""
    enhancer = new_enhancer("fast").eval()
    torch.nn.init.constant_(enhancer.mask_net.body.head.bias, 40.0)
    captured = torch.full((1, 3, 64, 64), 0.4)
    captured[:, 0, 32, 32] += 0.3
    with torch.no_grad():
        enhanced = enhancer(captured)
    in_cell = (captured[:, 0, 32:40, 32:40] - 0.4).mean()
    assert enhanced[0, :, 32, 32].tolist() == pytest.approx([0.5] * 3, abs=float(in_cell))
    torch.testing.assert_close(enhanced[..., :16], captured[..., :16])


def test_the_error_of_a_cell_is_added_to_ambiguous_pixels_only():
    """Red is ambiguous in the left half, which gets the predicted mean; the right half gets the residual alone."""
    enhancer = new_enhancer("fast").eval()
    enhancer.ambiguity[: 1 << 14] = 63  # red below a half
    torch.nn.init.constant_(enhancer.mask_net.body.head.bias, 40.0)
    torch.nn.init.constant_(enhancer.tint_net.head.bias, 0.1)
    enhancer.residual_lut.values.data.fill_(-0.2)
    captured = 0.4 + 0.2 * torch.rand(1, 3, 64, 64)
    captured[:, 0, :, :32] -= 0.2
    captured[:, 0, :, 32:] += 0.2
    with torch.no_grad():
        enhanced = enhancer(captured)
    torch.testing.assert_close(enhanced[..., :24], captured[..., :24] + 0.1)
    torch.testing.assert_close(enhanced[..., 40:], captured[..., 40:] - 0.2)


def _deviating(rng):
    """Grey pictures, recoloured with an error of 0.3 in every tenth value of a channel.

    The right half is a face with the opposite error: it must not be used.
    """
    raw = torch.rand(2, 1, 64, 64, generator=rng).mul(0.3).add(0.35).expand(2, 3, 64, 64)
    recoloured = torch.where(torch.rand(2, 3, 64, 64, generator=rng) < 0.1, raw + 0.3, raw)
    background = torch.ones(2, 1, 64, 64)
    background[..., 32:] = 0
    certain, wanted = torch.zeros(2, 3, 64, 64), torch.where(background == 1, raw, 2 * recoloured - raw)
    return Sample(recoloured, recoloured, recoloured, certain, wanted, background)


def test_the_residual_lut_corrects_channels_that_deviate_alone():
    enhancer, rng = new_enhancer("fast").eval(), torch.Generator().manual_seed(0)
    torch.nn.init.constant_(enhancer.tint_net.head.bias, -0.03)  # the mean error
    enhancer.finish(_deviating(rng) for _ in range(8))
    torch.nn.init.constant_(enhancer.mask_net.body.head.bias, 40.0)
    fresh = _deviating(rng)
    with torch.no_grad():
        enhanced = enhancer(fresh.captured)
    before, after = ((part - fresh.raw)[..., :32].abs().mean() for part in (fresh.recoloured, enhanced))
    assert before > 0.025
    assert after < before / 2


def test_finish_applies_gain_and_bias_to_the_mask():
    enhancer = new_enhancer("fast").eval()
    captured = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        before = enhancer.with_cell_map(captured)[1]
        enhancer.finish([Sample(captured, captured, captured, captured, captured, torch.ones(1, 1, 64, 64))])
        after = enhancer.with_cell_map(captured)[1]
    torch.testing.assert_close(after[:, :1], torch.sigmoid(MASK_GAIN * (torch.logit(before[:, :1]) - MASK_BIAS)))
    assert torch.equal(after[:, 1:], before[:, 1:])
