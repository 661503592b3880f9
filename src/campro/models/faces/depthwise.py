"""Depthwise convolutions whose gradient is fast on a CPU."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def depthwise(
    x: Float[Tensor, "B C H W"],
    weight: Float[Tensor, "C 1 h w"],
    bias: Float[Tensor, "C"] | None,
    stride: tuple[int, ...],
    padding: tuple[int, ...] | str,
    dilation: tuple[int, ...],
) -> Float[Tensor, "B C H2 W2"]:
    """`F.conv2d` with one filter per channel.

    With gradients, a strided convolution is computed at all positions and subsampled: oneDNN's gradient of strided
    depthwise convolutions takes four times as long. MobileFaceNet then trains 1.4 times as fast.
    """
    groups = len(weight)
    if stride == (1, 1) or not torch.is_grad_enabled():
        return F.conv2d(x, weight, bias, stride, padding, dilation, groups)
    down, right = stride
    return F.conv2d(x, weight, bias, 1, padding, dilation, groups)[..., ::down, ::right]
