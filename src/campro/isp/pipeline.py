"""The virtual imaging pipeline as one differentiable module (CamPro, NDSS 2024, V-B)."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from campro.core.types import Images
from campro.isp.blocks import MODULES, BlockModule
from campro.isp.profile import IspProfile, Provenance, load_profile


class IspPipeline(nn.Module):
    """(B, 3, H, W) in [0, 1] -> the same; the twin in training of the fast 8-bit path."""

    def __init__(self, blocks: list[BlockModule]) -> None:
        super().__init__()
        self.blocks: Iterable[BlockModule] = nn.ModuleList(blocks)  # type: ignore[assignment]

    @staticmethod
    def from_profile(profile: IspProfile) -> IspPipeline:
        """The pipeline that does what the profile says; `to_profile` is the exact inverse."""
        return IspPipeline([MODULES[type(block)](block) for block in profile.blocks])

    def to_profile(self, name: str, provenance: Provenance | None = None) -> IspProfile:
        """The profile of the parameters as they stand."""
        blocks = tuple(block.to_spec() for block in self.blocks)
        return IspProfile(name, blocks, provenance or Provenance())

    def forward(self, images: Images) -> Images:
        for block in self.blocks:
            images = block(images)
        return images

    def project_(self) -> None:
        """Move all parameters back into their feasible box; called after each optimiser step."""
        for block in self.blocks:
            block.project_()


def pipeline(profile: IspProfile | str) -> IspPipeline:
    """The differentiable pipeline of a profile, or of the profile of that name or path."""
    return IspPipeline.from_profile(profile if isinstance(profile, IspProfile) else load_profile(profile))
