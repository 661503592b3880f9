"""The profile document: exact round trips, and clear refusals of everything else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from campro.core.errors import CamproError
from campro.isp import (
    BUILTIN_PROFILES,
    Camera,
    Ccm,
    ChromaBlur,
    Degamma,
    GammaLut,
    IspPipeline,
    IspProfile,
    Quantise,
    load_profile,
)
from campro.isp.lookup import is_pointwise

share = st.floats(0, 1, allow_nan=False)
entry = st.floats(-5, 5, allow_nan=False)


@st.composite
def profiles(draw):
    points = draw(st.integers(2, 40))
    values = tuple(
        tuple(draw(st.lists(share, min_size=points, max_size=points))) for _ in range(draw(st.sampled_from([1, 3])))
    )
    matrix = tuple(tuple(draw(st.lists(entry, min_size=3, max_size=3))) for _ in range(3))
    offsets = tuple(draw(st.lists(st.floats(-1, 1), min_size=3, max_size=3)))
    curve = draw(st.sampled_from(["power-2.2", "srgb"]))
    return IspProfile(
        draw(st.text(min_size=1, max_size=9)),
        (Degamma(curve), Ccm(matrix, offsets), GammaLut(values), ChromaBlur(5, 1.5), Quantise()),
    )


@given(profiles())
def test_text_round_trip_is_exact(profile):
    again = IspProfile.from_json(profile.to_json())
    assert again == profile
    assert again.digest == profile.digest


@given(profiles())
def test_pipeline_round_trip_is_exact(profile):
    assert IspPipeline.from_profile(profile).to_profile(profile.name).blocks == profile.blocks


@pytest.mark.parametrize("name", BUILTIN_PROFILES)
def test_built_in_profiles_load_save_and_agree(name, tmp_path):
    profile = load_profile(name)
    profile.save(tmp_path / "p.json")
    again = load_profile(tmp_path / "p.json")
    assert (again, again.digest, profile.name) == (profile, profile.digest, name)


def test_skin_null_clips_skin_in_green_and_blue_and_keeps_grey():
    """Skin from light to dark, by eye; of dark reddish skin some red is left, and a grey photograph passes whole."""
    skin = np.array([[[255, 219, 172], [241, 194, 125], [224, 172, 138], [198, 134, 66], [141, 85, 36]]], np.uint8)
    grey = np.repeat(np.arange(0, 256, 51, dtype=np.uint8)[None, :, None], 3, 2)
    camera = Camera("skin-null")
    assert not camera(skin)[..., 1:].any()
    assert not camera(skin)[0, :3].any()
    np.testing.assert_allclose(camera(grey)[..., 1:], grey[..., 1:], atol=3)  # 33 knots are coarse near black


def test_campro_strong_clips_redder_skin_in_all_channels_and_lets_the_lightest_through():
    """Borders by hand, in linear light: green from 0.9 / 1.9 of red on, blue from 0.55 / 1.55, red up to 1.8 / 0.8."""
    linear = lambda red, green, blue: np.rint(255 * (np.array([[[red, green, blue]]]) ** (1 / 2.2))).astype(np.uint8)  # noqa: E731
    camera = Camera("campro-strong")
    assert not camera(linear(0.5, 0.46 * 0.5, 0.34 * 0.5)).any()
    assert (camera(linear(0.5, 0.60 * 0.5, 0.50 * 0.5))[0, 0] > 0).tolist() == [False, True, True]
    assert (camera(linear(0.5, 0.40 * 0.5, 0.30 * 0.5))[0, 0] > 0).tolist() == [True, False, False]


def test_the_digest_is_of_what_the_camera_does():
    one = load_profile("invert")
    assert IspProfile("another name", one.blocks).digest == one.digest
    assert load_profile("identity").digest != one.digest


def _document():
    return json.loads(load_profile("invert").to_json())


def _break(change):
    document = _document()
    change(document)
    return json.dumps(document)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (_break(lambda d: d.update(schema=99)), "99"),
        (_break(lambda d: d["blocks"].append({"block": "magic"})), "magic"),
        (_break(lambda d: d.pop("blocks")), "blocks"),
        (_break(lambda d: d["blocks"].insert(0, {"block": "defocus", "kernel": 4, "sigma": 1.0})), "kernel"),
        (_break(lambda d: d["blocks"].insert(0, {"block": "ccm", "matrix": [[1, 0, 0], [0, 1, 0]]})), "3"),
        (_break(lambda d: d["blocks"].insert(0, {"block": "gamma-lut", "values": [[0.0, 1.5]]})), "1.5"),
        (json.dumps(_document()).replace("0.0", "NaN", 1), "NaN"),
        ("{not json", "JSON"),
        ("[]", "object"),
    ],
)
def test_bad_documents_are_refused_in_one_line(text, says):
    with pytest.raises(CamproError, match=says) as caught:
        IspProfile.from_json(text)
    assert "\n" not in str(caught.value)


def test_numbers_keep_every_bit(tmp_path):
    values = tuple(np.random.default_rng(0).uniform(0, 1, 32).tolist())
    profile = IspProfile("bits", (GammaLut((values,)),))
    profile.save(tmp_path / "bits.json")
    assert load_profile(tmp_path / "bits.json").blocks[0].values[0] == values


def test_a_blur_of_chroma_leaves_luma_and_grey_alone():
    """Grey stays as it is; of a coloured edge the luma stays, and far from it nothing changes."""
    blur = IspPipeline.from_profile(IspProfile("blur", (ChromaBlur(9, 1.5),)))
    grey = torch.rand(1, 1, 20, 20).expand(1, 3, 20, 20)
    torch.testing.assert_close(blur(grey), grey, atol=1e-6, rtol=0)
    edge = torch.full((1, 3, 20, 40), 0.5)
    edge[:, 0, :, 20:], edge[:, 2, :, :20] = 0.6, 0.6
    luma = torch.tensor([0.299, 0.587, 0.114])
    seen = blur(edge)
    torch.testing.assert_close(
        torch.einsum("c,bchw->bhw", luma, seen), torch.einsum("c,bchw->bhw", luma, edge), atol=1e-6, rtol=0
    )
    torch.testing.assert_close(seen[..., :10], edge[..., :10], atol=1e-6, rtol=0)
    assert 0.51 < float(seen[0, 0, 10, 20]) < 0.59


def test_a_blur_of_chroma_is_not_pointwise():
    assert not is_pointwise(IspProfile("blur", (Degamma(), ChromaBlur(9, 1.5))).blocks)
