"""Colour maps find what they can represent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.attacks.attack_base import AttackerKnowledge
from campro.attacks.budget import QUICK, STANDARD
from campro.attacks.colour_maps import MAPS, fitted_lut, fitted_map, map_adversary, map_runs
from campro.core.errors import CamproError
from campro.core.images import to_tensor
from campro.isp import Camera


def test_a_polynomial_inverts_a_matrix(rgb):
    mix = np.array([[0.6, 0.3, 0.0], [0.1, 0.7, 0.1], [0.0, 0.2, 0.7]])
    raw = to_tensor(rgb)
    captured = torch.einsum("oc,bchw->bohw", torch.from_numpy(mix).float(), raw)
    restored = MAPS["polynomial"]([(captured, raw)])(captured).detach()
    assert float((restored - raw).abs().mean()) < 0.02


def test_monotone_curves_invert_a_negative(rgb):
    raw = to_tensor(rgb)
    restored = MAPS["monotone curves"]([(1 - raw**2, raw)])(1 - raw**2).detach()
    assert float((restored - raw).abs().mean()) < 0.02


def test_a_map_is_fitted_once_for_all_runs(tiny_embedder, photo, cache):
    knowledge = AttackerKnowledge(tiny_embedder(), 0, photos=(photo,), cameras=(Camera("invert"),))
    first, again = map_adversary(knowledge, cache, "3D LUT"), map_adversary(knowledge, cache, "3D LUT", 1, frames=4)
    assert first.transforms == again.transforms == (fitted_lut(knowledge, cache),)
    assert (first.learned_from, first.frames, again.frames) == (1, 1, 4)


def test_scaling_curves_are_part_of_the_budget(tiny_embedder, photo, cache):
    knowledge = AttackerKnowledge(tiny_embedder(), 0, photos=(photo,) * 10, budget=STANDARD)
    names = [f"{kind}, {count}" for count in ("1 image pair", "10 image pairs") for kind in MAPS]
    assert list(map_runs(knowledge, cache)) == names
    assert list(map_runs(replace(knowledge, budget=QUICK), cache)) == names[3:]


def test_no_photographs_no_map(tiny_embedder, cache):
    with pytest.raises(CamproError, match="--photos"):
        fitted_map(AttackerKnowledge(tiny_embedder(), 0), cache, "3D LUT", 1)
