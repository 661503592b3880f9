"""Kernels on 8-bit pictures, compared with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from campro.core.images import to_tensor
from campro.core.lut3d import Lut3d
from campro.enhance.lut_kernels import LutKernel, resampled, to_planes
from campro.enhance.padding import padded
from campro.inversion.cell_grid import MULTIPLE
from campro.inversion.inverse import BINS

RGB = np.random.default_rng(0).integers(0, 256, (37, 53, 3), np.uint8)


@pytest.mark.slow
def test_planes_equal_the_padded_tensor():
    np.testing.assert_array_equal(to_planes(RGB[:, ::-1]), to_tensor(RGB[:, ::-1]).numpy())
    np.testing.assert_array_equal(to_planes(RGB, MULTIPLE), padded(to_tensor(RGB), MULTIPLE).numpy())


@pytest.mark.slow
def test_the_kernel_equals_the_lut_and_reads_the_ambiguity_of_the_bin():
    lut = Lut3d(torch.rand(3, 5, 5, 5))
    codes = np.random.default_rng(1).integers(0, 64, BINS, np.uint8)
    values = np.ascontiguousarray(lut.values.detach().permute(1, 2, 3, 0).numpy())
    found, ambiguity = LutKernel(values, codes)(RGB)
    with torch.no_grad():
        wanted = lut(to_tensor(RGB))[0].permute(1, 2, 0).numpy() * 255
    assert np.abs(found - wanted).max() < 0.51
    red, green, blue = np.moveaxis(RGB.astype(int) >> 3, 2, 0)
    np.testing.assert_array_equal(ambiguity, codes[red << 10 | green << 5 | blue])


def test_a_resampled_lut_is_linear_between_its_nodes_and_clamped_at_its_ends():
    found = resampled(np.array([0.0, 10.0, 30.0]), np.array([-5, 0, 63.75, 127.5, 191.25, 255, 300]), 0)
    np.testing.assert_allclose(found, [0, 0, 5, 10, 20, 30, 30])
