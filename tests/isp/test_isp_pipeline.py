"""The differentiable pipeline: which blocks are fused, and pipelines with the limits of a camera."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from campro.core.errors import CamproError
from campro.isp import Defocus, IspPipeline, IspProfile, Jpeg, Quantise, Scaler, functional, load_profile, pipeline
from campro.isp.isp_pipeline import fusable_blocks
from campro.isp.limits import Grid, Limits

LIMITS = Limits("a test", Grid(-2, 2, 1 / 64))
PROFILE = load_profile("negative")


@pytest.mark.parametrize(("kept", "wanted"), [(slice(0, 4), 4), (slice(1, 4), 3), (slice(0, 3), 3), (slice(2, 4), 0)])
def test_a_chain_of_colour_blocks_is_fused(kept, wanted):
    blocks = list(pipeline(IspProfile("part", PROFILE.blocks[kept])).blocks)
    assert fusable_blocks(blocks) == wanted


def test_a_spatial_block_between_colour_blocks_is_applied_in_its_place():
    picture = torch.rand(1, 3, 12, 12)
    defocus = Defocus(3, 1.0)
    together = pipeline(IspProfile("all", (defocus, *PROFILE.blocks)))(picture)
    apart = pipeline(PROFILE)(pipeline(IspProfile("blur", (defocus,)))(picture))
    torch.testing.assert_close(together, apart)


def test_with_limits_the_parameters_stay_within_the_range_of_the_camera():
    pipe = IspPipeline.from_profile(PROFILE, LIMITS)
    with torch.no_grad():
        for parameter in pipe.parameters():
            if parameter.requires_grad:
                parameter.add_(7.3)
    pipe.project_()
    ccm, lut = pipe.to_profile("found").blocks[1:3]
    entries = torch.tensor(ccm.matrix)
    assert entries.abs().max() <= 2
    torch.testing.assert_close(entries * 64, (entries * 64).round())
    assert max(map(max, lut.values)) <= 1


def test_limits_need_a_profile_for_cameras():
    with pytest.raises(CamproError, match="blocks degamma"):
        IspPipeline.from_profile(IspProfile("rounding", (Quantise(8),)), LIMITS)


def test_blocks_behind_a_scaler_act_on_the_small_picture():
    """JPEG at half size, then enlarged: not the same as JPEG at full size."""
    picture = torch.rand(1, 3, 32, 48, generator=torch.Generator().manual_seed(0)).requires_grad_()
    found = IspPipeline.from_profile(IspProfile("small", (Scaler(2), Jpeg(30))))(picture)
    jpeg = partial(functional.through_jpeg, quality=30)
    by_hand = functional.enlarged(functional.coded(functional.shrunk(picture, 2), jpeg), 32, 48)
    assert torch.equal(found, by_hand)
    found.sum().backward()
    assert picture.grad.abs().sum() > 0
