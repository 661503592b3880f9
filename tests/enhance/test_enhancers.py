"""The contract of every enhancer of the table."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.enhancers import ENHANCERS, new_enhancer


@pytest.mark.parametrize("name", ENHANCERS)
@pytest.mark.parametrize("size", [(1, 1), (37, 90), (64, 32)])
def test_enhancers_accept_pictures_of_any_size(name, size):
    captured = torch.rand(2, 3, *size)
    enhanced = new_enhancer(name).eval()(captured)
    assert enhanced.shape == captured.shape
    assert enhanced.isfinite().all()


@pytest.mark.parametrize("name", ENHANCERS)
def test_padding_changes_only_pixels_near_the_border(name):
    enhancer = new_enhancer(name).eval()
    picture = torch.rand(1, 3, 224, 96)
    with torch.no_grad():
        whole, part = enhancer(picture), enhancer(picture[:, :, :220])
    torch.testing.assert_close(whole[:, :, :32], part[:, :, :32], atol=1e-4, rtol=0)


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(CamproError, match="fast, unet"):
        new_enhancer("magic")


def test_the_base_class_has_no_network():
    with pytest.raises(NotImplementedError):
        Enhancer()(torch.rand(1, 3, 8, 8))
