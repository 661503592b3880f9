"""Blocks that users set at the camera, beside its files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campro.core.errors import CamproError
from campro.isp import ChromaSubsampling, Denoise, IspProfile, Jpeg, Scaler, SensorNoise, load_profile
from campro.isp.camera_settings import colour_part, description, settings_of, with_colour_part
from campro.isp.pointwise import pointwise_part

STRONG = load_profile("campro-strong")
NOISE = SensorNoise(0.01, 0.001)
FULL = replace(STRONG, name="full", blocks=(Scaler(2), NOISE, *STRONG.blocks, Denoise(0.1, 0.2), Jpeg(20)))


def test_settings_and_colour_part_are_the_profile():
    assert settings_of(FULL) == (Scaler(2), Denoise(0.1, 0.2), Jpeg(20))
    assert colour_part(FULL).blocks == (NOISE, *STRONG.blocks)
    assert with_colour_part(FULL, STRONG).blocks == (Scaler(2), *STRONG.blocks, Denoise(0.1, 0.2), Jpeg(20))
    assert settings_of(STRONG) == ()


def test_a_profile_without_a_matrix_has_no_colour_part():
    with pytest.raises(CamproError, match="degamma"):
        colour_part(IspProfile("jpeg", (Jpeg(20),)))


def test_descriptions_name_the_strength():
    assert "1/2 " in description(Scaler(2))
    assert "luma 26 and chroma 51" in description(Denoise(0.1, 0.2))
    assert "4:2:2" in description(ChromaSubsampling("4:2:2"))


def test_the_pointwise_part_is_what_inversion_undoes():
    assert pointwise_part(replace(FULL, blocks=FULL.blocks[2:])).blocks == STRONG.blocks
    assert pointwise_part(STRONG) is STRONG
    assert pointwise_part(load_profile("defocus-9-3")) is None
