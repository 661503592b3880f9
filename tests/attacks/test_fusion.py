"""Fusion attacks have the runs of the attack they build on, with several probe images."""

from __future__ import annotations

from dataclasses import replace

from campro.attacks.attack_base import Adversary, AttackerKnowledge
from campro.attacks.attack_table import find_attack
from campro.attacks.fusion import fusion_runs, with_several_probes
from campro.isp import load_profile


def test_the_same_adversaries_with_several_probe_images():
    runs = with_several_probes({"one": lambda: Adversary(gallery="captured")})
    assert {run: make() for run, make in runs.items()} == {
        f"{count} probe images, one": Adversary(gallery="captured", probe_images=count) for count in (2, 4, 8)
    }


def test_probe_images_or_gallery_images(trainable, cache):
    made = {run: make() for run, make in fusion_runs(trainable, cache).items()}
    assert made["8 probe images"] == Adversary(probe_images=8)
    assert made["2 gallery images"] == Adversary(gallery_images=2)
    assert len(made) == 6


def test_inversion_and_fusion(tiny_embedder, cache):
    knowledge = AttackerKnowledge(tiny_embedder(), 0, profiles=(load_profile("campro-default"),))
    attack = find_attack("several probe images, analytic inversion")
    kinds = ("per-pixel inverse", "neighbourhood inverse")
    names = [f"{count} probe images, {kind}" for kind in kinds for count in (2, 4, 8)]
    assert list(attack.runs(knowledge, cache)) == names
    assert not attack.runs(replace(knowledge, profiles=(load_profile("defocus-9-3"),)), cache)
