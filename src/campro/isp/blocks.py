"""The blocks of a profile as PyTorch modules: their parameters, the range of these, and a call of the function.

The functions are in `campro.isp.functional`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from campro.core.types import Images
from campro.isp import functional
from campro.isp.limits import Limits
from campro.isp.profile import (
    CCM_LIMIT,
    H264,
    Block,
    Ccm,
    ChromaBlur,
    ChromaFormat,
    ChromaSubsampling,
    Defocus,
    Degamma,
    Denoise,
    GammaLut,
    Jpeg,
    LowResolution,
    MeasuredDegamma,
    Quantise,
    Scaler,
    SensorNoise,
)
from campro.isp.video_coding import through_h264

CHROMA_BLOCKS: dict[ChromaFormat, tuple[int, int]] = {"4:2:2": (2, 1), "4:2:0": (2, 2), "4:1:1": (4, 1)}
"""Width and height in pixels of the blocks that share their colour differences."""


class BlockModule(nn.Module):
    """A block of the pipeline. Parameters are float64, so that a profile survives a round trip unchanged."""

    limits: Limits | None = None
    """Limits of the camera that the parameters are for, if there is one."""

    def __init__(self, spec: Block) -> None:
        super().__init__()
        self.spec = spec

    def project_(self) -> None:
        """Move the parameters back into their range; called after each optimiser step."""

    def to_spec(self) -> Block:
        """The block for a profile, with the current parameters."""
        return self.spec


class DegammaModule(BlockModule):
    """sRGB to linear light."""

    spec: Degamma

    def forward(self, x: Images) -> Images:
        return functional.degamma(x, self.spec.curve)


class MeasuredDegammaModule(BlockModule):
    """sRGB to linear light by a measured curve, which is not trained."""

    spec: MeasuredDegamma

    def __init__(self, spec: MeasuredDegamma) -> None:
        super().__init__(spec)
        self.register_buffer("values", torch.tensor([spec.values], dtype=torch.float64), persistent=False)
        self.values: Tensor

    def forward(self, x: Images) -> Images:
        knots = torch.linspace(0, 1, self.values.shape[1], dtype=x.dtype, device=x.device)
        return functional.apply_lut(x, self.values.to(x.dtype), knots)


class CcmModule(BlockModule):
    """Colour correction matrix; the offsets are trained only if the profile has any."""

    spec: Ccm

    def __init__(self, spec: Ccm) -> None:
        super().__init__(spec)
        self.matrix = nn.Parameter(torch.tensor(spec.matrix, dtype=torch.float64))
        self.offsets = nn.Parameter(torch.tensor(spec.offsets, dtype=torch.float64), requires_grad=any(spec.offsets))

    @property
    def rounded(self) -> Tensor:
        """The matrix, rounded as the camera rounds it; the gradient is that of the unrounded one."""
        return self.matrix if self.limits is None else straight_through(self.matrix, self.limits.matrix.rounded)

    def forward(self, x: Images) -> Images:
        return functional.apply_ccm(x, self.rounded.to(x.dtype), self.offsets.to(x.dtype))

    @torch.no_grad()
    def project_(self) -> None:
        if self.limits is None:
            self.matrix.clamp_(-CCM_LIMIT, CCM_LIMIT)
        else:
            self.matrix.copy_(torch.from_numpy(self.limits.bounded(self.matrix.cpu().numpy())))
        self.offsets.clamp_(-1, 1)

    def to_spec(self) -> Ccm:
        return Ccm(_tuples(self.matrix), tuple(self.offsets.tolist()))


class GammaLutModule(BlockModule):
    """Gamma look-up table."""

    spec: GammaLut

    def __init__(self, spec: GammaLut) -> None:
        super().__init__(spec)
        self.values = nn.Parameter(torch.tensor(spec.values, dtype=torch.float64))
        self.register_buffer("knots", torch.tensor(spec.positions, dtype=torch.float64), persistent=False)
        self.knots: Tensor

    @property
    def rounded(self) -> Tensor:
        """The values, rounded as the camera rounds them; the gradient is that of the unrounded ones."""
        return self.values if self.limits is None else straight_through(self.values, self.limits.curve.rounded)

    def forward(self, x: Images) -> Images:
        return functional.apply_lut(x, self.rounded.to(x.dtype), self.knots.to(x.dtype))

    @torch.no_grad()
    def project_(self) -> None:
        self.values.clamp_(0, 1)
        if self.limits is not None:
            nearest = [self.limits.curve.nearest(curve) for curve in self.values.cpu().numpy()]
            self.values.copy_(torch.from_numpy(np.stack(nearest)))

    def to_spec(self) -> GammaLut:
        return GammaLut(_tuples(self.values), self.spec.knots)


class QuantiseModule(BlockModule):
    """Rounding to the camera's output levels."""

    spec: Quantise

    def forward(self, x: Images) -> Images:
        return functional.quantise(x, self.spec.bits)


class DefocusModule(BlockModule):
    """Gaussian blur."""

    spec: Defocus

    def forward(self, x: Images) -> Images:
        return functional.defocus(x, self.spec.kernel, self.spec.sigma)


class ChromaBlurModule(BlockModule):
    """Gaussian blur of colour differences."""

    spec: ChromaBlur

    def forward(self, x: Images) -> Images:
        return functional.chroma_blur(x, self.spec.kernel, self.spec.sigma)


class LowResolutionModule(BlockModule):
    """Downscaling and upscaling."""

    spec: LowResolution

    def forward(self, x: Images) -> Images:
        return functional.low_resolution(x, self.spec.factor)


class ScalerModule(BlockModule):
    """Output resolution; `IspPipeline` enlarges its output."""

    spec: Scaler

    def forward(self, x: Images) -> Images:
        return functional.shrunk(x, self.spec.factor)


class DenoiseModule(BlockModule):
    """Noise reduction."""

    spec: Denoise

    def forward(self, x: Images) -> Images:
        return functional.denoise(x, self.spec.luma, self.spec.chroma, self.spec.radius)


class ChromaSubsamplingModule(BlockModule):
    """Colour differences of fewer pixels."""

    spec: ChromaSubsampling

    def forward(self, x: Images) -> Images:
        return functional.chroma_subsampled(x, *CHROMA_BLOCKS[self.spec.format])


class JpegModule(BlockModule):
    """JPEG compression."""

    spec: Jpeg

    def forward(self, x: Images) -> Images:
        return functional.coded(x, partial(functional.through_jpeg, quality=self.spec.quality))


class H264Module(BlockModule):
    """H.264 compression."""

    spec: H264

    def forward(self, x: Images) -> Images:
        return functional.coded(x, partial(through_h264, quantiser=self.spec.quantiser))


class SensorNoiseModule(BlockModule):
    """Sensor noise; it depends on the profile's seed and the pictures alone, so a resumed run repeats it."""

    spec: SensorNoise

    def forward(self, x: Images) -> Images:
        content = zlib.crc32(x.detach().cpu().numpy().tobytes())
        generator = torch.Generator().manual_seed((self.spec.seed + content) % 2**63)
        return functional.sensor_noise(x, self.spec.shot, self.spec.read, generator)


MODULES: dict[type, type[BlockModule]] = {
    Degamma: DegammaModule,
    MeasuredDegamma: MeasuredDegammaModule,
    Ccm: CcmModule,
    GammaLut: GammaLutModule,
    Quantise: QuantiseModule,
    Defocus: DefocusModule,
    ChromaBlur: ChromaBlurModule,
    LowResolution: LowResolutionModule,
    Scaler: ScalerModule,
    Denoise: DenoiseModule,
    ChromaSubsampling: ChromaSubsamplingModule,
    Jpeg: JpegModule,
    H264: H264Module,
    SensorNoise: SensorNoiseModule,
}
"""The module of each kind of block."""


def straight_through(values: Tensor, rounding: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    """Rounded values whose gradient is that of the values before rounding (straight-through estimator)."""
    rounded = torch.from_numpy(rounding(values.detach().cpu().numpy())).to(values)
    return values + (rounded - values).detach()


def _tuples(matrix: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in matrix.tolist())
