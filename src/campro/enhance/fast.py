"""The fast enhancer: colours by a 3D LUT, put right and faces left out by a map that a small network draws.

A profile is a map of colours followed by clipping, so most of its inverse is a map of colours too: that part is a
table, and costs one interpolation a pixel. What no table can know, where a face is and which of two colours that the
profile made one is meant, is a matter of places and not of pixels: that part is drawn at an eighth of the size, as an
affine map of colours for every place (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017), and blown up.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.lut3d import NODES, Lut3d
from campro.core.types import Images
from campro.enhance.enhancer import Enhancer
from campro.enhance.objective import Background, enhancement_loss
from campro.enhance.padding import padded

SLOPE = 0.2
STRIDE, MULTIPLE = 8, 32
"""The map is drawn at 1 / STRIDE; its network halves twice more, so pictures are padded to MULTIPLE."""
KEEP, TINT, GAIN = slice(0, 1), slice(1, 4), slice(4, 13)
"""Channels of the map."""
CHANNELS = 13
CERTAINTY, FACE = 0.2, 6.0
"""Weight of the entropy of the map itself next to the loss of the picture, in which dark faces weigh little; and what
a pixel of a face counts there against one outside: a face that is left in harms more than a blackened wall."""
SHARPNESS, DOUBT = 3.0, 0.75
"""After training the map is made surer by a factor, for half a face is still a face, and black where it was in doubt,
up to so much of its logit. Chosen on 60 photographs of COCO train2017: from (1, 0) by (3, 0) to (3, 1) their PSNR
outside faces goes from 24.1 to 24.7 to 22.6 dB, the blackened area of faces 20 to 40 pixels wide from 55 to 62 to 82 %.
"""


class FastEnhancer(Enhancer):
    """keep x (c + tint + gain (c - 1/2)) with c = table(colour): the picture, black on faces."""

    lr = 5e-4

    def __init__(self) -> None:
        super().__init__()
        axis = torch.linspace(0, 1, NODES)
        blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.table = Lut3d(torch.stack([red, green, blue])).requires_grad_(False)
        self.context_net = ContextNet()
        with torch.no_grad():  # start from the table alone
            self._last.weight[TINT.start :] = 0
            assert self._last.bias is not None
            self._last.bias[TINT.start :] = 0

    def prepare(self, pairs: Iterable[tuple[Images, Images]]) -> None:
        """Fit the table, the best that colours alone can do. It stays: its gradient would cost more than all others."""
        self.table = Lut3d.fit(pairs).to(self.table.values.device).requires_grad_(False)

    @torch.no_grad()
    def finish(self) -> None:
        """Sharpen the map, and let it leave out what it doubts."""
        assert self._last.bias is not None
        self._last.weight[KEEP] *= SHARPNESS
        self._last.bias[KEEP] = SHARPNESS * (self._last.bias[KEEP] - DOUBT)

    @property
    def _last(self) -> nn.Conv2d:
        last = self.context_net.head[-1]
        assert isinstance(last, nn.Conv2d)
        return last

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
    """(B, 3, H, W) -> (B, 13, H / 8, W / 8); H and W multiples of 32. A U-Net with added skips, 1/8 to 1/32."""

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.stem = nn.Sequential(_convolve(3, 24, 4, stride=4), _convolve(24, fine, stride=2))
        self.to_middle = nn.Sequential(_convolve(fine, middle, stride=2), Residual(middle))
        self.to_coarse = nn.Sequential(_convolve(middle, coarse, stride=2), Residual(coarse), Residual(coarse))
        self.from_coarse = nn.Conv2d(coarse, middle, 1)
        self.from_middle = nn.Sequential(_convolve(middle, middle), nn.Conv2d(middle, fine, 1))
        self.head = nn.Sequential(_convolve(fine, fine), nn.Conv2d(fine, CHANNELS, 1))

    def forward(self, images: Images) -> Float[Tensor, "B 13 h w"]:
        """Logits of keep; tint; gain."""
        fine = self.stem(2 * images - 1)
        middle = self.to_middle(fine)
        middle = middle + _twice(self.from_coarse(self.to_coarse(middle)))
        drawn: Tensor = self.head(fine + _twice(self.from_middle(middle)))
        return drawn


class Residual(nn.Module):
    """x -> leaky ReLU(x + two convolutions of x), of the same width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(_convolve(width, width), nn.Conv2d(width, width, 3, padding=1))

    def forward(self, x: Float[Tensor, "B width h w"]) -> Float[Tensor, "B width h w"]:
        return F.leaky_relu(x + self.inner(x), SLOPE)


def _twice(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def _convolve(inside: int, outside: int, size: int = 3, stride: int = 1) -> nn.Sequential:
    padding = size // 2 if size % 2 else 0
    return nn.Sequential(nn.Conv2d(inside, outside, size, stride, padding), nn.LeakyReLU(SLOPE))
