"""The fast enhancer: colours by two tables, and a map that two small networks draw: what is where, and no faces.

A profile is a map of colours followed by clipping, so most of its inverse is a map of colours too: that part is a
table, and costs one look-up a pixel. What no table can know, where a face is and which of two colours that the
profile made one is meant, is a matter of places and not of pixels: that part is drawn at an eighth of the size and
blown up (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017). The network for faces sees the captured
picture. The one for colours is told in every cell of the map the mean and the spread of captured colours and of those
that the table makes of them: texture that the profile's curve makes coarser or finer tells on which of its slopes a
colour was.

What a pixel should be in its place is a second table, of corrections. Light and shade move the three channels of a
pixel together, away from what its place is like; where one stands out alone, the first table took the wrong colour.
Most captured colours were one raw colour for certain, though. Those pixels stay as they are, and the network is told
of them; what the mean of a cell is still off by is shared out among the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from campro.core.lut3d import NODES, Lut3d, colour_pairs
from campro.core.types import Images, Rgb8
from campro.enhance.colours import Coloured, Colours, spread_classes
from campro.enhance.detector_distillation import Hints, Teacher
from campro.enhance.enhancement_losses import Sample, contrast_loss, enhancement_loss
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.fused_kernels import EVENLY
from campro.enhance.networks import KeepNet, TintNet, Told
from campro.enhance.padding import padded
from campro.inversion.cell_grid import AMBIGUITY, CELL, MEANS, MULTIPLE, VARIANCE_FLOOR, certainty_weight
from campro.inversion.inverse import BITS, CELLS, prior_of, spread_codes
from campro.isp import Camera, IspProfile

KEEP, MEAN = slice(0, 1), slice(1, 4)
"""Channels of the map: how much is kept, 0 to 1, and the mean of a place's colours; AMBIGUITY of features follows."""
CERTAINTY, FACE = 0.2, 2.0
"""Weight of the entropy of the map itself next to the loss of the picture, in which dark faces weigh little; and what
a pixel of a face counts there against one outside: a face that is left in harms more than a blackened wall."""
CONTRAST, APART = 4.0, (1, 4)
"""Weight of the error of differences between cells so far apart: blotches err little and show much."""
HINTED = 1.5
"""Weight of the hints of a face detector, if there is one that gives them."""
SHARPNESS, DOUBT = 3.0, 0.0
"""After training the map is made surer by a factor, for half a face is still a face, and black where it was in doubt,
up to so much of its logit: chosen by `scripts/choose_doubt.py`, see
docs/decisions/2026-11-27-enhancer-detector-distillation.md.
"""


class FastEnhancer(Enhancer):
    """keep x (c + correction(c, place) + spread(colour) off(place)), c = table(colour): the picture, black on faces.

    Here the first table is a 3D LUT, which any runtime can use and compression does not hurt; `campro.enhance.runner`
    has a sharper one for pictures as the camera made them, and the network learns from both.
    """

    lr = 2e-3

    def __init__(self) -> None:
        super().__init__()
        axis = torch.linspace(0, 1, NODES)
        blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.table = Lut3d(torch.stack([red, green, blue])).requires_grad_(False)
        # Before it is fitted: all three channels stand out from their place by the same.
        self.corrections = Lut3d((2 / 3 * (green - red))[None]).requires_grad_(False)
        self.register_buffer("spread", torch.zeros(CELLS, dtype=torch.uint8))
        self.register_buffer("prior", torch.full((CELLS,), 1 / CELLS))
        self.keep_net, self.tint_net = KeepNet(), TintNet()
        self.hints: Hints | None = None

    def prepare(self, photos: Sequence[Path], camera: Camera, teacher: Teacher | None = None) -> None:
        """Fit the tables, the best that colours alone can do; they stay as they are. The teacher knows faces."""
        device = self.table.values.device
        table = Lut3d.fit(colour_pairs(photos, camera)).requires_grad_(False)
        errors = Lut3d.fit((seen, (raw - table(seen)).square()) for seen, raw in colour_pairs(photos, camera))
        self.spread = torch.from_numpy(_spread_by_cell(errors)).to(device)
        self.table, self.prior = table.to(device), torch.from_numpy(prior_of(photos)).float().to(device)
        self.hints = None if teacher is None else Hints(teacher, self.keep_net.widths)

    def colours(self, profile: IspProfile) -> Callable[[Rgb8], Coloured]:
        """See `Enhancer.colours`."""
        table = self.table.values.permute(1, 2, 3, 0).cpu().numpy()
        return Colours(table, self.spread.cpu().numpy(), profile, self.prior.cpu().numpy())

    @torch.no_grad()
    def finish(self, samples: Iterable[Sample]) -> None:
        """Sharpen the map, let it leave out what it doubts, and fit the second table to what the networks draw."""
        self.hints = None
        pairs = (self._corrections_of(sample) for sample in samples)
        device = self.corrections.values.device
        self.corrections = Lut3d.fit(pairs, channels=1).to(device).requires_grad_(False)
        head = self.keep_net.draw.head
        assert head.bias is not None
        head.weight *= SHARPNESS
        head.bias.copy_(SHARPNESS * (head.bias - DOUBT))

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        return self.with_context(captured)[0]

    def with_context(self, captured: Images) -> tuple[Images, Float[Tensor, "B 7 h w"], Images, Told]:
        """Enhanced pictures; the map that they were made with; captured pictures with a border and `cell_features`,
        from which it was drawn.
        """
        coloured, spread = self.table(captured), self._spread_of(captured)
        seen, told = padded(captured, MULTIPLE), cell_features(captured, coloured, spread)
        context = torch.cat([self.keep_net(seen).sigmoid(), self._means(told), told[:, AMBIGUITY]], 1)
        full = _blown_up(context, captured)
        corrections = self.corrections(_standing_out(coloured, full[:, MEAN], spread))
        corrected = (coloured + corrections.view_as(coloured)).clamp(0, 1)
        off = (context[:, MEAN] - _by_cell(corrected)) * (1 + EVENLY) / (told[:, AMBIGUITY] + EVENLY)
        return full[:, KEEP] * (corrected + spread * _blown_up(off, captured)), context, seen, told

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Eq. 7 twice, once for colours and once for the map, on means of cells; the map's cross-entropy; and hints.

        Colours are learned as if the right cells were kept: through a doubtful map they would learn to make up for its
        darkness, and be too bright where it is sure. Of single pixels they would learn less: their error is noise.
        """
        told = cell_features(sample.captured, sample.coloured, sample.spread)
        # JPEG is for colours to learn: it taught the network for faces nothing that helped
        # (docs/decisions/2026-11-26-enhancer-face-network-resolution.md).
        seen, whole, background = (
            padded(part, MULTIPLE) for part in (sample.uncompressed, sample.raw, sample.background)
        )
        logits, features = self.keep_net.with_features(seen)
        raw, wanted, black = (F.avg_pool2d(part, CELL) for part in (whole, background, whole * background))
        certainty = F.binary_cross_entropy_with_logits(logits, wanted, FACE + (1 - FACE) * wanted)
        means = self._means(told)
        colours = enhancement_loss(means * wanted, raw, wanted) + CONTRAST * contrast_loss(means, raw, wanted, APART)
        kept = (logits.sigmoid() * means.detach() - black).abs().mean()
        loss = colours + kept + CERTAINTY * certainty
        return loss if self.hints is None else loss + HINTED * self.hints.loss(features, whole)

    def _spread_of(self, captured: Images) -> Images:
        """Of each channel the class of its cell, as in `Sample`."""
        red, green, blue = ((captured.clamp(0, 1) * 255 + 0.5) / (1 << (8 - BITS))).long().unbind(1)
        cells = (red << (2 * BITS)) | (green << BITS) | blue
        return spread_classes(self.spread.index_select(0, cells.flatten()).view_as(cells))

    def _means(self, told: Told) -> Float[Tensor, "B 3 h w"]:
        """What the colours of each cell are on average: as the first table has it, put right by a tint."""
        return told[:, MEANS] + self.tint_net(told)

    def _corrections_of(self, sample: Sample) -> tuple[Images, Float[Tensor, "1 1 1 N"]]:
        """What the second table is fitted to: every third row and column of a sample, outside faces."""
        sample = Sample(*(part.to(self.prior.device) for part in sample))
        means = self._means(cell_features(sample.captured, sample.coloured, sample.spread))
        standing = _standing_out(sample.coloured, _blown_up(means, sample.coloured), sample.spread)
        wanted = (sample.raw - sample.coloured).flatten(0, 1)[:, None]
        there = sample.background.expand_as(sample.raw).flatten(0, 1) == 1

        def pixels(part: Float[Tensor, "3*B c H W"]) -> Float[Tensor, "1 c 1 N"]:
            return part.transpose(0, 1)[:, :, ::3, ::3][:, there[:, ::3, ::3]][None, :, None].cpu()

        return pixels(standing), pixels(wanted)


def _blown_up(context: Float[Tensor, "B c h w"], images: Images) -> Float[Tensor, "B c H W"]:
    """A map at the size of its pictures."""
    full = F.interpolate(context, scale_factor=CELL, mode="bilinear", align_corners=False)
    return full[:, :, : images.shape[2], : images.shape[3]]


def _spread_by_cell(variances: Lut3d) -> UInt8[np.ndarray, " cells"]:
    """What a table errs by, as `isp.inverse.spread_codes`, by cell of the highest bits of colours."""
    side = 1 << (8 - BITS)
    middles = (side * torch.arange(1 << BITS) + (side - 1) / 2) / 255
    colours = torch.cartesian_prod(middles, middles, middles).T.reshape(1, 3, CELLS, 1)
    with torch.no_grad():
        return spread_codes(255**2 * variances(colours)[0, :, :, 0].T.numpy())


def _standing_out(coloured: Images, means: Images, spread: Images) -> Float[Tensor, "3*B 3 H W"]:
    """Of each channel of each picture: by how much it stands out from its place, by how much the two others do on
    average, both from a half on, and how unsure the first table was of it.
    """
    apart = coloured - means
    others = (apart.sum(1, keepdim=True) - apart) / 2
    return torch.stack([apart + 0.5, others + 0.5, spread], 2).flatten(0, 1)


def cell_features(captured: Images, coloured: Images, spread: Images) -> Told:
    """Of every cell the mean and the standard deviation of captured colours, and of what the table makes of them; the
    mean of their spread; and the mean of coloured pixels again, weighed by how sure the table was.
    """
    told = []
    for images in (captured, coloured):
        mean = _by_cell(images)
        told += [mean, ((_by_cell(images.square()) - mean.square()).clamp_min(0) + VARIANCE_FLOOR).sqrt()]
    weight = certainty_weight(spread)
    return torch.cat([*told, _by_cell(spread), _by_cell(weight * coloured) / _by_cell(weight)], 1)


def _by_cell(images: Images) -> Images:
    """Means of the cells of pictures, and of those that pad them."""
    return F.avg_pool2d(padded(images, MULTIPLE), CELL)
