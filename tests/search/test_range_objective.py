"""The objective of a range search, on small pictures with a recogniser and a detector in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from campro.core.images import write_image
from campro.core.types import Detections, Scene
from campro.data.faces import read_faces
from campro.evaluation import EvaluationSet
from campro.evaluation.pixel_density import at_density
from campro.metrics.rates import Rate
from campro.models.faces import Landmarks
from campro.search import range_objective
from campro.search.range_objective import FULL_SIZE, RangeObjective, as_original
from campro.search.range_settings import RangeSetting
from tests.support.fake_audit import MeanColour

FIVE = np.array([[20.0, 30], [52, 30], [36, 40], [25, 55], [47, 55]])
"""Pupils 32 pixels apart: 508 px/m."""


class Colours(MeanColour):
    """The mean colour; black has a direction, too."""

    def features(self, prepared):
        return prepared.mean((2, 3)) + 0.1


class BrightBoxes:
    """Detects the bright rectangle of a picture; a darkened one is lost."""

    def detect(self, images):
        bright = images[0].mean(0) > 0.6
        if not bright.any():
            return [Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.bool))]
        rows, columns = torch.nonzero(bright.any(1))[:, 0], torch.nonzero(bright.any(0))[:, 0]
        box = torch.tensor([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]]).float()
        return [Detections(box, torch.ones(1), torch.zeros(1, dtype=torch.bool))]


@pytest.fixture
def objective(tmp_path, monkeypatch):
    """Four people of different colours, two photographs each; a scene with a grey-white person of 60 pixels."""
    monkeypatch.setattr(range_objective, "TRIED_ATTACKS", range_objective.TRIED_ATTACKS[:2])
    found = {}
    for person, colour in enumerate([(200, 60, 60), (60, 200, 60), (60, 60, 200), (180, 180, 60)]):
        for number in range(2):
            rgb = np.full((80, 72, 3), colour, np.uint8) + np.uint8(5 * number)
            write_image(path := tmp_path / "faces" / f"p{person}" / f"{number}.png", rgb)
            found[path] = FIVE
    evaluation = EvaluationSet.of(read_faces(tmp_path / "faces"), Landmarks("five", "test", found), 1, 0)
    sides = {FULL_SIZE: as_original(evaluation), 125.0: at_density(evaluation, 125.0, tmp_path / "cache")}
    rgb = np.full((120, 100, 3), 30, np.uint8)
    rgb[30:90, 40:60] = 240
    write_image(tmp_path / "scene.png", rgb)
    scene = Scene(tmp_path / "scene.png", 100, 120, Detections.truth([[40.0, 30, 60, 90]]), (1200.0,))
    return RangeObjective(sides, [scene], Colours().eval(), BrightBoxes(), 0)


def test_the_camera_without_profile_protects_nobody_and_keeps_everybody(objective):
    profile = RangeSetting().profile("x")
    people = objective.people_kept(profile)
    assert (people.kept_ap.mean, people.kept_detected, people.detected.mean) == (1.0, 1.0, 1.0)
    worst = objective.worst_attacks(profile)
    assert [one.density for one in worst] == [125.0, FULL_SIZE]
    assert [one.rank1.mean for one in worst] == [1.0, 1.0]


def test_people_are_counted_in_pictures_of_both_sizes(objective):
    class Short(BrightBoxes):
        """Loses everybody in a picture of less than 80 rows."""

        def detect(self, images):
            return super().detect(images if images.shape[2] >= 80 else torch.zeros_like(images))

    objective.heights, profile = (20.0, 120.0), RangeSetting().profile("x")  # 60 pixels, and 30 in half the picture
    assert objective.people_kept(profile).detected == Rate.of_counts(2, 2)
    fresh = RangeObjective(objective.sides, objective.scenes, objective.embedder, Short(), 0, objective.heights)
    people = fresh.people_kept(profile)
    assert (people.detected, people.kept_detected, people.kept_ap.mean) == (Rate.of_counts(1, 2), 1.0, 1.0)


def test_a_constant_picture_protects_everybody_but_for_ties_and_loses_everybody(objective):
    dark = RangeSetting().profile("x")
    lut = next(block for block in dark.blocks if block.block == "gamma_lut")
    black = replace(lut, values=((0.2,) * len(lut.values[0]),))
    dark = replace(dark, blocks=tuple(black if block is lut else block for block in dark.blocks))
    assert objective.people_kept(dark).kept_ap.mean == 0.0
    worst = objective.worst_attacks(dark)[-1]
    assert worst.gallery == "through the camera"  # all embeddings are equal there: ties go to the attacker
    assert worst.attack == "no attack"


@pytest.mark.slow  # a table of all colours
def test_maps_and_inversion_are_among_the_attacks(objective, monkeypatch):
    monkeypatch.undo()
    profile = RangeSetting(clip=1, quality=60).profile("x")
    names = set(objective.adversaries(profile))
    assert {"no attack", "green channel", "3D LUT, 1 image pair", "per-pixel inverse"} < names
    assert len(names) == 6


def test_output_settings_are_imitated_in_the_gallery(objective, monkeypatch):
    seen = []
    own = RangeObjective._through
    monkeypatch.setattr(RangeObjective, "_through", lambda self, side, view: seen.append(view) or own(self, side, view))
    objective.worst_attacks(RangeSetting(quality=30).profile("x"))
    names = [[block.block for block in view.profile.blocks] for view in seen]
    assert ["jpeg"] in names
    assert ["degamma", "ccm", "gamma_lut", "quantise", "jpeg"] in names
