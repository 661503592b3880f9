"""The fast enhancer: two look-up tables for every pixel, and two small networks for every cell of 8 x 8 pixels.

A pointwise profile is a map of colours followed by clipping, so most of its inverse is a map of colours, too: a 3D LUT,
at the cost of one look-up a pixel. What a LUT cannot decide depends on the surroundings: whether a pixel is part of a
face, and which of several raw colours with the same captured colour was there. Two networks decide this at an eighth of
the resolution (compare Gharbi et al., Deep Bilateral Learning, SIGGRAPH 2017):

- `MaskNet` predicts from the captured picture where faces are;
- `TintNet` predicts the mean raw colour of each cell from `cell_features`. Their standard deviations matter: whether
  the profile made texture coarser or finer shows which branch of its curve a colour is from.

A second LUT, the residual LUT, corrects single-channel deviations from the cell's mean: light and shade move the three
channels of a pixel together, so a channel that deviates alone was probably recoloured wrongly. Pixels without ambiguity
are certain and stay as they are; the remaining error of a cell's mean is added to its ambiguous pixels.
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
from campro.enhance.composer import OFFSET_SMOOTHING
from campro.enhance.detector_distillation import DetectorDistillation, Teacher
from campro.enhance.enhancement_losses import Sample, contrast_loss, enhancement_loss
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.networks import CellFeatures, MaskNet, TintNet
from campro.enhance.padding import padded
from campro.enhance.recolouring import Recoloured, Recolouring, ambiguity_classes
from campro.inversion.cell_grid import AMBIGUITY, CELL, MEANS, MULTIPLE, VARIANCE_FLOOR, certainty_weight
from campro.inversion.inverse import BIN_BITS, BINS, ambiguity_codes, prior_from_photos
from campro.isp import Camera, IspProfile

MASK, MAP_MEANS = slice(0, 1), slice(1, 4)
"""Channels of the cell map: the mask, 0 (face) to 1, and the mean colour of the cell, 0 to 1. The mean ambiguity of the
cell follows (3 channels)."""
MASK_WEIGHT = 0.2
"""Weight of the cross-entropy of the mask; the loss of the picture hardly penalises mask errors on dark faces."""
FACE_WEIGHT = 2.0
"""Weight of face cells in that cross-entropy: a face that stays visible is worse than a background cell made black."""
CONTRAST_WEIGHT, CONTRAST_DISTANCES = 4.0, (1, 4)
"""Weight of `contrast_loss` on cell means, and its distances in cells."""
DISTILLATION_WEIGHT = 1.5
"""Weight of the loss of `DetectorDistillation`, where a teacher is given."""
MASK_GAIN, MASK_BIAS = 3.0, 0.0
"""After training, logits of the mask become MASK_GAIN (logit - MASK_BIAS). The gain makes the mask more binary, since
half a face is still recognisable; a larger bias makes more cells black. Chosen with `benchmarks.figures.mask_bias`; see
docs/decisions/2026-11-27-enhancer-detector-distillation.md.
"""


class FastEnhancer(Enhancer):
    """mask * (r + residual(r, means, ambiguity) + ambiguity * offset), with r = LUT(captured).

    In this module r is the output of a 3D LUT, which every runtime supports and which tolerates compression.
    `campro.enhance.runner` uses the exact inverse for unprocessed camera output; `TintNet` is trained on both.
    """

    lr = 2e-3

    def __init__(self) -> None:
        super().__init__()
        axis = torch.linspace(0, 1, NODES)
        blue, green, red = torch.meshgrid(axis, axis, axis, indexing="ij")
        self.lut = Lut3d(torch.stack([red, green, blue])).requires_grad_(False)
        # Until it is fitted: each channel gets the mean deviation of the three.
        self.residual_lut = Lut3d((2 / 3 * (green - red))[None]).requires_grad_(False)
        self.register_buffer("ambiguity", torch.zeros(BINS, dtype=torch.uint8))
        self.register_buffer("prior", torch.full((BINS,), 1 / BINS))
        self.mask_net, self.tint_net = MaskNet(), TintNet()
        self.distillation: DetectorDistillation | None = None

    def prepare(self, photos: Sequence[Path], camera: Camera, teacher: Teacher | None = None) -> None:
        """Fit the colour LUT, its ambiguity and the prior to photographs. They are not trained further."""
        device = self.lut.values.device
        lut = Lut3d.fit(colour_pairs(photos, camera)).requires_grad_(False)
        errors = Lut3d.fit((captured, (raw - lut(captured)).square()) for captured, raw in colour_pairs(photos, camera))
        self.ambiguity = torch.from_numpy(_ambiguity_by_bin(errors)).to(device)
        self.lut, self.prior = lut.to(device), torch.from_numpy(prior_from_photos(photos)).float().to(device)
        self.distillation = None if teacher is None else DetectorDistillation(teacher, self.mask_net.widths)

    def recolouring(self, profile: IspProfile) -> Callable[[Rgb8], Recoloured]:
        """See `Enhancer.recolouring`."""
        lut = self.lut.values.permute(1, 2, 3, 0).cpu().numpy()
        return Recolouring(lut, self.ambiguity.cpu().numpy(), profile, self.prior.cpu().numpy())

    @torch.no_grad()
    def finish(self, samples: Iterable[Sample]) -> None:
        """Fit the residual LUT with the trained networks, and apply MASK_GAIN and MASK_BIAS to the mask."""
        self.distillation = None
        pairs = (self._residual_pairs(sample) for sample in samples)
        device = self.residual_lut.values.device
        self.residual_lut = Lut3d.fit(pairs, channels=1).to(device).requires_grad_(False)
        head = self.mask_net.body.head
        assert head.bias is not None
        head.weight *= MASK_GAIN
        head.bias.copy_(MASK_GAIN * (head.bias - MASK_BIAS))

    def forward(self, captured: Images) -> Images:
        """See `Enhancer.forward`."""
        return self.with_cell_map(captured)[0]

    def with_cell_map(self, captured: Images) -> tuple[Images, Float[Tensor, "B 7 h w"], Images, CellFeatures]:
        """Enhanced pictures, the cell map, and the inputs of the two networks: padded pictures and `cell_features`."""
        recoloured, ambiguity = self.lut(captured), self._ambiguity_of(captured)
        whole, features = padded(captured, MULTIPLE), cell_features(captured, recoloured, ambiguity)
        cell_map = torch.cat([self.mask_net(whole).sigmoid(), self._means(features), features[:, AMBIGUITY]], 1)
        full = _upsampled(cell_map, captured)
        residual = self.residual_lut(_residual_inputs(recoloured, full[:, MAP_MEANS], ambiguity))
        corrected = (recoloured + residual.view_as(recoloured)).clamp(0, 1)
        error = cell_map[:, MAP_MEANS] - _cell_means(corrected)
        offset = error * (1 + OFFSET_SMOOTHING) / (features[:, AMBIGUITY] + OFFSET_SMOOTHING)
        enhanced = full[:, MASK] * (corrected + ambiguity * _upsampled(offset, captured))
        return enhanced, cell_map, whole, features

    def loss(self, sample: Sample) -> Float[Tensor, ""]:
        """Losses of cell means: eq. 7 for colours and for the mask, contrast, cross-entropy of the mask, distillation.

        Colours are trained with the true mask. With the predicted mask they would compensate for a mask below 1 and
        become too bright. Single pixels are not used: their error is mostly noise.
        """
        features = cell_features(sample.captured, sample.recoloured, sample.ambiguity)
        # Only colours are trained with JPEG: it did not improve the mask
        # (docs/decisions/2026-11-26-enhancer-face-network-resolution.md).
        captured, whole, background = (
            padded(part, MULTIPLE) for part in (sample.uncompressed, sample.raw, sample.background)
        )
        logits, detector_features = self.mask_net.with_features(captured)
        raw, mask, masked_raw = (F.avg_pool2d(part, CELL) for part in (whole, background, whole * background))
        cross_entropy = F.binary_cross_entropy_with_logits(logits, mask, FACE_WEIGHT + (1 - FACE_WEIGHT) * mask)
        means = self._means(features)
        contrast = contrast_loss(means, raw, mask, CONTRAST_DISTANCES)
        colours = enhancement_loss(means * mask, raw, mask) + CONTRAST_WEIGHT * contrast
        masked = (logits.sigmoid() * means.detach() - masked_raw).abs().mean()
        loss = colours + masked + MASK_WEIGHT * cross_entropy
        if self.distillation is None:
            return loss
        return loss + DISTILLATION_WEIGHT * self.distillation.loss(detector_features, whole)

    def _ambiguity_of(self, captured: Images) -> Images:
        """Ambiguity classes of the LUT's output, as in `Sample`."""
        red, green, blue = ((captured.clamp(0, 1) * 255 + 0.5) / (1 << (8 - BIN_BITS))).long().unbind(1)
        bins = (red << (2 * BIN_BITS)) | (green << BIN_BITS) | blue
        return ambiguity_classes(self.ambiguity.index_select(0, bins.flatten()).view_as(bins))

    def _means(self, features: CellFeatures) -> Float[Tensor, "B 3 h w"]:
        """Predicted mean raw colour of each cell: the recoloured mean plus a tint."""
        return features[:, MEANS] + self.tint_net(features)

    def _residual_pairs(self, sample: Sample) -> tuple[Images, Float[Tensor, "1 1 1 N"]]:
        """Inputs and targets of the residual LUT: every third row and column of a sample, outside faces."""
        sample = Sample(*(part.to(self.prior.device) for part in sample))
        means = self._means(cell_features(sample.captured, sample.recoloured, sample.ambiguity))
        inputs = _residual_inputs(sample.recoloured, _upsampled(means, sample.recoloured), sample.ambiguity)
        targets = (sample.raw - sample.recoloured).flatten(0, 1)[:, None]
        outside = sample.background.expand_as(sample.raw).flatten(0, 1) == 1

        def pixels(part: Float[Tensor, "3*B c H W"]) -> Float[Tensor, "1 c 1 N"]:
            return part.transpose(0, 1)[:, :, ::3, ::3][:, outside[:, ::3, ::3]][None, :, None].cpu()

        return pixels(inputs), pixels(targets)


def cell_features(captured: Images, recoloured: Images, ambiguity: Images) -> CellFeatures:
    """The tensor version of `campro.inversion.cell_grid.cell_features`, with the same channels."""
    features = []
    for images in (captured, recoloured):
        mean = _cell_means(images)
        variance = (_cell_means(images.square()) - mean.square()).clamp_min(0)
        features += [mean, (variance + VARIANCE_FLOOR).sqrt()]
    weight = certainty_weight(ambiguity)
    certain_means = _cell_means(weight * recoloured) / _cell_means(weight)
    return torch.cat([*features, _cell_means(ambiguity), certain_means], 1)


def _cell_means(images: Images) -> Float[Tensor, "B 3 h w"]:
    """Means of the cells of pictures, padding included."""
    return F.avg_pool2d(padded(images, MULTIPLE), CELL)


def _upsampled(cells: Float[Tensor, "B c h w"], images: Images) -> Float[Tensor, "B c H W"]:
    """Values of cells, interpolated at the pixels of the pictures."""
    full = F.interpolate(cells, scale_factor=CELL, mode="bilinear", align_corners=False)
    return full[:, :, : images.shape[2], : images.shape[3]]


def _ambiguity_by_bin(variances: Lut3d) -> UInt8[np.ndarray, " bins"]:
    """Ambiguity code of each bin of captured colours, from the variance of the LUT's error in the middle of the bin."""
    side = 1 << (8 - BIN_BITS)
    middles = (side * torch.arange(1 << BIN_BITS) + (side - 1) / 2) / 255
    colours = torch.cartesian_prod(middles, middles, middles).T.reshape(1, 3, BINS, 1)
    with torch.no_grad():
        return ambiguity_codes(255**2 * variances(colours)[0, :, :, 0].T.numpy())


def _residual_inputs(recoloured: Images, means: Images, ambiguity: Images) -> Float[Tensor, "3*B 3 H W"]:
    """Inputs of the residual LUT, in [0, 1], for each channel of each picture.

    The channel's deviation from the cell's mean + 0.5, the mean deviation of the two other channels + 0.5, and the
    channel's ambiguity class.
    """
    own = recoloured - means
    others = (own.sum(1, keepdim=True) - own) / 2
    return torch.stack([own + 0.5, others + 0.5, ambiguity], 2).flatten(0, 1)
