"""The profiles that Algorithm 1 made."""

from __future__ import annotations

import pytest

from campro.isp import load_profile
from campro.paper.recipe_profiles import OMEGA, PROTECTOR_ONLY, SHIPPED, profile_file


@pytest.mark.parametrize("name", [*OMEGA, PROTECTOR_ONLY])
def test_the_package_has_each_profile(name, tmp_path):
    profile = load_profile(str(profile_file(tmp_path, name)))
    assert profile.name == name
    assert profile.provenance.models == {"recogniser": "mobilefacenet", "detector": "yolox-nano"}


def test_all_have_the_same_data_seed_and_rounds():
    found = [load_profile(str(file)).provenance for file in SHIPPED.glob("*.json")]
    assert len(found) == len(OMEGA) + 1
    assert len({(one.data["faces"], one.data["scenes"], one.seed, one.note) for one in found}) == 1
