"""`campro deploy` and `campro targets` as a user runs them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from campro.cameras.camera_table import CAMERAS
from campro.cli.main import main
from campro.isp import Denoise, Jpeg, Scaler, load_profile
from tests.cameras.camera_files import base_for, profile


@pytest.fixture
def mild(tmp_path):
    profile().save(tmp_path / "mild.json")
    return str(tmp_path / "mild.json")


def arguments(name, tmp_path, *more):
    words = ["deploy", "--target", name, "-o", str(tmp_path / "out"), *more]
    if base := base_for(name):
        (tmp_path / "base.txt").write_text(base)
        words += ["--base", str(tmp_path / "base.txt")]
    return words


@pytest.mark.parametrize("name", CAMERAS)
@pytest.mark.slow
def test_every_target_writes_its_files_and_a_page(name, mild, tmp_path, capsys):
    missed = name in ("rkisp1", "libcamera-simple", "jetson-isp")  # the curve of this profile is no power
    assert main(arguments(name, tmp_path, "--profile", mild, "--fit")) == missed
    assert "of 255 levels on average" in capsys.readouterr().out
    realised = load_profile(tmp_path / "out" / "realised.json")
    assert realised.name == f"mild-{name}"
    assert "## Lock-down" in (tmp_path / "out" / "README.md").read_text()
    if base := base_for(name):
        assert (tmp_path / "base.txt").read_bytes() == base.encode()


def test_a_profile_that_does_not_fit_is_refused(tmp_path, capsys):
    assert main(arguments("rpi-pisp", tmp_path, "--profile", "negative")) == 1
    error = capsys.readouterr().err
    assert "falls" in error
    assert "--fit" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("name", "more", "wanted"), [("rpi-vc4", [], "--base"), ("nikon", [], "one of")])
def test_missing_and_unknown_options_are_refused(name, more, wanted, tmp_path, capsys):
    assert main(["deploy", "--target", name, "-o", str(tmp_path / "out"), *more]) == 1
    assert wanted in capsys.readouterr().err


def test_a_base_in_the_target_folder_is_not_replaced(mild, tmp_path, capsys):
    base = tmp_path / "tuning.json"
    base.write_text(base_for("rpi-vc4"))
    words = ["deploy", "--target", "rpi-vc4", "-o", str(tmp_path), "--base", str(base), "--profile", mild, "--fit"]
    assert main(words) == 1
    assert "another folder" in capsys.readouterr().err
    assert base.read_text() == base_for("rpi-vc4")


@pytest.mark.slow
def test_a_realised_profile_that_misses_its_card_is_an_error(tmp_path, capsys):
    words = arguments("rpi-pisp", tmp_path, "--profile", "campro-default", "--fit")
    assert main(words) == 1
    output = capsys.readouterr()
    assert "NOT PROTECTED" in output.err
    assert "do not hold" in output.out
    assert (tmp_path / "out" / "realised.json").exists()


@pytest.mark.slow
def test_fitting_that_changes_nothing_needs_no_option(tmp_path, capsys):
    """The end of the curve of a Raspberry Pi 5 is flat, which no colour shows."""
    assert main(arguments("rpi-pisp", tmp_path, "--profile", "campro-strong")) == 0
    output = capsys.readouterr().out
    assert "curve fitted to the camera: up to" in output
    assert "WARNING" not in output


@pytest.mark.slow
def test_a_profile_that_disturbs_white_balance_needs_fixed_settings(tmp_path, capsys):
    words = arguments("rkisp1", tmp_path, "--profile", "campro-strong", "--fit")
    assert main(words) == 1
    assert "frozen in 100%" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "--fixed-white-balance"]) == 0
    assert "WARNING: fix white balance" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["rpi-pisp", "rockchip-isp32"])
@pytest.mark.slow
def test_the_target_is_detected_and_the_notes_are_printed(name, mild, tmp_path, capsys):
    base = tmp_path / "base.txt"
    base.write_text(base_for(name).replace('"enable": 1', '"enable": 0'))
    assert main(["deploy", "-o", str(tmp_path / "out"), "--base", str(base), "--profile", mild, "--fit"]) == 0
    output = capsys.readouterr().out
    assert CAMERAS[name].title in output
    assert "still acts on the picture: " in output
    assert ("switched on: ccm_calib_v2" in output) == (name == "rockchip-isp32")
    page = (tmp_path / "out" / "README.md").read_text()
    for text in (output, page):
        assert "night: " in text
        assert "not tested on the hardware" in text
    assert "## This deployment" in page


@pytest.mark.parametrize(
    ("text", "words", "reason"),
    [
        ("{}", [], "expected one of: a libcamera tuning file"),
        (base_for("rpi-pisp"), ["--target", "rpi-vc4"], "use --target rpi-pisp"),
        (base_for("rpi-vc4").replace("rpi.ccm", "rpi.x"), [], "monochrome camera"),
        (base_for("rpi-vc4").replace('"ct": 2800', '"ct": 9000'), [], "rising colour temperatures"),
    ],
)
def test_errors_name_the_file(text, words, reason, mild, tmp_path, capsys):
    base = tmp_path / "imx219.json"
    base.write_text(text)
    assert main(["deploy", "-o", str(tmp_path / "out"), "--base", str(base), "--profile", mild, "--fit", *words]) == 1
    error = capsys.readouterr().err
    assert f"{base}: " in error
    assert reason in error
    assert "own file" not in error


def test_without_target_and_file_there_is_nothing_to_detect(tmp_path, capsys):
    assert main(["deploy", "-o", str(tmp_path / "out")]) == 1
    assert "--target" in capsys.readouterr().err


def test_targets_are_listed(capsys):
    assert main(["targets", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(CAMERAS)
    assert main(["targets"]) == 0
    printed = capsys.readouterr().out
    assert "cannot fall" in printed
    assert "blocks that you set yourself: chroma_blur, chroma_subsampling, denoise, h264, jpeg" in printed


@pytest.mark.slow
def test_settings_of_the_encoder_are_named_and_kept_in_the_realised_profile(tmp_path, capsys):
    colour = load_profile("campro-strong")
    wanted = replace(colour, name="small", blocks=(Scaler(2), *colour.blocks, Jpeg(20)))
    wanted.save(tmp_path / "small.json")
    main(arguments("rpi-vc4", tmp_path, "--profile", str(tmp_path / "small.json")))
    printed, page = capsys.readouterr().out, (tmp_path / "out" / "README.md").read_text()
    for text in (printed, page):
        assert "not in the files; set it yourself" in text
        assert "JPEG quality 20" in text
    realised = load_profile(tmp_path / "out" / "realised.json")
    assert realised.blocks[0] == Scaler(2)
    assert realised.blocks[-1] == Jpeg(20)


def test_a_block_that_a_camera_cannot_be_set_to_is_refused(tmp_path, capsys):
    colour = load_profile("campro-strong")
    replace(colour, blocks=(*colour.blocks, Denoise(0.1, 0.1))).save(tmp_path / "smooth.json")
    words = ["--profile", str(tmp_path / "smooth.json")]
    assert main(arguments("rpi-vc4", tmp_path, *words)) == 1
    assert "spatial noise reduction, luma 26" in capsys.readouterr().err
    assert main(arguments("rockchip-rkaiq", tmp_path, *words)) == 0
