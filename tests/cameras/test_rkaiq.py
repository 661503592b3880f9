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
