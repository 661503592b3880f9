"""Proposals, frontier and goals of a range search, with figures made up instead of measured."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from campro.core.images import read_image
from campro.core.run_folder import RunFolder
from campro.isp import H264, Camera, load_profile
from campro.metrics.rates import Rate, Ratio
from campro.report import frontier_plot
from campro.search.range_objective import FULL_SIZE, AttackRate, PeopleKept
from campro.search.range_search import (
    TriedSetting,
    frontier,
    goal,
    proposal,
    search_range,
    summary,
    table,
    write_result,
)
from campro.search.range_settings import OFF, REFERENCES, SPACE, RangeSetting, drawn, neighbour, space_of


def tried(setting=None, kept=0.9, rates=(0.05, 0.5)):
    setting = setting or RangeSetting()
    people = PeopleKept(0.3 * kept, Ratio(kept, kept, kept), Rate.of_counts(80, 100), 1.0)
    worst = tuple(
        AttackRate(density, Rate(rate, rate, rate, 100), "no attack", "full size")
        for density, rate in zip((125.0, FULL_SIZE), rates)
    )
    return TriedSetting(setting, setting.profile("x").digest, people, worst)


class MadeUp:
    """An objective in closed form: more of anything protects more and costs AP."""

    def __init__(self):
        self.calls = 0

    def strength(self, profile):
        return sum(
            {"scaler": 0.1, "denoise": 0.1, "jpeg": 0.1, "h264": 0.1}.get(block.block, 0) for block in profile.blocks
        )

    def people_kept(self, profile):
        self.calls += 1
        return tried(kept=1 - self.strength(profile)).people

    def worst_attacks(self, profile):
        return tried(rates=(0.4 - self.strength(profile), 0.9)).worst


def test_the_profile_of_a_setting():
    assert RangeSetting(clip=1).profile("x").blocks == load_profile("campro-strong").blocks
    names = [block.block for block in RangeSetting(1.5, 0.5, 0.04, 20).profile("x").blocks]
    assert names == ["scaler", "degamma", "ccm", "gamma_lut", "quantise", "denoise", "jpeg"]
    assert RangeSetting(quantiser=36).profile("x").blocks[-1] == H264(36)
    matrix = np.array(RangeSetting(clip=0.5).profile("x").blocks[1].matrix)
    np.testing.assert_allclose(matrix[0], [0.9, -0.9, 0.0])


def test_a_darker_exposure_halves_linear_light_for_each_stop():
    grey = np.full((2, 2, 3), 200, np.uint8)
    darker = Camera(RangeSetting(exposure=-1).profile("x"))(grey)
    assert darker.ravel() / 255 == pytest.approx(np.full(12, (200 / 255) * 0.5 ** (1 / 2.2)), abs=0.01)


def test_a_camera_without_noise_reduction_leaves_it_out_of_the_space():
    space = space_of({"scaler", "jpeg"})
    assert space["denoise"] == (0,)
    assert space["quality"] == SPACE["quality"]
    assert space_of(None) == SPACE


@pytest.mark.parametrize("seed", range(5))
def test_a_neighbour_changes_one_or_two_parameters_by_one_step(seed):
    start = RangeSetting(1.5, 0.5, 0.04, 20)
    found = neighbour(start, dict(SPACE), np.random.default_rng(seed))
    steps = [abs(SPACE[n].index(getattr(found, n)) - SPACE[n].index(getattr(start, n))) for n in SPACE]
    assert set(steps) <= {0, 1}
    assert 1 <= sum(steps) <= 2


@pytest.mark.parametrize("seed", range(5))
def test_a_setting_has_one_encoder(seed):
    rng = np.random.default_rng(seed)
    for found in (drawn(dict(SPACE), rng), neighbour(RangeSetting(quality=20), dict(SPACE), rng)):
        assert OFF in (found.quality, found.quantiser)


def test_both_encoders_are_drawn_as_often():
    """Of 2000 settings 11/36 x 11/36 have none and each encoder half of the others: 0.453 within five deviations."""
    drawings = [drawn(dict(SPACE), np.random.default_rng(seed)) for seed in range(2000)]
    for name in ("quality", "quantiser"):
        share = np.mean([getattr(one, name) != OFF for one in drawings])
        assert share == pytest.approx((1 - (11 / 36) ** 2) / 2, abs=5 * np.sqrt(0.25 / 2000))


def test_the_goal_lies_between_its_points():
    assert goal(125.0) == 0.10
    assert goal(31.25) == 0.02
    assert goal(FULL_SIZE) == 0.33
    rates = [goal(density) for density in (62.5, 80, 125, 250, 500, 683)]
    assert all(a < b for a, b in pairwise(rates))


def test_the_frontier_by_hand():
    good, better, worse, cheap = (
        tried(RangeSetting(quality=q), *figures)
        for q, figures in zip(
            (60, 40, 30, 20), ((0.9, (0.1, 0.5)), (0.85, (0.05, 0.4)), (0.85, (0.1, 0.5)), (0.6, (0.01, 0.1)))
        )
    )
    assert frontier([good, better, worse, cheap]) == [better, good, cheap]
    assert tried(rates=()).excess == np.inf


def test_without_small_people_the_ap_alone_counts():
    none = replace(tried(kept=0.8), people=replace(tried(kept=0.8).people, kept_detected=None))
    assert none.missing == pytest.approx(0.02)
    assert "not measurable" in summary(none)
    assert table([none]).splitlines()[2].split(" | ")[6] == "–"


def test_neighbours_are_those_of_promising_settings():
    """Little AP missing and much protection is worth a neighbour; a setting that was not attacked never is."""
    plain, coded = tried(rates=(0.9, 0.9)), tried(RangeSetting(quality=20), 0.8, (0.1, 0.3))
    lost = tried(RangeSetting(quality=15), 0.5, ())
    assert sorted([lost, plain, coded], key=lambda one: one.promise) == [coded, plain, lost]
    assert sorted([lost, plain, coded], key=lambda one: one.order) == [plain, coded, lost]


def test_a_search_is_resumed_without_repeating_cells(tmp_path):
    objective = MadeUp()
    run = RunFolder.open(tmp_path / "run", {})
    first = search_range(run, objective, dict(SPACE), 8, 0)
    assert objective.calls == 8
    again = search_range(run, objective, dict(SPACE), 12, 0)
    assert objective.calls == 12
    assert len({one.setting for one in again}) == 12
    assert [one.setting for one in again[: len(REFERENCES)]] == list(REFERENCES)
    assert [one.setting for one in first[:5]] == [one.setting for one in again[:5]]
    path = write_result(run, again, "mine", 0)
    best = frontier(again)[0]
    assert load_profile(path).digest == best.digest
    document = json.loads((tmp_path / "run" / "frontier.json").read_text())
    assert len(document["tried"]) == 12
    rows = (tmp_path / "run" / "frontier.md").read_text().splitlines()
    assert len(rows) == 14
    assert rows[0].startswith(
        "| scaler | clip | EV | denoise | encoder | AP kept | people kept | rank-1, 125 px/m | full size"
    )
    assert rows[2].startswith(f"| {best.setting.scaler:g} | {best.setting.clip:g} |")
    assert best.people.kept_ap.mean >= 0.82


def test_a_small_space_is_exhausted():
    space = {name: values[:1] for name, values in SPACE.items()} | {"clip": (0.0, 1.0)}
    both = [tried(RangeSetting()), tried(RangeSetting(clip=1))]
    assert proposal(both, space, 0) is None


def test_the_plot_is_drawn(tmp_path):
    one, other = tried(), tried(RangeSetting(quality=20), 0.8, (0.01, 0.2))
    skipped = tried(RangeSetting(quality=15), 0.5, ())
    picture = frontier_plot.draw([one, other, skipped], one.digest, tmp_path / "frontier.png")
    assert read_image(picture).shape[1] > 600  # a panel per density
