"""The differentiable pipeline: a profile as a PyTorch module (CamPro, NDSS 2024, V-B)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from campro.core.types import Images
from campro.isp.blocks import MODULES, BlockModule, CcmModule, DegammaModule, GammaLutModule, QuantiseModule
from campro.isp.functional import enlarged
from campro.isp.fused_autograd import fused_colour_blocks
from campro.isp.limits import Limits
from campro.isp.pointwise import exact_levels, needs_float64
from campro.isp.profile import IspProfile, Provenance, load_profile


class IspPipeline(nn.Module):
    """Pictures (B, 3, H, W) in [0, 1] to pictures of the same shape; the differentiable version of `eight_bit.apply`.

    `exact` pipelines compute in float64 and return the data type of the input; they agree with `eight_bit.apply` where
    float32 would not (see `needs_float64`).
    """

    def __init__(self, blocks: list[BlockModule], exact: bool = False) -> None:
        super().__init__()
        self.blocks: Iterable[BlockModule] = nn.ModuleList(blocks)  # type: ignore[assignment]
        self.exact = exact

    @staticmethod
    def from_profile(profile: IspProfile, limits: Limits | None = None) -> IspPipeline:
        """The pipeline of a profile; `to_profile` gives back the same profile, bit for bit.

        With `limits`, the parameters start from the nearest profile that this camera can hold, `project_` keeps them
        within its limits, and every picture is computed with parameters rounded as the camera rounds them.

        Raises:
            CamproError: if `limits` are given and the profile is not one for cameras (see `campro.isp.limits.parts`).
        """
        start = profile if limits is None else limits.fitted(profile)
        modules = [MODULES[type(block)](block) for block in start.blocks]
        for module in modules:
            module.limits = limits
        return IspPipeline(modules, needs_float64(start.blocks))

    def to_profile(self, name: str, provenance: Provenance | None = None) -> IspProfile:
        """The profile of the current parameters, rounded as the camera rounds them if there are limits.

        Raises:
            CamproError: if there are limits and the camera cannot hold the parameters.
        """
        blocks = tuple(block.to_spec() for block in self.blocks)
        profile = IspProfile(name, blocks, provenance or Provenance())
        limits = next((block.limits for block in self.blocks if block.limits is not None), None)
        return profile if limits is None else limits.realised(profile)

    def forward(self, images: Images) -> Images:
        """The pictures after all blocks, enlarged to the old size if a scaler made them smaller."""
        return self._run(exact_levels(images)).to(images.dtype) if self.exact else self._run(images)

    def _run(self, images: Images) -> Images:
        blocks, (height, width) = list(self.blocks), images.shape[-2:]
        while blocks:
            count = fusable_blocks(blocks) if images.device.type == "cpu" else 0
            images = apply_fused(blocks[:count], images) if count else blocks[0](images)
            blocks = blocks[count or 1 :]
        return images if images.shape[-2:] == (height, width) else enlarged(images, height, width)

    def project_(self) -> None:
        """Move all parameters back into their range; called after each optimiser step."""
        for block in self.blocks:
            block.project_()


def fusable_blocks(blocks: Sequence[BlockModule]) -> int:
    """Number of leading blocks that `apply_fused` can compute: degamma (optional), CCM, gamma LUT, rounding (optional).

    It is 0 if the blocks do not start with such a chain.
    """
    kinds = [type(block) for block in blocks]
    start = int(kinds[0] is DegammaModule)
    if kinds[start : start + 2] != [CcmModule, GammaLutModule]:
        return 0
    return start + 2 + int(kinds[start + 2 : start + 3] == [QuantiseModule])


def apply_fused(blocks: Sequence[BlockModule], images: Images) -> Images:
    """The blocks that `fusable_blocks` counted, as one operation (`campro.isp.fused_autograd`)."""
    curve, levels = None, 0
    for block in blocks:
        match block:
            case DegammaModule():
                curve = block.spec.curve
            case CcmModule():
                ccm = block
            case GammaLutModule():
                lut = block
            case QuantiseModule():
                levels = 2**block.spec.bits - 1
    return fused_colour_blocks(images, curve, ccm.rounded, ccm.offsets, lut.rounded, lut.knots, levels)


def pipeline(profile: IspProfile | str) -> IspPipeline:
    """The differentiable pipeline of a profile, or of the profile with that name or path.

    Raises:
        CamproError: as `load_profile`.
    """
    return IspPipeline.from_profile(profile if isinstance(profile, IspProfile) else load_profile(profile))
