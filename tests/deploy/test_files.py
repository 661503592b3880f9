"""The files of each target: read back they are the realised profile, and nothing else in them has changed."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import av
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.cameras.camera_table import TARGETS
from campro.cameras.deploy_target import difference
from campro.cameras.libcamera import AT_SATURATION_1, PISP, VC4
from campro.cameras.rkaiq import RkAiq
from campro.cameras.rkaiq_json import ISP21, ISP30
from campro.cameras.software import LARGEST_ERROR, Software, smallest_table, table_error
from campro.core.errors import CamproError
from campro.isp import Camera, Ccm, Degamma, GammaLut, IspProfile, Quantise, load_profile
from campro.isp.limits import parts
from campro.isp.lookup import colour_table

from .conftest import MATRICES, base_for, profile

STEP = {"rpi-vc4": 6, "rpi-pisp": 4, "rkisp1": 12, "rockchip-rkaiq": 12, "rockchip-isp21": 12, "rockchip-isp30": 12}
"""Levels by which rounding the product with a camera's own matrix may show; others hold the profile's own numbers."""


def fitted_files(name, start):
    """A profile that the camera holds, and its files."""
    target = TARGETS[name]
    held = target.limits.realised(target.limits.fitted(start))
    return target, held, target.write(held, base_for(name))


@pytest.mark.parametrize("name", TARGETS)
def test_reading_back_gives_the_realised_profile(name):
    target, held, files = fitted_files(name, profile())
    back = target.read(files, base_for(name))
    apart = difference(held, back)
    assert apart.largest <= STEP.get(name, 1)
    assert apart.mean < 0.5


FALLS = [name for name in TARGETS if TARGETS[name].limits.curve.rise is None and name != "rkisp1"]


@pytest.mark.parametrize("name", FALLS)
def test_a_falling_curve_survives_where_the_camera_takes_it(name):
    target, held, files = fitted_files(name, load_profile("negative"))
    apart = difference(held, target.read(files, base_for(name)))
    assert apart.largest <= 2 * STEP.get(name, 1)  # steep in the dark, where a step of the matrix shows most
    assert apart.mean < 0.5


NEW_VC4 = fitted_files("rpi-vc4", profile())[2][VC4.FILE]


# libcamera ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [VC4, PISP])
def test_the_product_is_the_one_for_columns(target):
    """A colour through the camera's matrix, then through the profile's, as the hardware gets it from the new file."""
    document = json.loads(fitted_files(target.name, profile())[2][target.FILE])
    settings_of = {name: value for entry in document["algorithms"] for name, value in entry.items()}
    colour = np.array([0.2, 0.5, 0.3])
    for entry, own in zip(settings_of["rpi.ccm"]["ccms"], MATRICES.values()):
        in_hardware = AT_SATURATION_1 @ np.reshape(entry["ccm"], (3, 3)) @ colour
        wanted = np.array(profile().blocks[1].matrix) @ (np.reshape(own, (3, 3)) @ colour)
        np.testing.assert_allclose(in_hardware, wanted, atol=2e-3)


@pytest.mark.parametrize("target", [VC4, PISP])
def test_only_what_must_change_changes(target):
    old, new = json.loads(base_for(target.name)), json.loads(fitted_files(target.name, profile())[2][target.FILE])
    before, after = ({k: v for entry in d["algorithms"] for k, v in entry.items()} for d in (old, new))
    assert after["rpi.contrast"]["ce_enable"] == 0
    assert after["rpi.contrast"]["lo_max"] == 1000
    assert "saturation" not in after["rpi.ccm"]
    assert [m["ct"] for m in after["rpi.ccm"]["ccms"]] == list(MATRICES)
    for name in ("rpi.black_level", "rpi.sharpen"):
        assert before[name] == after[name]


@given(light=st.floats(2000, 9000))
@settings(max_examples=50, deadline=None)
def test_the_profile_is_the_same_at_every_colour_temperature(light):
    """libcamera's interpolation between matrices by hand: it commutes with the product (paper, appendix B)."""
    document = json.loads(NEW_VC4)
    entries = next(e["rpi.ccm"]["ccms"] for e in document["algorithms"] if "rpi.ccm" in e)
    (cold, warm), share = MATRICES.values(), np.clip((light - 2800) / (6500 - 2800), 0, 1)
    own = (1 - share) * np.reshape(cold, (3, 3)) + share * np.reshape(warm, (3, 3))
    new = sum(weight * np.reshape(e["ccm"], (3, 3)) for weight, e in zip((1 - share, share), entries))
    np.testing.assert_allclose(AT_SATURATION_1 @ new, np.array(profile().blocks[1].matrix) @ own, atol=2e-3)


def loads_as_libcamera_does(text: str, processor: str) -> None:
    """A strict re-statement of libcamera's own checks (ipa/rpi: controller.cpp, ccm.cpp, contrast.cpp; pwl.cpp)."""
    document = yaml.load(text, Loader=yaml.CSafeLoader)  # libyaml, which libcamera reads by
    assert document["version"] == 2.0
    assert document["target"] == processor
    names = {name: value for entry in document["algorithms"] for name, value in entry.items()}
    lights = [entry["ct"] for entry in names["rpi.ccm"]["ccms"]]
    assert lights == sorted(set(lights))
    assert all(len(entry["ccm"]) == 9 for entry in names["rpi.ccm"]["ccms"])
    points = names["rpi.contrast"]["gamma_curve"]
    assert len(points) % 2 == 0
    assert len(points) >= 4
    assert (np.diff(points[::2]) > 0).all()


@pytest.mark.parametrize("target", [VC4, PISP])
def test_libcameras_checks_pass(target):
    loads_as_libcamera_does(fitted_files(target.name, profile())[2][target.FILE], target.processor)


def test_the_pisp_table_is_what_generatelut_makes():
    """libcamera's loop by hand: values at 64 places, slopes that fit into 14 bit and never fall."""
    files = fitted_files("rpi-pisp", profile())[2]
    names = {k: v for entry in json.loads(files[PISP.FILE])["algorithms"] for k, v in entry.items()}
    x, y = names["rpi.contrast"]["gamma_curve"][::2], names["rpi.contrast"]["gamma_curve"][1::2]
    places = [i * 512 if i < 32 else (i - 32) * 1024 + 16384 if i < 48 else (i - 48) * 2048 + 32768 for i in range(64)]
    stored = np.interp(places, x, y).astype(int)
    assert (np.diff(stored) >= 0).all()
    assert (np.diff(stored) < 1 << 14).all()
    back = PISP.read(files, base_for("rpi-pisp"))
    np.testing.assert_array_equal(np.round(np.array(back.blocks[2].values[0][:64]) * 65535), stored)


@pytest.mark.shared
@pytest.mark.parametrize("target", [VC4, PISP])
def test_real_tuning_files(target, deploy_files):
    for path in sorted((deploy_files / "libcamera" / target.name.removeprefix("rpi-")).glob("*.json")):
        base = target.read_base(path)
        held = target.limits.realised(target.limits.fitted(profile()))
        files = target.write(held, base)
        loads_as_libcamera_does(files[target.FILE], target.processor)
        assert difference(held, target.read(files, base)).largest <= STEP[target.name]
        old, new = (set(text.splitlines()) for text in (base, files[target.FILE]))
        assert len(old - new) < 120  # matrices and curve: of files of up to 2,000 lines


# rkaiq -------------------------------------------------------------------------------------------------------


def test_an_iq_file_is_changed_in_its_numbers_alone():
    target, _, files = fitted_files("rockchip-rkaiq", profile())
    numbers = re.compile(r"-?[0-9.]+")
    assert numbers.sub("#", files[target.FILE]) == numbers.sub("#", base_for(target.name))
    assert "<Enable>[1]</Enable>" in files[target.FILE]
    assert "<y_alpha_curve>[" + " ".join(["1024"] * 17) + "]" in files[target.FILE]


@pytest.mark.shared
def test_the_real_iq_file(deploy_files):
    target = RkAiq()
    base = target.read_base(next((deploy_files / "rockchip").glob("*.xml")))
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    assert difference(held, target.read(files, base)).largest <= STEP[target.name]
    old, new = base.split("\r"), files[target.FILE].split("\r")
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new)) < 100


@pytest.mark.parametrize("target", [ISP21, ISP30])
def test_every_scene_of_an_iq_file_in_json_gets_the_profile(target):
    _, held, files = fitted_files(target.name, profile())
    document, before = json.loads(files[target.FILE]), json.loads(base_for(target.name))
    for new, old in zip(document["main_scene"][0]["sub_scene"], before["main_scene"][0]["sub_scene"]):
        ccm = new["scene"]["ccm_calib"]
        cells = [*ccm["TuningPara"]["matrixAll"], *([ccm["manualPara"]] if "manualPara" in ccm else [])]
        for cell, own in zip(cells, [*MATRICES.values(), MATRICES[2800]]):
            wanted = np.array(held.blocks[1].matrix) @ np.reshape(own, (3, 3))
            np.testing.assert_allclose(np.reshape(cell["ccMatrix"], (3, 3)), wanted, atol=1e-6)
        assert set(ccm["lumaCCM"]["y_alpha_curve"]) == {1024}
        assert set(ccm["lumaCCM"]["gain_alphaScale_curve"]["scale"]) == {1}
        curve = new["scene"][target.gamma]["GammaTuningPara"]
        assert (curve["Gamma_en"], curve["Gamma_out_offset"]) == (1, 0)
        assert new["scene"]["sharp_calib"] == old["scene"]["sharp_calib"]


def test_the_49_knots_are_those_of_the_kernel():
    """rkisp2-config.h: segments 1 x8, 2 x4, 4 x4, ... 256 x4, then 256 x8."""
    segments = [1] * 8 + [2**power for power in range(1, 9) for _ in range(4)] + [256] * 8
    places = np.cumsum([0, *segments])
    assert places[-1] == 4096
    knots = np.array(ISP30.limits.curve.knots) * 4095
    np.testing.assert_allclose(knots[:-1], places[:-1])


# RkISP1 by libcamera ------------------------------------------------------------------------------------------

KNOTS = TARGETS["rkisp1"].limits.curve.knots
CURVE = GammaLut((tuple(knot**0.4 for knot in KNOTS),), KNOTS)
POWER = IspProfile("power", (Degamma(), profile().blocks[1], CURVE, Quantise(8)))


def rkisp1_settings(text: str) -> dict:
    """As libcamera reads them: libyaml, a list of algorithms by name, version 1."""
    document = yaml.load(text, Loader=yaml.CSafeLoader)
    assert document["version"] == 1
    return {name: value for entry in document["algorithms"] for name, value in entry.items()}


def test_the_exponent_and_the_offsets_of_an_rkisp1_file():
    target, held, files = fitted_files("rkisp1", POWER)
    found = rkisp1_settings(files[target.FILE])
    assert found["GammaOutCorrection"]["gamma"] == pytest.approx(2.5, abs=0.01)
    matrix = np.array(held.blocks[1].matrix)
    first, second = found["Ccm"]["ccms"]
    np.testing.assert_array_equal(first["offsets"], np.floor(matrix @ [4, -8, 0] + 0.5))
    assert second["offsets"] == [0, 0, 0]
    np.testing.assert_allclose(
        np.reshape(second["ccm"], (3, 3)), matrix @ np.reshape(MATRICES[6500], (3, 3)), atol=1e-6
    )
    assert list(found) == ["Agc", "Ccm", "Awb", "GammaOutCorrection"]
    assert files[target.FILE].startswith("# a comment that stays")


def test_libcamera_draws_the_curve_that_we_realise():
    """Its loop by hand (goc.cpp): trunc(1023 x (x / 4096) ^ (1 / gamma)) at its segments."""
    target, _, files = fitted_files("rkisp1", POWER)
    gamma = rkisp1_settings(files[target.FILE])["GammaOutCorrection"]["gamma"]
    places = np.cumsum([0, 64, 64, 64, 64, 128, 128, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512])
    back = parts(target.read(files, base_for("rkisp1")))[1]
    np.testing.assert_array_equal(
        np.round(np.array(back.values[0]) * 1023), np.trunc((places / 4096) ** (1 / gamma) * 1023)
    )


def test_an_uncalibrated_rkisp1_file_gets_the_profiles_matrix():
    base = "version: 1\nalgorithms:\n  - Agc:\n  - GammaOutCorrection:\n  - Awb:"
    target = TARGETS["rkisp1"]
    held = target.limits.realised(target.limits.fitted(POWER))
    files = target.write(held, base)
    found = rkisp1_settings(files[target.FILE])
    np.testing.assert_allclose(np.reshape(found["Ccm"]["ccms"][0]["ccm"], (3, 3)), parts(held)[0].matrix, atol=1e-5)
    assert found["GammaOutCorrection"]["gamma"] == pytest.approx(2.5, abs=0.01)
    assert difference(held, target.read(files, base)).largest <= 1


def test_a_curve_that_is_no_power_is_refused():
    with pytest.raises(CamproError, match="power of its input"):
        TARGETS["rkisp1"].limits.realised(load_profile("campro-default"))


@pytest.mark.shared
def test_real_rkisp1_files(deploy_files):
    target = TARGETS["rkisp1"]
    held = target.limits.realised(target.limits.fitted(POWER))
    for path in sorted((deploy_files / "libcamera" / "rkisp1").glob("*.yaml")):
        base = target.read_base(path)
        files = target.write(held, base)
        rkisp1_settings(files[target.FILE])
        assert difference(held, target.read(files, base)).largest <= STEP["rkisp1"]
        kept = set(base.splitlines()) - set(files[target.FILE].splitlines())
        assert all("ccm" in line or "[" in line for line in kept), kept


# Bad bases ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rpi-vc4", "rpi-pisp", "rkisp1", "rockchip-rkaiq", "rockchip-isp21"])
@settings(max_examples=250, deadline=None)
@given(st.data())
def test_a_mutated_base_gives_a_valid_result_or_a_clear_error(name, data):
    target = TARGETS[name]
    text = base_for(name)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 40)))
        new = data.draw(st.text(st.sampled_from('{}[]<>/",:.-0123456789eE\n\r &abc'), max_size=4))
        text = text[:start] + new + text[end:]
    held = target.limits.realised(target.limits.fitted(profile()))
    try:
        files = target.write(held, text)
        back = target.read(files, text)
    except CamproError as error:
        assert "\n" not in str(error)
    else:
        (own, _), (found, _) = parts(held), parts(back)
        np.testing.assert_allclose(found.matrix, own.matrix, atol=0.1)


def test_the_wrong_processor():
    with pytest.raises(CamproError, match="pisp"):
        PISP.write(profile(), base_for("rpi-vc4"))


def test_a_document_type_is_refused():
    with pytest.raises(CamproError, match="document type"):
        RkAiq().write(
            profile(), '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + base_for("rockchip-rkaiq")[21:]
        )


# Software ----------------------------------------------------------------------------------------------------


def ffmpeg(chain: str, rgb: np.ndarray, folder) -> np.ndarray:
    """The real filters of FFmpeg, through PyAV."""
    graph = av.filter.Graph()
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    links = [graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=1)]
    for part in chain.split(","):
        kind, _, arguments = part.partition("=")
        links.append(graph.add(kind, arguments.replace("file=", f"file={folder}/")))
    links.append(graph.add("buffersink"))
    for one, other in pairwise(links):
        one.link_to(other)
    graph.configure()
    graph.push(frame)
    return graph.pull().to_ndarray(format="rgb24")


def written_to(folder, files):
    for name, text in files.items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("start", ["campro-default", "negative"])
def test_ffmpeg_makes_the_same_picture(start, tmp_path):
    wanted = load_profile(start)
    files = Software().write(wanted, "")
    written_to(tmp_path, files)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = ffmpeg(files["ffmpeg.txt"].splitlines()[0], rgb, tmp_path)
    apart = np.abs(found.astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert apart.mean() < 0.1


def test_the_numpy_module_makes_the_same_picture():
    wanted = load_profile("campro-default")
    module: dict = {}
    exec(Software().write(wanted, "")["profile.py"], module)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    apart = np.abs(module["protect"](rgb).astype(int) - Camera(wanted)(rgb))
    assert apart.max() <= 1
    assert (apart == 0).mean() > 0.999


def test_a_table_is_shipped_only_where_it_is_good_enough(tmp_path):
    even = np.linspace(0, 1, 32)
    blocks = (Degamma(), Ccm(((0.9, 0.1, 0), (0, 1, 0), (0, 0.1, 0.9))), GammaLut((tuple(even),), tuple(even**2.2)))
    gentle = IspProfile("gentle", (*blocks, Quantise(8)))
    files = Software().write(gentle, "")
    written_to(tmp_path, files)
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    found = ffmpeg("format=gbrp," + files["ffmpeg.txt"].splitlines()[1], rgb, tmp_path)
    assert np.abs(found.astype(int) - Camera(gentle)(rgb)).max() <= LARGEST_ERROR + 1  # FFmpeg cuts, we round
    exact = colour_table(gentle.blocks)
    size = smallest_table(gentle)
    assert table_error(exact, size) <= LARGEST_ERROR
    assert "profile.cube" not in Software().write(load_profile("campro-default"), "")
