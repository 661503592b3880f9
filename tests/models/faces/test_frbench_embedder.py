"""The adapter of the optional package frbench."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from campro.core.errors import CamproError
from campro.models.faces import load_embedder
from campro.models.faces.frbench_embedder import _three


def test_unknown_backbones_and_a_missing_package_are_refused():
    message = "BACKBONE_LOSS_DATASET" if find_spec("frbench") else "pip install"
    with pytest.raises(CamproError, match=message):
        load_embedder("frbench/nothing", weights=None)


def test_one_value_stands_for_three_channels():
    assert _three(0.5) == (0.5, 0.5, 0.5)
    assert _three([1, 2, 3]) == (1.0, 2.0, 3.0)
