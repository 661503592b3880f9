"""The fast enhancer: colours by a 3D LUT, put right and faces left out by a map that a small network draws.

A profile is a map of colours followed by clipping, so most of its inverse is a map of colours too: that part is a
table, and costs one interpolation a pixel. What no table can know, where a face is and which of two colours that the
profile made one is meant, is a matter of places and not of pixels: that part is drawn at an eighth of the size, as an
affine map of colours for every place (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017), and blown up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.lut3d import NODES, Lut3d
from campro.core.types import Images
from campro.enhance.enhancer import Enhancer
from campro.enhance.objective import Background, enhancement_loss
from campro.enhance.padding import padded

STRIDE, MULTIPLE = 8, 64
"""The map is drawn at 1 / STRIDE; its network halves three times more, so pictures are padded to MULTIPLE."""
STEM, EXPANSION = 24, 2
"""Channels at a quarter of the size, and how much wider a depthwise convolution is than what it is between."""
KEEP, TINT, GAIN = slice(0, 1), slice(1, 4), slice(4, 13)
"""Channels of the map."""
CHANNELS = 13
CERTAINTY, FACE = 0.2, 2.0
"""Weight of the entropy of the map itself next to the loss of the picture, in which dark faces weigh little; and what
a pixel of a face counts there against one outside: a face that is left in harms more than a blackened wall."""
SHARPNESS, DOUBT = 3.0, 0.5
"""After training the map is made surer by a factor, for half a face is still a face, and black where it was in doubt,
up to so much of its logit. Chosen on COCO train2017 and a third of VOC 2012: with doubt of 0, 0.5 and 1 it blackens
1.7, 2.4 and 3.4 % of what is no face, and 68, 73 and 77 % of faces 20 to 40 pixels wide.
"""


class FastEnhancer(Enhancer):
    """keep x (c + tint + gain (c - 1/2)) with c = table(colour): the picture, black on faces."""

    lr = 2e-3

    def __init__(self) -> None:
        super().__init__()
        axis = torch.linspace(0, 1, NODES)
        blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.table = Lut3d(torch.stack([red, green, blue])).requires_grad_(False)
        self.context_net = ContextNet()
        with torch.no_grad():  # start from the table alone
            head = self.context_net.head
            assert head.bias is not None
            head.weight[TINT.start :] = 0
            head.bias[TINT.start :] = 0

    def prepare(self, pairs: Iterable[tuple[Images, Images]]) -> None:
        """Fit the table, the best that colours alone can do. It stays: its gradient would cost more than all others."""
        self.table = Lut3d.fit(pairs).to(self.table.values.device).requires_grad_(False)

    @torch.no_grad()
    def finish(self) -> None:
        """Sharpen the map, and let it leave out what it doubts."""
        head = self.context_net.head
        assert head.bias is not None
        head.weight[KEEP] *= SHARPNESS
        head.bias[KEEP] = SHARPNESS * (head.bias[KEEP] - DOUBT)

    def with_context(self, captured: Images) -> tuple[Images, Float[Tensor, "B 13 h w"]]:
        """Enhanced pictures, and the map that they were made with: keep (0 to 1), tint (3) and gain (3 x 3)."""
        drawn = self.context_net(padded(captured, MULTIPLE))
        context = torch.cat([drawn[:, KEEP].sigmoid(), drawn[:, TINT.start :]], 1)
        full = self._blown_up(context, captured)
        return full[:, KEEP] * self._coloured(captured, full), context

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        return self.with_context(captured)[0]

    def loss(self, captured: Images, raw: Images, background: Background) -> Float[Tensor, ""]:
        """Eq. 7 twice, once for colours and once for the map; and the map's cross-entropy, from logits.

        Colours are learned as if the right pixels were kept: through a doubtful map they would learn to make up for its
        darkness, and be too bright where it is sure.
        """
        drawn = self.context_net(padded(captured, MULTIPLE))
        wanted = F.avg_pool2d(padded(background, MULTIPLE), STRIDE)
        weight = FACE + (1 - FACE) * wanted
        certainty = F.binary_cross_entropy_with_logits(drawn[:, KEEP], wanted, weight)
        full = self._blown_up(drawn, captured)
        coloured = self._coloured(captured, full)
        colours = enhancement_loss(coloured * background, raw, background)
        kept = enhancement_loss(full[:, KEEP].sigmoid() * coloured.detach(), raw, background)
        return colours + kept + CERTAINTY * certainty

    def _coloured(self, captured: Images, context: Float[Tensor, "B 13 H W"]) -> Images:
        colour = self.table(captured)
        gain = context[:, GAIN].unflatten(1, (3, 3))
        return colour + context[:, TINT] + (gain * (colour - 0.5)[:, None]).sum(2)

    def _blown_up(self, context: Float[Tensor, "B 13 h w"], captured: Images) -> Float[Tensor, "B 13 H W"]:
        height, width = captured.shape[2:]
        full = F.interpolate(context, scale_factor=STRIDE, mode="bilinear", align_corners=False)
        return full[:, :, :height, :width]


class ContextNet(nn.Module):
    """(B, 3, H, W) -> (B, 13, H / 8, W / 8); H and W multiples of 64. A U-Net with added skips, 1/8 to 1/64.

    Depthwise convolutions see far for little: whether a patch of skin is a face is decided by what is around it.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 96, 96), blocks: Sequence[int] = (2, 3, 3, 2)) -> None:
        super().__init__()
        self.stem = _convolve(3, STEM, 4, stride=4)
        self.down = nn.ModuleList(
            nn.Sequential(_depthwise(finer, coarser, stride=2), *(Residual(coarser) for _ in range(count)))
            for finer, coarser, count in zip((STEM, *widths), widths, blocks)
        )
        self.up = nn.ModuleList(nn.Conv2d(coarser, finer, 1) for finer, coarser in pairwise(widths))
        self.merge = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], CHANNELS, 1)

    def forward(self, images: Images) -> Float[Tensor, "B 13 h w"]:
        """Logits of keep; tint; gain."""
        seen = [self.stem(2 * images - 1)]
        for level in self.down:
            seen.append(level(seen[-1]))
        drawn = seen.pop()
        for up, merge, finer in zip(reversed(self.up), reversed(self.merge), reversed(seen)):
            drawn = merge(finer + F.interpolate(up(drawn), scale_factor=2, mode="bilinear", align_corners=False))
        logits: Tensor = self.head(drawn)
        return logits


class Residual(nn.Module):
    """x + project(depthwise 5 x 5(expand(x))), of the same width (Sandler et al., MobileNetV2, CVPR 2018)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = _depthwise(width, width)

    def forward(self, x: Float[Tensor, "B width h w"]) -> Float[Tensor, "B width h w"]:
        return x + self.inner(x)


def _depthwise(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    """Expand, see, project."""
    wide = EXPANSION * inside
    return nn.Sequential(
        _convolve(inside, wide),
        _convolve(wide, wide, 5, stride, groups=wide),
        nn.Conv2d(wide, outside, 1, bias=False),
        nn.BatchNorm2d(outside),
    )


def _convolve(inside: int, outside: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    padding = size // 2 if size % 2 else 0
    convolution = nn.Conv2d(inside, outside, size, stride, padding, groups=groups, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outside), nn.ReLU())
