"""Attackers have no more knowledge than their threat model includes, and its digest covers all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from campro.attacks.attack_base import Adversary, AttackerKnowledge, restrict
from campro.attacks.budget import QUICK
from campro.core.errors import CamproError
from campro.data import FaceSet
from campro.isp import RAW, Camera, load_profile
from campro.models.faces.landmarks import Landmarks


@pytest.fixture
def everything(tiny_embedder, one_person, photo):
    landmarks = Landmarks("five", "detector", {photo: np.zeros((5, 2))})
    profile = load_profile("invert")
    return AttackerKnowledge(
        tiny_embedder(), 0, (photo,), one_person, landmarks, (Camera("invert"),), (profile,), (RAW,)
    )  # fmt: skip


@pytest.mark.parametrize("threat_model", ["none", "black-box", "gray-box", "white-box"])
def test_knowledge_is_restricted_to_the_threat_model(threat_model, everything):
    knowledge = restrict(threat_model, everything)
    owns_camera = threat_model in ("gray-box", "white-box")
    assert knowledge.embedder is everything.embedder
    assert knowledge.restorers == everything.restorers
    assert bool(knowledge.photos) == bool(knowledge.cameras) == owns_camera
    assert (knowledge.faces is not None) == (knowledge.landmarks is not None) == owns_camera
    assert bool(knowledge.profiles) == (threat_model == "white-box")


def test_missing_knowledge_is_an_error(tiny_embedder):
    with pytest.raises(CamproError, match="camera"):
        _ = AttackerKnowledge(tiny_embedder(), 0).camera
    with pytest.raises(CamproError, match="profile"):
        _ = AttackerKnowledge(tiny_embedder(), 0).profile


def test_the_digest_covers_every_field_but_other_recognisers(everything, tiny_embedder, tmp_path):
    other = FaceSet("two", tmp_path, {"bob": (everything.photos[0],)})
    changes = {
        "embedder": tiny_embedder(),
        "seed": 1,
        "photos": (),
        "faces": other,
        "landmarks": Landmarks("five", "detector", {everything.photos[0]: np.ones((5, 2))}),
        "cameras": (RAW,),
        "profiles": (load_profile("campro-default"),),
        "restorers": (),
        "budget": QUICK,
        "densities": (40.0,),
    }
    assert {*changes, "others"} == set(everything.__dataclass_fields__)
    digests = {replace(everything, **{name: value}).digest for name, value in changes.items()}
    assert len(digests | {everything.digest}) == len(changes) + 1
    assert replace(everything).digest == everything.digest
    assert replace(everything, others=(tiny_embedder(),)).digest == everything.digest  # runs name the one they use


def test_probe_and_gallery_images_are_not_fused_at_once():
    with pytest.raises(CamproError, match="overlap"):
        Adversary(probe_images=2, gallery_images=2)
