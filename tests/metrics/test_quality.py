"""Image quality against torchmetrics, and in closed form for regions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.metrics.quality import MIN_SIDE, black_shares, flicker, quality


def _pictures(height, width, noise):
    smooth = F.interpolate(torch.rand(1, 3, 12, 12), (height, width), mode="bicubic").clamp(0, 1)
    return (smooth + noise * torch.randn_like(smooth)).clamp(0, 1), smooth


@pytest.mark.parametrize(("size", "noise"), [((180, 200), 0.05), ((176, 301), 0.3), ((256, 256), 0.01)])
@pytest.mark.slow
def test_quality_of_a_whole_image_equals_that_of_torchmetrics(size, noise):
    from torchmetrics.functional import image as measures  # slow to import

    picture, reference = _pictures(*size, noise)
    found = quality(picture, reference)["whole"]
    for name, measure in (
        ("psnr", measures.peak_signal_noise_ratio),
        ("ssim", measures.structural_similarity_index_measure),
        ("ms_ssim", measures.multiscale_structural_similarity_index_measure),
    ):
        wanted = float(measure(picture, reference, data_range=1.0))
        assert getattr(found, name) == pytest.approx(wanted, abs=1e-4)


def test_regions_are_independent():
    """Left half equal, right half with a constant error."""
    reference = torch.rand(1, 3, 200, 400) * 0.5
    picture, left = reference.clone(), torch.zeros(200, 400, dtype=torch.bool)
    picture[..., 200:] += 0.2
    left[:, :96] = True  # away from the seam by more than half a window at the coarsest scale
    right = torch.zeros_like(left)
    right[:, 200:] = True
    both = quality(picture, reference, {"left": left, "right": right})
    equal, offset = both["left"], both["right"]
    assert math.isinf(equal.psnr)
    assert equal.ssim == pytest.approx(1, abs=1e-9)
    assert equal.ms_ssim == pytest.approx(1, abs=1e-9)
    assert offset.rmse == pytest.approx(0.2 * 255, rel=1e-5)
    assert offset.psnr == pytest.approx(-20 * math.log10(0.2), rel=1e-5)
    assert offset.ssim < 1


def test_an_empty_region_has_no_result():
    picture = torch.rand(1, 3, 200, 200)
    assert quality(picture, picture, {"nothing": torch.zeros(200, 200, dtype=torch.bool)}) == {}


@pytest.mark.parametrize("size", [(MIN_SIDE - 1, 300), (300, MIN_SIDE - 1)])
def test_wrong_shapes_and_values_are_refused(size):
    with pytest.raises(CamproError, match="176"):
        quality(torch.rand(1, 3, *size), torch.rand(1, 3, *size))
    with pytest.raises(CamproError, match="same size"):
        quality(torch.rand(1, 3, 200, 200), torch.rand(1, 3, 200, 201))
    with pytest.raises(CamproError, match="finite"):
        quality(torch.full((1, 3, 200, 200), torch.nan), torch.rand(1, 3, 200, 200))


def test_black_shares_equal_those_computed_by_hand():
    picture = np.full((20, 20, 3), 25, np.uint8)
    picture[:10, :, 1] = 26  # one channel above the bound is enough
    boxes = torch.tensor([[0.0, 0, 20, 20], [5.0, 12, 9, 16], [-4.0, -4, 4, 4], [50.0, 50, 60, 60]])
    assert black_shares(picture, boxes) == [0.5, 1.0, 0.0, 0.0]
    assert black_shares(picture, torch.zeros(0, 4)) == []


def test_flicker_is_the_standard_deviation_over_time():
    frames = np.random.default_rng(0).integers(0, 256, (7, 8, 9, 3), dtype=np.uint8)
    assert flicker(iter(frames)) == pytest.approx(np.sqrt(frames.astype(float).var(0).mean()))
    assert flicker([frames[0]] * 5) == 0
    with pytest.raises(CamproError, match="two frames"):
        flicker(frames[:1])
