"""Recipes and the options of `campro design`."""

from __future__ import annotations

import pytest

from campro.core.errors import CamproError
from campro.design.design_config import PRESETS, DesignConfig, Recipe


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"rounds": 0}, "--rounds of at least 1"),
        ({"reset_every": 0}, "--reset-every of at least 1"),
        ({"omega": -1.0}, "finite --omega"),
        ({"omega": float("nan")}, "finite --omega"),
        ({"attackers": ()}, "at least one of --attackers"),
        ({"faces": "x"}, "--faces and --scenes together"),
        ({"scenes": ("x",)}, "--faces and --scenes together"),
    ],
)
def test_invalid_options_are_refused(options, reason):
    with pytest.raises(CamproError, match=f"design: expected .*{reason}"):
        DesignConfig(**options)


def test_rounds_of_a_recipe_by_hand():
    recipe = Recipe(3, None, pipeline_lr=1, recogniser_lr=1, detector_lr=1, face_batch=8, scene_batch=1)
    assert recipe.rounds(80) == 30
    assert recipe.rounds(81) == 31
    assert recipe.rounds(1) == 1
    assert PRESETS["quick"].rounds(10**6) == 60
