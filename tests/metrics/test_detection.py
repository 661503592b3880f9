"""Detection scores against pycocotools and by hand."""

from __future__ import annotations

import contextlib
import io
import math

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from support.random_scenes import found_at, random_scenes, scene_of

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.metrics.detection import (
    average_precision,
    coco_results,
    coco_truth,
    kept_precision,
    precision_recall_f1,
    score_detections,
)


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_equals_that_of_pycocotools(seed):
    scenes, found = random_scenes(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = coco_truth(scenes)
        truth.createIndex()
        reference = COCOeval(truth, truth.loadRes(coco_results(found)), "bbox")
        reference.evaluate()
        reference.accumulate()
        reference.summarize()
    assert average_precision(scenes, found) == pytest.approx(tuple(reference.stats[:3]), abs=1e-6)


def test_scores_equal_those_computed_by_hand():
    scene = scene_of([[0, 0, 40, 40], [100, 100, 140, 140]])
    found = found_at([[0, 0, 40, 40], [60, 60, 80, 80], [100, 100, 140, 140]], [0.9, 0.8, 0.1])
    # At 0.25 one of two detections is correct, and one of two persons is detected.
    assert precision_recall_f1([scene], [found]) == (0.5, 0.5, 0.5)
    # Precision 1 up to recall 1/2 (51 of 101 recall levels), 2/3 beyond it: COCO's 101-point average.
    assert average_precision([scene], [found])[1] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_a_person_matches_one_detection_and_crowd_regions_do_not_count():
    scene = scene_of([[0, 0, 40, 40], [100, 0, 200, 200]], [False, True])
    found = found_at([[0, 0, 40, 40], [1, 1, 41, 41], [110, 10, 150, 60]], [0.9, 0.8, 0.7])
    assert precision_recall_f1([scene], [found]) == (0.5, 1.0, pytest.approx(2 / 3))


def test_no_detections_give_zero_and_no_persons_give_nan():
    nothing = found_at([], [])
    assert average_precision([scene_of([[0, 0, 40, 40]])], [nothing]) == (0.0, 0.0, 0.0)
    assert all(math.isnan(v) for v in average_precision([scene_of([])], [nothing]))


def test_the_interval_contains_the_estimate_and_is_reproducible():
    scenes, found = random_scenes(7, 30)
    first, second = (score_detections(scenes, found, resamples=40) for _ in range(2))
    assert first == second
    assert first.ap_low < first.ap < first.ap_high


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(CamproError, match="finite"):
        average_precision([scene_of([[0, 0, 4, 4]])], [found_at([[0, 0, 4, 4]], [math.nan])])


def test_one_entry_per_scene_is_required():
    with pytest.raises(CamproError, match="detections of 1 images"):
        average_precision([scene_of([[0, 0, 4, 4]])], [])


def test_without_resamples_the_interval_is_the_estimate():
    scores = score_detections([scene_of([[0, 0, 40, 40]])], [found_at([[0, 0, 40, 40]], [0.9])], resamples=0)
    assert scores.ap == scores.ap_low == scores.ap_high == pytest.approx(1)


def test_the_ratio_to_equal_detections_is_one_without_spread():
    """Paired: both sides are resampled together, so equal detections never differ."""
    scenes, detections = random_scenes(0)
    kept = kept_precision(scenes, detections, detections, resamples=10)
    assert (kept.mean, kept.low, kept.high) == (1, 1, 1)


def test_the_ratio_is_that_of_both_precisions():
    scenes, detections = random_scenes(0)
    fewer = [Detections(d.boxes[:1], d.scores[:1], d.crowd[:1]) for d in detections]
    kept = kept_precision(scenes, fewer, detections, resamples=20)
    assert kept.mean == pytest.approx(average_precision(scenes, fewer)[0] / average_precision(scenes, detections)[0])
    assert kept.low <= kept.mean <= kept.high
    nothing = [Detections.truth([]) for _ in scenes]
    with pytest.raises(CamproError, match="a reference that detects people"):
        kept_precision(scenes, detections, nothing)
