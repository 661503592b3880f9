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
from campro.isp.pointwise import is_pointwise

DIGESTS = {
    "black": "ac2c3ba78ee9a08d3bfcddf2f3fd54e779ea6f1b8ead249c864d84ed73f1d5d4",
    "campro-default": "4da4a05f9366b7a33b7972c73e8a7692c397892cd371784cd230572ee2f6b5d0",
    "campro-distance": "578991f1cd95f7abf2479046fd633f10d575a8ce33bd2da56ab28d5fd5f33fbb",
    "campro-range": "abe3addda3b049be5be749e7d7e70c180d75247dfa59788c6f7243fc984d5917",
    "campro-strong": "b626adbaac19fbc83fe5aea2c2e6c2b123a1913e55616918a13ebe0fa80deab4",
    "defocus-13-5": "ba777f9afa05c8811c1eb4be6a2019a189e1f5ecad331d681b338b52eb0190cc",
    "defocus-15-7": "4ee872996f5fdc9de4743a21dcd32e18131b64a9a530451be275b70e9293b7eb",
    "defocus-25-7": "fbca698c14504d3f5e6dc11f95718fc223c031fae85f9b165e69df8d118f9091",
    "defocus-9-3": "06378758172c5379bca5de123c760a57972d4184decb73171612f4ae84f209dc",
    "identity": "35d7f534fc07759135dd2c272114e27f781cc470434e39c37163e060b071db5f",
    "invert": "730aa5fbbdb63cb9bf0a6d323fa21c9dafa757fa1f9925f6b17ad179b2ccd91b",
    "low-resolution-16": "2ad041813b61edf0e21506a6027625fe34c05c277b16e15cec6d88bcab689eff",
    "low-resolution-4": "1d078ddbebb6d74940bb8a03b1dde5dbeb73622be0fb2f0c1cbcbd043bd9b919",
    "low-resolution-8": "3dabb43bddc116c4389e54c4e2436d5fd40df814f19764103e27094d57609535",
    "negative": "c68fbf8332cc775dd2a1e576f9d46cd7350f2b37b853228039b62eb2f40bb964",
    "skin-null": "569687b147f99480a90385d1a014f88b120c2aa7039fcfcd60bee3408b8224ee",
}
"""Digests that caches and published results contain."""

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
def test_a_profile_survives_the_round_trip_through_text(profile):
    again = IspProfile.from_json(profile.to_json())
    assert again == profile
    assert again.digest == profile.digest


@given(profiles())
def test_a_profile_survives_the_round_trip_through_the_pipeline(profile):
    assert IspPipeline.from_profile(profile).to_profile(profile.name).blocks == profile.blocks


def test_digests_of_built_in_profiles_do_not_change():
    assert {name: load_profile(name).digest for name in BUILTIN_PROFILES} == DIGESTS


@pytest.mark.parametrize("name", BUILTIN_PROFILES)
def test_built_in_profiles_can_be_loaded_and_saved(name, tmp_path):
    profile = load_profile(name)
    profile.save(tmp_path / "p.json")
    again = load_profile(tmp_path / "p.json")
    assert (again, again.digest, profile.name) == (profile, profile.digest, name)


def test_skin_null_clips_skin_in_green_and_blue_and_keeps_grey():
    """Typical skin colours from light to dark; dark reddish skin keeps some red, grey keeps green and blue."""
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


def test_the_digest_depends_on_the_blocks_alone():
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


def test_saved_numbers_keep_every_bit(tmp_path):
    values = tuple(np.random.default_rng(0).uniform(0, 1, 32).tolist())
    profile = IspProfile("bits", (GammaLut((values,)),))
    profile.save(tmp_path / "bits.json")
    assert load_profile(tmp_path / "bits.json").blocks[0].values[0] == values


def test_chroma_blur_changes_neither_luma_nor_grey():
    """At an edge between two colours luma stays the same, and far from it nothing changes."""
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


def test_chroma_blur_is_not_pointwise():
    assert not is_pointwise(IspProfile("blur", (Degamma(), ChromaBlur(9, 1.5))).blocks)


def test_an_unreadable_file_is_refused(tmp_path):
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    for name in ("binary.json", "absent.json"):
        with pytest.raises(CamproError, match=name):
            IspProfile.load(tmp_path / name)


def test_a_bad_file_is_refused_with_its_name(tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(CamproError, match=r"bad\.json"):
        load_profile(tmp_path / "bad.json")


def test_a_profile_without_a_name_is_refused():
    with pytest.raises(CamproError, match="a name"):
        IspProfile("", ())


ODD = [None, [], {}, "x", -1, True, 10**400, -(10**400), 1e308, [[]], {"a": []}, 0.5, [1, 2, 3]]
"""Values that no place of a profile has."""


def places(value, place=()):
    """Keys and positions that lead to each part of a JSON tree."""
    yield place
    items = value.items() if isinstance(value, dict) else enumerate(value[:4]) if isinstance(value, list) else ()
    for name, item in items:
        yield from places(item, (*place, name))


def changed(value, place, new):
    """The JSON tree with the part at `place` replaced."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(copy[place[0]], place[1:], new)
    return copy


def test_a_profile_with_any_value_anywhere_is_read_or_refused_in_one_line():
    document = json.loads(load_profile("campro-default").to_json())
    for place in places(document):
        for odd in ODD:
            try:
                IspProfile.from_json(json.dumps(changed(document, place, odd)))
            except CamproError as error:
                assert "\n" not in str(error)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 5000, '{"name": ' + "1" * 5000 + "}", ""])
def test_deep_nesting_and_long_numbers_are_refused(text):
    with pytest.raises(CamproError, match="profile"):
        IspProfile.from_json(text)
