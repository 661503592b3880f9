"""Start profiles and further ISP parameters."""

from __future__ import annotations

import pytest
import torch

from campro.core.errors import CamproError
from campro.design.design_config import PLAIN
from campro.design.start import start_profile
from campro.isp import IspPipeline, IspProfile, load_profile


def _trainable(profile):
    return sum(weight.numel() for weight in IspPipeline.from_profile(profile).parameters() if weight.requires_grad)


def _kinds(profile):
    return [block.block for block in profile.blocks]


def test_plain_is_close_to_the_identity():
    ramp = IspPipeline.from_profile(start_profile(PLAIN, 64, ()))
    x = torch.linspace(0, 1, 256).expand(1, 3, 1, 256)
    torch.testing.assert_close(ramp(x), x, atol=0.06, rtol=0)  # a table of 64 knots is coarse near black


@pytest.mark.parametrize(
    ("extra", "more"),
    [
        ("curve-per-channel", 2 * 32),
        ("offsets", 3),
        ("bits=4", 0),
        ("defocus", 0),
        ("chroma-blur", 0),
        ("scaler", 0),
        ("denoise", 0),
        ("jpeg", 0),
    ],
)
def test_extras_add_trainable_values(extra, more):
    plain, richer = (start_profile(PLAIN, 32, extras) for extras in ((), (extra,)))
    assert _trainable(richer) == _trainable(plain) + more
    assert IspProfile.from_json(richer.to_json()) == richer


@pytest.mark.parametrize(
    ("extra", "kinds"),
    [
        ("bits=3", ["degamma", "ccm", "gamma_lut", "quantise"]),
        ("defocus=2", ["defocus", "degamma", "ccm", "gamma_lut", "quantise"]),
        ("low-resolution=8", ["low_resolution", "degamma", "ccm", "gamma_lut", "quantise"]),
        ("scaler=1.5", ["scaler", "degamma", "ccm", "gamma_lut", "quantise"]),
        ("denoise=0.1", ["degamma", "ccm", "gamma_lut", "quantise", "denoise"]),
        ("chroma-subsampling=4", ["degamma", "ccm", "gamma_lut", "quantise", "chroma_subsampling"]),
        ("chroma-blur=3", ["degamma", "ccm", "gamma_lut", "chroma_blur", "quantise"]),
    ],
)
def test_blocks_are_in_the_order_of_a_camera(extra, kinds):
    """Optics and sensor before the colours, denoising after them, levels last and once."""
    assert _kinds(start_profile(PLAIN, 32, (extra,))) == kinds


def test_values_are_set():
    blocks = start_profile(PLAIN, 32, ("bits=3", "defocus=1.5", "low-resolution=8")).blocks
    assert (blocks[0].factor, blocks[1].sigma, blocks[1].kernel, blocks[-1].bits) == (8, 1.5, 9, 3)
    assert blocks[0] != start_profile(PLAIN, 32, ("low-resolution",)).blocks[0]


def test_the_encoder_is_last():
    extras = ("jpeg=20", "denoise", "chroma-subsampling", "bits=6", "chroma-blur", "jpeg=30")
    profile = start_profile(PLAIN, 32, extras)
    middle = ["denoise", "chroma_subsampling", "chroma_blur", "quantise"]
    assert _kinds(profile) == ["degamma", "ccm", "gamma_lut", *middle, "jpeg"]
    assert profile.blocks[-1].quality == 30


def test_trainable_blocks_stay():
    profile = start_profile("campro-default", 32, ("curve-per-channel", "offsets"))
    assert start_profile(PLAIN, 32, ()).blocks != profile.blocks
    assert len(profile.blocks) == len(load_profile("campro-default").blocks)


@pytest.mark.parametrize("extra", ["sharpen", "bits=many", "bits=99", "defocus=-1", ""])
def test_invalid_extras_are_refused(extra):
    with pytest.raises(CamproError):
        start_profile(PLAIN, 32, (extra,))
