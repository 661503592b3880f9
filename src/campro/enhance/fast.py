"""The fast enhancer: colours by a table, put right and faces left out by a map that two small networks draw.

A profile is a map of colours followed by clipping, so most of its inverse is a map of colours too: that part is a
table, and costs one look-up a pixel. What no table can know, where a face is and which of two colours that the
profile made one is meant, is a matter of places and not of pixels: that part is drawn at an eighth of the size and
blown up (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017). The network for faces sees the captured
picture. The one for colours is told in every cell of the map the mean and the spread of captured colours and of those
that the table makes of them: texture that the profile's curve makes coarser or finer tells on which of its slopes a
colour was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.lut3d import NODES, Lut3d, colour_pairs
from campro.core.types import Images, Rgb8
from campro.enhance.colours import Colours
from campro.enhance.enhancer import Enhancer
from campro.enhance.fused import FLOOR, MULTIPLE, STRIDE
from campro.enhance.networks import KeepNet, TintNet, Told
from campro.enhance.objective import Sample, enhancement_loss
from campro.enhance.padding import padded
from campro.isp import Camera, IspProfile
from campro.isp.inverse import CELLS, prior_of

KEEP, TINT = slice(0, 1), slice(1, 4)
"""Channels of the map."""
CERTAINTY, FACE = 0.2, 2.0
"""Weight of the entropy of the map itself next to the loss of the picture, in which dark faces weigh little; and what
a pixel of a face counts there against one outside: a face that is left in harms more than a blackened wall."""
SHARPNESS, DOUBT = 3.0, 0.5
"""After training the map is made surer by a factor, for half a face is still a face, and black where it was in doubt,
up to so much of its logit: chosen by `scripts/choose_doubt.py`, see docs/log.md, 2026-11-26.
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
        self.keep_net, self.tint_net = KeepNet(), TintNet()

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
        head = self.keep_net.draw.head
        assert head.bias is not None
        head.weight *= SHARPNESS
        head.bias.copy_(SHARPNESS * (head.bias - DOUBT))

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        return self.with_context(captured)[0]

    def with_context(self, captured: Images) -> tuple[Images, Float[Tensor, "B 4 h w"], Images, Told]:
        """Enhanced pictures; the map that they were made with: keep (0 to 1) and tint (3); captured pictures with a
        border and `statistics`, from which it was drawn.
        """
        coloured = self.table(captured)
        seen, told = padded(captured, MULTIPLE), statistics(captured, coloured)
        keep = self.keep_net(seen).sigmoid()
        context = torch.cat([keep, self.tint_net(told)], 1)
        full = F.interpolate(context, scale_factor=STRIDE, mode="bilinear", align_corners=False)
        full = full[:, :, : captured.shape[2], : captured.shape[3]]
        return full[:, KEEP] * (coloured + full[:, TINT]), context, seen, told

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Eq. 7 twice, once for colours and once for the map, on the means of cells; and the map's cross-entropy.

        Colours are learned as if the right cells were kept: through a doubtful map they would learn to make up for its
        darkness, and be too bright where it is sure. Of single pixels they would learn less: their error is noise.
        """
        told = statistics(sample.captured, sample.coloured)
        logits = self.keep_net(padded(sample.captured, MULTIPLE))
        coloured, raw, wanted, black = (
            F.avg_pool2d(padded(part, MULTIPLE), STRIDE)
            for part in (sample.coloured, sample.raw, sample.background, sample.raw * sample.background)
        )
        certainty = F.binary_cross_entropy_with_logits(logits, wanted, FACE + (1 - FACE) * wanted)
        whole = coloured + self.tint_net(told)
        colours = enhancement_loss(whole * wanted, raw, wanted)
        kept = (logits.sigmoid() * whole.detach() - black).abs().mean()
        return colours + kept + CERTAINTY * certainty


def statistics(captured: Images, coloured: Images) -> Told:
    """Of every cell the mean and the standard deviation of captured colours, and of what the table makes of them."""
    told = []
    for images in (captured, coloured):
        whole = padded(images, MULTIPLE)
        mean, square = F.avg_pool2d(whole, STRIDE), F.avg_pool2d(whole.square(), STRIDE)
        told += [mean, ((square - mean.square()).clamp_min(0) + FLOOR).sqrt()]
    return torch.cat(told, 1)
