"""The virtual imaging pipeline as one differentiable module (CamPro, NDSS 2024, V-B)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from campro.core.types import Images
from campro.isp.blocks import MODULES, BlockModule, CcmModule, DegammaModule, GammaLutModule, QuantiseModule
from campro.isp.fused_autograd import fused
from campro.isp.limits import Limits
from campro.isp.profile import IspProfile, Provenance, load_profile


class IspPipeline(nn.Module):
    """(B, 3, H, W) in [0, 1] -> the same; the twin in training of the fast 8-bit path."""

    def __init__(self, blocks: list[BlockModule]) -> None:
        super().__init__()
        self.blocks: Iterable[BlockModule] = nn.ModuleList(blocks)  # type: ignore[assignment]

    @staticmethod
    def from_profile(profile: IspProfile, limits: Limits | None = None) -> IspPipeline:
        """The pipeline that does what the profile says; `to_profile` is the exact inverse.

        With `limits` it starts from the nearest profile that such a camera can hold and stays within what it can, at
        every step, with the camera's own rounding in every picture.
        """
        start = profile if limits is None else limits.fitted(profile)
        modules = [MODULES[type(block)](block) for block in start.blocks]
        for module in modules:
            module.limits = limits
        return IspPipeline(modules)

    def to_profile(self, name: str, provenance: Provenance | None = None) -> IspProfile:
        """The profile of the parameters as they stand."""
        blocks = tuple(block.to_spec() for block in self.blocks)
        profile = IspProfile(name, blocks, provenance or Provenance())
        limits = next((block.limits for block in self.blocks if block.limits is not None), None)
        return profile if limits is None else limits.realised(profile)

    def forward(self, images: Images) -> Images:
        blocks = list(self.blocks)
        while blocks:
            chain = colour_chain(blocks) if images.device.type == "cpu" else 0
            images = apply_chain(blocks[:chain], images) if chain else blocks[0](images)
            blocks = blocks[chain or 1 :]
        return images

    def project_(self) -> None:
        """Move all parameters back into their feasible box; called after each optimiser step."""
        for block in self.blocks:
            block.project_()


def colour_chain(blocks: Sequence[BlockModule]) -> int:
    """How many of the first blocks have the form [degamma] CCM, gamma LUT [rounding], which runs as one; 0 if none."""
    kinds = [type(block) for block in blocks]
    start = int(kinds[0] is DegammaModule)
    if kinds[start : start + 2] != [CcmModule, GammaLutModule]:
        return 0
    return start + 2 + int(kinds[start + 2 : start + 3] == [QuantiseModule])


def apply_chain(blocks: Sequence[BlockModule], images: Images) -> Images:
    """The blocks that `colour_chain` has counted, in one pass (`campro.isp.fused_autograd`)."""
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
    return fused(images, curve, ccm.held, ccm.offsets, lut.held, lut.knots, levels)


def pipeline(profile: IspProfile | str) -> IspPipeline:
    """The differentiable pipeline of a profile, or of the profile of that name or path."""
    return IspPipeline.from_profile(profile if isinstance(profile, IspProfile) else load_profile(profile))
