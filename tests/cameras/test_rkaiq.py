"""IQ files in XML: only numbers change, and unsafe XML is refused."""

from __future__ import annotations

import re

import pytest

from campro.cameras.rkaiq import RkAiq
from campro.core.errors import CamproError
from campro.deploy.profile_difference import difference
from campro.isp import load_profile

from .camera_files import ROUNDING_LEVELS, base_for, fitted_files, iq_file, profile
from .iq_xml_rules import RuleError, check_iq_xml


def test_an_iq_file_is_changed_in_its_numbers_alone():
    target, _, files = fitted_files("rockchip-rkaiq", profile())
    numbers = re.compile(r"-?[0-9.]+")
    assert numbers.sub("#", files[target.FILE]) == numbers.sub("#", base_for(target.name))
    attributes = re.compile('size="[^"]*"')
    assert attributes.findall(files[target.FILE]) == attributes.findall(base_for(target.name))
    assert f"[{' '.join(['1024'] * 17)}]" in files[target.FILE]


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


def test_matrices_in_two_modes():
    target, base = RkAiq(), iq_file(modes=True)
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    assert difference(held, target.read(files, base)).largest <= ROUNDING_LEVELS[target.name]
    numbers = re.compile(r"-?[0-9.]+")
    assert numbers.sub("#", files[target.FILE]) == numbers.sub("#", base)
    first, second = re.findall("<matrixAll .*?</matrixAll>", files[target.FILE], re.S)
    assert first == second
    assert first not in base


@pytest.mark.parametrize("modes", [False, True])
@pytest.mark.parametrize("start", ["mild", "campro-default", "campro-strong"])
def test_rkaiqs_rules_hold(modes, start):
    """A strict re-statement of its parser; see `iq_xml_rules`."""
    target, base = RkAiq(), iq_file(modes)
    held = target.limits.realised(target.limits.fitted(profile() if start == "mild" else load_profile(start)))
    assert check_iq_xml(target.write(held, base)[target.FILE].encode()) == (4 if modes else 2)


@pytest.mark.shared
@pytest.mark.parametrize("start", ["campro-default", "campro-strong"])
def test_rkaiqs_rules_hold_for_a_real_file(start, deploy_files):
    target = RkAiq()
    base = target.read_base(next((deploy_files / "rockchip").glob("*.xml")))
    held = target.limits.realised(target.limits.fitted(load_profile(start)))
    assert check_iq_xml(target.write(held, base)[target.FILE].encode()) > 4


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("[0 0 0]", "[0 0]", "ccOffsets: 2 numbers, declared 3"),
        ('size="[3 3]"', "", "ccMatrix: type double, size None"),
        ('type="double"', "", "type None"),
        ("[0 0 0]", "[0 0\n0]", "ccOffsets: 2 numbers"),
        ("[0 0 0]", "0 0 0", "no brackets"),
        ("[0 0 0]", "[0 x 0]", "is no number"),
        ("\r [1.", "\r [11.", "registers"),
        (">\rnormal", ">\r[0]", "Mode: name"),
        ("\t4095]", "\t5000]", "curve_normal: 410 to 5000"),
    ],
)
def test_the_rules_refuse_faulty_files(old, new, reason):
    """The control: each rule is checked. A number at the start of a line is lost, as in rkaiq's scanner."""
    target, base = RkAiq(), iq_file(modes=True)
    held = target.limits.realised(target.limits.fitted(profile()))
    text = target.write(held, base)[target.FILE]
    assert old in text
    with pytest.raises(RuleError, match=re.escape(reason)):
        check_iq_xml(text.replace(old, new, 1).encode())


@pytest.mark.parametrize("name", ["CCM/enable", "GAMMA/gamma_en", "GAMMA/Gamma_en"])
def test_a_block_that_is_switched_off_is_switched_on_and_reported(name):
    switch = name.split("/")[1]
    target, base = RkAiq(), base_for("rockchip-rkaiq")
    base = re.sub(rf"(<{switch.lower()} [^>]*>\s*)\[1\](\s*</){switch.lower()}", rf"\1[0]\2{switch.lower()}", base)
    base = base.replace(f"<{switch.lower()} ", f"<{switch} ").replace(f"</{switch.lower()}>", f"</{switch}>")
    held = target.limits.realised(target.limits.fitted(profile()))
    files = target.write(held, base)
    assert re.search(rf"\[1\]\s*</{switch}>", files[target.FILE])
    assert [one.lower() for one in target.notes(base).switched_on] == [f"{name.lower()} (the file had 0)"]
    with pytest.raises(CamproError, match="skips this block"):
        target.read({target.FILE: files[target.FILE].replace("[1]\r</" + switch, "[0]\r</" + switch)}, base)


def test_what_still_acts_is_listed_with_its_state():
    base = base_for("rockchip-rkaiq")
    base = base.replace(
        "<SHARP ", "<LUT3D><enable>[0]</enable></LUT3D><CPSL><force_gray>[1]</force_gray></CPSL><SHARP "
    )
    notes = RkAiq().notes(base)
    assert notes.still_acts == ("3D LUT: off", "sharpening: on")
    assert "CPSL" in notes.warnings[0]
