"""Names in results of earlier versions map to those of the current attacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from campro.attacks.attack_table import ATTACKS
from campro.attacks.budget import FULL
from campro.attacks.legacy_names import current_name
from campro.data import FaceSet
from campro.isp import RAW, Camera, load_profile

OLD = [
    ("as it is", "as it is", "no attack", "no attack"),
    ("filters", "CLAHE", "filters", "CLAHE"),
    ("filters", "all filters", "filters", "all filters"),
    ("filters", "grey", "filters", "greyscale"),
    ("filters", "invert, grey", "filters", "invert, greyscale"),
    ("filters", "equalise", "filters", "histogram equalisation"),
    ("filters", "principal grey", "filters", "principal component"),
    ("filters", "principal grey, inverted", "filters", "principal component, inverted"),
    ("filters", "red", "filters", "red channel"),
    ("filters", "blue, inverted", "filters", "blue channel, inverted"),
    ("filters", "gamma 0.4", "filters", "gamma 0.4"),
    ("restorers", "scunet", "pretrained restoration", "scunet"),
    ("re-enrolment", "1 of each", "re-enrolment", "1 captured gallery image"),
    ("re-enrolment", "20 of each", "re-enrolment", "20 captured gallery images"),
    ("colour maps", "3D LUT, 1000 pairs", "colour maps", "3D LUT, 1000 image pairs"),
    ("colour maps", "monotone, 1 pairs", "colour maps", "monotone curves, 1 image pair"),
    ("colour maps", "polynomial, 10 pairs", "colour maps", "polynomial, 10 image pairs"),
    ("several pictures", "8 pictures", "several probe images", "8 probe images"),
    ("several pictures", "known by 2", "several probe images", "2 gallery images"),
    (
        "several pictures, colour maps",
        "4 pictures, monotone",
        "several probe images, colour maps",
        "4 probe images, monotone curves",
    ),
    (
        "several pictures, colour maps",
        "8 pictures, 3D LUT",
        "several probe images, colour maps",
        "8 probe images, 3D LUT",
    ),
    (
        "several pictures, inverse",
        "8 pictures, inverse",
        "several probe images, analytic inversion",
        "8 probe images, per-pixel inverse",
    ),
    (
        "several pictures, distillation",
        "2 pictures, behind a 3D LUT, rate 0.001",
        "several probe images, distillation",
        "2 probe images, 3D LUT, learning rate 0.001",
    ),
    (
        "several pictures, distillation",
        "4 pictures, all photographs, rate 0.001",
        "several probe images, distillation",
        "4 probe images, all photographs, learning rate 0.001",
    ),
    (
        "several pictures, restoration",
        "8 pictures, L1 and identity, rate 0.001",
        "several probe images, restoration",
        "8 probe images, L1 and identity, learning rate 0.001",
    ),
    ("video, colour maps", "4 frames, 3D LUT", "video, colour maps", "4 frames, 3D LUT"),
    ("inverse", "inverse", "analytic inversion", "per-pixel inverse"),
    ("inverse", "inverse by neighbours", "analytic inversion", "neighbourhood inverse"),
    ("adaptation", "rows", "domain adaptation", "CORAL"),
    ("adaptation", "layers", "domain adaptation", "AdaBN"),
    ("adaptation", "layers and rows", "domain adaptation", "AdaBN and CORAL"),
    ("distillation", "1600 photographs", "distillation", "1600 photographs"),
    ("distillation", "all photographs, rate 0.003", "distillation", "all photographs, learning rate 0.003"),
    (
        "colour maps, distillation",
        "behind a 3D LUT, rate 0.001",
        "colour maps, distillation",
        "3D LUT, learning rate 0.001",
    ),
    (
        "inverse, distillation",
        "inverse, rate 0.001",
        "analytic inversion, distillation",
        "per-pixel inverse, learning rate 0.001",
    ),
    ("restoration", "L1 and identity, 400 photographs", "restoration", "L1 and identity, 400 photographs"),
    ("restoration", "L1, rate 0.001, seed 1", "restoration", "L1, learning rate 0.001, seed 1"),
    ("retraining", "distilled, ArcFace, rate 0.001", "retraining", "distilled, ArcFace, learning rate 0.001"),
    ("retraining", "fine-tuned, ArcFace, 800 photographs", "retraining", "fine-tuned, ArcFace, 800 photographs"),
    ("retraining", "from scratch, softmax, rate 0.001", "retraining", "from scratch, softmax, learning rate 0.001"),
]
"""Attack and run of earlier results, then their current names."""


@pytest.fixture
def current(trainable, cache, photo):
    """All runs of all attacks of the full budget, by attack."""
    profile = load_profile("campro-default")
    many = FaceSet("many", photo.parent, {"ann": tuple(photo.parent / f"{i}.png" for i in range(5000))})
    knowledge = replace(
        trainable,
        budget=FULL,
        faces=many,
        photos=(photo,) * 1000,
        cameras=(Camera(profile),),
        profiles=(profile,),
        restorers=(RAW,),
    )
    return {name: list(attack.runs(knowledge, cache)) for name, attack in ATTACKS.items()}


@pytest.mark.parametrize(("attack", "run", "new_attack", "new_run"), OLD)
def test_old_names(attack, run, new_attack, new_run):
    assert current_name(attack, run) == (new_attack, new_run)


NEWER = {"transferred restoration"}
"""Attacks that earlier versions did not have."""


def test_old_names_lead_to_existing_runs(current):
    batch_norm = ("AdaBN", "AdaBN and CORAL")  # which the small recogniser does not have
    for attack, run, _, _ in OLD:
        name, new_run = current_name(attack, run)
        assert name in current
        assert new_run in (*current[name], *batch_norm, "scunet", "all photographs, learning rate 0.003")
    assert {current_name(attack, run)[0] for attack, run, _, _ in OLD} == set(ATTACKS) - NEWER


def test_current_names_stay(current):
    for attack, runs in current.items():
        assert [current_name(attack, run) for run in runs] == [(attack, run) for run in runs]
