"""MobileFaceNet: its fast depthwise convolution against torch's."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.models.faces.mobilefacenet import Depthwise


@given(st.integers(5, 12), st.integers(5, 12), st.sampled_from([1, 2, 3]))
@settings(max_examples=20, deadline=None)
def test_output_and_gradients_of_depthwise_convolutions_equal_those_of_torch(
    height: int, width: int, stride: int
) -> None:
    ours = Depthwise(4, 4, 3, stride, 1, groups=4, bias=False).double()
    theirs = torch.nn.Conv2d(4, 4, 3, stride, 1, groups=4, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    sides = []
    for filters in (ours, theirs):
        crops = torch.rand(2, 4, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        output = filters(crops.requires_grad_())
        (output**2).sum().backward()
        sides.append((output, crops.grad, filters.weight.grad))
    torch.testing.assert_close(sides[0], sides[1])
