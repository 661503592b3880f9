"""The 3D LUT: interpolation in closed form, and fits to known maps."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.lut3d import Lut3d, _box_means


def _colours(seed: int, count: int = 4000) -> torch.Tensor:
    return torch.rand(1, 3, count, 1, generator=torch.Generator().manual_seed(seed))


def _affine(images: torch.Tensor) -> torch.Tensor:
    """All channels differ, so that swapped axes are detected."""
    mix = torch.tensor([[0.2, 0.5, 0.1], [-0.6, 0.3, 0.1], [0.1, 0.0, 0.7]])
    return torch.einsum("oc,bchw->bohw", mix, images) + torch.tensor([0.1, 0.6, 0.2]).view(3, 1, 1)


def _nodes(n: int) -> torch.Tensor:
    """Every node of the grid as a picture, blue slowest."""
    axis = torch.linspace(0, 1, n)
    blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
    return torch.stack([red, green, blue]).reshape(1, 3, -1, 1)


@given(st.integers(0, 2**31), st.integers(2, 9))
def test_affine_maps_are_exact_between_nodes(seed, n):
    table = Lut3d(_affine(_nodes(n)).reshape(3, n, n, n))
    colours = _colours(seed, 50)
    torch.testing.assert_close(table(colours), _affine(colours), atol=1e-5, rtol=0)


def test_inversion_of_colours_is_fitted():
    pairs = [(1 - colours, colours) for colours in map(_colours, range(20))]
    fresh = _colours(99)
    assert (Lut3d.fit(pairs)(1 - fresh) - fresh).abs().mean() < 0.02


def test_a_colour_with_two_targets_gets_their_mean():
    grey = torch.full((1, 3, 10, 1), 0.5)
    target = torch.cat([torch.full((1, 3, 4, 1), 0.2), torch.full((1, 3, 6, 1), 0.7)], 2)
    torch.testing.assert_close(Lut3d.fit([(grey, target)], 5)(grey), torch.full_like(grey, 0.4 * 0.2 + 0.6 * 0.7))


def test_colours_without_data_get_the_value_of_their_neighbours():
    dark, bright = torch.full((1, 3, 1, 1), 0.1), torch.full((1, 3, 1, 1), 0.9)
    table = Lut3d.fit([(dark, bright), (bright, dark)])
    assert (table(dark - 0.1) > 0.85).all()
    assert (table(bright + 0.1) < 0.15).all()
    assert table.values.isfinite().all()


@pytest.mark.parametrize("width", [3, 5, 11])
def test_means_over_cubes_are_those_of_pytorch(width):
    volumes = torch.rand(2, 11, 11, 11, dtype=torch.float64)
    wanted = F.avg_pool3d(volumes[None], width, stride=1, padding=width // 2)[0]
    torch.testing.assert_close(_box_means(volumes, width), wanted, rtol=1e-12, atol=0)


@pytest.mark.parametrize("pairs", [[], [(torch.zeros(1, 3, 1, 0), torch.zeros(1, 3, 1, 0))]], ids=["none", "empty"])
def test_a_fit_without_pixels_is_refused(pairs):
    with pytest.raises(CamproError, match="pixels"):
        Lut3d.fit(pairs)


def test_images_and_nodes_have_gradients():
    table = Lut3d(torch.rand(3, 4, 4, 4, dtype=torch.float64))
    # inside cells: the derivative is not continuous at their borders
    picture = (torch.rand(1, 3, 2, 2, dtype=torch.float64) * 0.2 + 0.4).requires_grad_()
    torch.autograd.gradcheck(table, (picture,))
    table(picture).sum().backward()
    assert table.values.grad is not None
    assert float(table.values.grad.sum()) == 12  # each channel of 4 pixels is a weighted mean of nodes
