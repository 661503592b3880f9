"""The fast enhancer: colours by a table, put right and faces left out by a map that a small network draws.

A profile is a map of colours followed by clipping, so most of its inverse is a map of colours too: that part is a
table, and costs one look-up a pixel. What no table can know, where a face is and which of two colours that the
profile made one is meant, is a matter of places and not of pixels: that part is drawn at an eighth of the size and
blown up (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017). The network sees the captured picture, and
in every cell of the map the mean and the spread of captured colours and of those that the table makes of them: texture
that the profile's curve makes coarser or finer tells on which of its slopes a colour was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.lut3d import NODES, Lut3d, colour_pairs
from campro.core.types import Images, Rgb8
from campro.enhance.colours import Colours
from campro.enhance.enhancer import Enhancer
from campro.enhance.fused import FLOOR, MULTIPLE, STRIDE
from campro.enhance.objective import Sample, enhancement_loss
from campro.enhance.padding import padded
from campro.isp import Camera, IspProfile
from campro.isp.inverse import CELLS, prior_of

STEM, EXPANSION = 24, 2
"""Channels at a quarter of the size, and how much wider a depthwise convolution is than what it is between."""
TOLD = 12
"""Figures of each cell: see `statistics`."""
KEEP, TINT = slice(0, 1), slice(1, 4)
"""Channels of the map."""
CHANNELS = 4
COLOURS = 4.0
"""Weight of the loss of colours, which is small beside that of the map: both share a network."""
CERTAINTY, FACE = 0.2, 2.0
"""Weight of the entropy of the map itself next to the loss of the picture, in which dark faces weigh little; and what
a pixel of a face counts there against one outside: a face that is left in harms more than a blackened wall."""
SHARPNESS, DOUBT = 3.0, 0.5
"""After training the map is made surer by a factor, for half a face is still a face, and black where it was in doubt,
up to so much of its logit. Chosen on COCO train2017 and a third of VOC 2012: with doubt of 0, 0.5 and 1 it blackens
1.7, 2.4 and 3.4 % of what is no face, and 68, 73 and 77 % of faces 20 to 40 pixels wide.
"""


class FastEnhancer(Enhancer):
    """keep x (c + tint) with c = table(colour): the picture, black on faces.

    Here the table is a 3D LUT, which any runtime can use and compression does not hurt; `campro.enhance.runner` has a
    sharper one for pictures as the camera made them, and the network learns from both.
    """

    lr = 2e-3

    def __init__(self) -> None:
        super().__init__()
        axis = torch.linspace(0, 1, NODES)
        blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.table = Lut3d(torch.stack([red, green, blue])).requires_grad_(False)
        self.register_buffer("prior", torch.full((CELLS,), 1 / CELLS))
        self.context_net = ContextNet()
        with torch.no_grad():  # start from the table alone
            head = self.context_net.head
            assert head.bias is not None
            head.weight[TINT] = 0
            head.bias[TINT] = 0

    def prepare(self, photos: Sequence[Path], camera: Camera) -> None:
        """Fit the tables, the best that colours alone can do; they stay as they are."""
        self.table = Lut3d.fit(colour_pairs(photos, camera)).to(self.table.values.device).requires_grad_(False)
        self.prior = torch.from_numpy(prior_of(photos)).float().to(self.table.values.device)

    def colours(self, profile: IspProfile) -> Callable[[Rgb8], Rgb8]:
        """See `Enhancer.colours`."""
        return Colours(self.table.values.permute(1, 2, 3, 0).cpu().numpy(), profile, self.prior.cpu().numpy())

    @torch.no_grad()
    def finish(self) -> None:
        """Sharpen the map, and let it leave out what it doubts."""
        head = self.context_net.head
        assert head.bias is not None
        head.weight[KEEP] *= SHARPNESS
        head.bias[KEEP] = SHARPNESS * (head.bias[KEEP] - DOUBT)

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        return self.with_context(captured)[0]

    def with_context(self, captured: Images) -> tuple[Images, Float[Tensor, "B 4 h w"], Float[Tensor, "B 12 h w"]]:
        """Enhanced pictures, the map that they were made with, keep (0 to 1) and tint (3), and `statistics`."""
        coloured = self.table(captured)
        told = statistics(captured, coloured)
        drawn = self.context_net(padded(captured, MULTIPLE), told)
        context = torch.cat([drawn[:, KEEP].sigmoid(), drawn[:, TINT]], 1)
        full = F.interpolate(context, scale_factor=STRIDE, mode="bilinear", align_corners=False)
        full = full[:, :, : captured.shape[2], : captured.shape[3]]
        return full[:, KEEP] * (coloured + full[:, TINT]), context, told

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Eq. 7 twice, once for colours and once for the map, on the means of cells; and the map's cross-entropy.

        Colours are learned as if the right cells were kept: through a doubtful map they would learn to make up for its
        darkness, and be too bright where it is sure. Of single pixels they would learn less: their error is noise.
        """
        drawn = self.context_net(padded(sample.captured, MULTIPLE), statistics(sample.captured, sample.coloured))
        coloured, raw, wanted, black = (
            F.avg_pool2d(padded(part, MULTIPLE), STRIDE)
            for part in (sample.coloured, sample.raw, sample.background, sample.raw * sample.background)
        )
        certainty = F.binary_cross_entropy_with_logits(drawn[:, KEEP], wanted, FACE + (1 - FACE) * wanted)
        whole = coloured + drawn[:, TINT]
        colours = enhancement_loss(whole * wanted, raw, wanted)
        kept = (drawn[:, KEEP].sigmoid() * whole.detach() - black).abs().mean()
        return COLOURS * colours + kept + CERTAINTY * certainty


def statistics(captured: Images, coloured: Images) -> Float[Tensor, "B 12 h w"]:
    """Of every cell the mean and the standard deviation of captured colours, and of what the table makes of them."""
    told = []
    for images in (captured, coloured):
        whole = padded(images, MULTIPLE)
        mean, square = F.avg_pool2d(whole, STRIDE), F.avg_pool2d(whole.square(), STRIDE)
        told += [mean, ((square - mean.square()).clamp_min(0) + FLOOR).sqrt()]
    return torch.cat(told, 1)


class ContextNet(nn.Module):
    """(B, 3, H, W) and (B, 12, h, w) -> (B, 4, h, w) at an eighth; H and W multiples of 64.

    A U-Net with added skips, 1/8 to 1/64.

    Depthwise convolutions see far for little: whether a patch of skin is a face is decided by what is around it.
    """

    def __init__(self, widths: Sequence[int] = (32, 64, 96, 96), blocks: Sequence[int] = (2, 3, 3, 2)) -> None:
        super().__init__()
        self.stem = nn.Sequential(_convolve(3, STEM, 4, stride=4), _depthwise(STEM, widths[0], stride=2))
        self.told = _convolve(TOLD, widths[0])
        self.shrink = nn.ModuleList(_depthwise(finer, coarser, stride=2) for finer, coarser in pairwise(widths))
        self.levels = nn.ModuleList(
            nn.Sequential(*(Residual(width) for _ in range(count))) for width, count in zip(widths, blocks)
        )
        self.up = nn.ModuleList(nn.Conv2d(coarser, finer, 1) for finer, coarser in pairwise(widths))
        self.merge = nn.ModuleList(Residual(width) for width in widths[:-1])
        self.head = nn.Conv2d(widths[0], CHANNELS, 1)

    def forward(self, images: Images, told: Float[Tensor, "B 12 h w"]) -> Float[Tensor, "B 4 h w"]:
        """Logits of keep; tint."""
        first, *others = self.levels
        seen = [first(self.stem(images) + self.told(told))]
        for shrink, level in zip(self.shrink, others):
            seen.append(level(shrink(seen[-1])))
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
