"""Raspberry Pi tuning files: the matrices, the curve, and libcamera's own checks."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from campro.cameras.libcamera import AT_SATURATION_1, PISP, VC4
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference

from .camera_files import MATRICES, ROUNDING_LEVELS, base_for, fitted_files, profile

NEW_VC4 = fitted_files("rpi-vc4", profile())[2][VC4.FILE]


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


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.parametrize("target", [VC4, PISP])
def test_real_tuning_files(target, deploy_files):
    held = target.limits.realised(target.limits.fitted(profile()))
    for path in sorted((deploy_files / "libcamera" / target.name.removeprefix("rpi-")).glob("*.json")):
        base = target.read_base(path)
        files = target.write(held, base)
        loads_as_libcamera_does(files[target.FILE], target.processor)
        assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS[target.name]
        old, new = (set(text.splitlines()) for text in (base, files[target.FILE]))
        assert len(old - new) < 120  # matrices and curve: of files of up to 2,000 lines


def test_the_wrong_processor():
    with pytest.raises(CamproError, match="pisp"):
        PISP.write(profile(), base_for("rpi-vc4"))


@pytest.mark.parametrize("name", ["rpi.ccm", "rpi.contrast"])
def test_a_disabled_algorithm_is_enabled_and_reported(name):
    """libcamera skips an algorithm with "enabled": false (controller.cpp, createAlgorithm)."""
    base = base_for("rpi-vc4").replace(f'"{name}": {{', f'"{name}": {{ "enabled": false,')
    assert '"enabled": false' in base
    files = VC4.write(VC4.limits.realised(VC4.limits.fitted(profile())), base)
    assert '"enabled": true' in files[VC4.FILE]
    assert VC4.notes(base).switched_on == (f"{name} (the file had enabled: false)",)
    assert difference(profile(), VC4.read(files, base)).largest <= ROUNDING_LEVELS["rpi-vc4"]
    with pytest.raises(CamproError, match="enabled"):
        VC4.read({VC4.FILE: files[VC4.FILE].replace("true", "false")}, base)


def test_what_is_switched_off_and_what_still_acts():
    notes = VC4.notes(base_for("rpi-vc4"))
    assert [one.split(" (")[0] for one in notes.switched_off] == ["adaptive contrast", "saturation by lux"]
    assert notes.still_acts == ("sharpening (rpi.sharpen): in the file",)


def test_a_monochrome_camera_is_refused_by_name():
    base = base_for("rpi-vc4").replace('"rpi.ccm"', '"rpi.other"')
    with pytest.raises(CamproError, match="monochrome camera"):
        VC4.write(profile(), base)
