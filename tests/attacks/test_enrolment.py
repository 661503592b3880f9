from __future__ import annotations

from campro.attacks.attack_base import Adversary
from campro.attacks.enrolment import enrolment_runs


def test_the_gallery_is_captured(trainable, cache):
    made = {run: make() for run, make in enrolment_runs(trainable, cache).items()}
    assert made["1 captured gallery image"] == Adversary(gallery="captured")
    assert made["20 captured gallery images"] == Adversary(gallery="captured", gallery_images=20)
    assert len(made) == 4
