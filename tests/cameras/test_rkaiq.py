"""IQ files in XML: only numbers change, and unsafe XML is refused."""

from __future__ import annotations

import re

import pytest

from campro.cameras.rkaiq import RkAiq
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference

from .camera_files import ROUNDING_LEVELS, base_for, fitted_files, profile


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
    assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS[target.name]
    old, new = base.split("\r"), files[target.FILE].split("\r")
    assert len(old) == len(new)
    assert sum(a != b for a, b in zip(old, new)) < 100


def test_a_document_type_is_refused():
    with pytest.raises(CamproError, match="document type"):
        RkAiq().write(
            profile(), '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + base_for("rockchip-rkaiq")[21:]
        )


def with_modes() -> str:
    """The small file with its matrices in two modes, as most files of these cameras have them."""
    text = base_for("rockchip-rkaiq")
    inside = text[text.index("<CCM>") + 5 : text.index("</CCM>")]
    modes = "".join(f"<cell><name>[{index}]</name>{inside}</cell>" for index in range(2))
    return text.replace(inside, f"<enable>[1]</enable><Mode>{modes}</Mode>")


def test_matrices_in_two_modes():
    target, base = RkAiq(), with_modes()
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS[target.name]
    numbers = re.compile(r"-?[0-9.]+")
    assert numbers.sub("#", files[target.FILE]) == numbers.sub("#", base)
    first, second = re.findall("<matrixAll>.*?</matrixAll>", files[target.FILE], re.S)
    assert first == second
    assert first not in base


@pytest.mark.parametrize("name", ["CCM/enable", "GAMMA/gamma_en", "GAMMA/Gamma_en"])
def test_a_block_that_is_switched_off_is_switched_on_and_reported(name):
    section, switch = name.split("/")
    target, base = RkAiq(), base_for("rockchip-rkaiq")
    base = base.replace(f"<{section}>", f"<{section}><{switch}>[0]</{switch}>")
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    assert f"<{switch}>[1]</{switch}>" in files[target.FILE]
    assert [one.lower() for one in target.notes(base).switched_on] == [f"{name.lower()} (the file had 0)"]
    with pytest.raises(CamproError, match="skips this block"):
        target.read({target.FILE: files[target.FILE].replace("[1]</" + switch, "[0]</" + switch)}, base)


def test_what_still_acts_is_listed_with_its_state():
    base = base_for("rockchip-rkaiq")
    base = base.replace(
        "<SHARP>", "<LUT3D><enable>[0]</enable></LUT3D><CPSL><force_gray>[1]</force_gray></CPSL><SHARP>"
    )
    notes = RkAiq().notes(base)
    assert notes.still_acts == ("3D LUT: off", "sharpening: on")
    assert "CPSL" in notes.warnings[0]
