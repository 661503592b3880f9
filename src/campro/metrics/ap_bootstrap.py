"""Average precision of resampled images: detections are matched once, and each resample only sums up the matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from campro.core.types import Detections, Scene

IOUS = np.linspace(0.5, 0.95, 10)
"""Thresholds of intersection over union, over which COCO averages."""
RECALLS = np.linspace(0, 1, 101)
"""Levels of recall at which COCO reads the precision."""
LARGEST_NUMBER = 100
"""Detections of an image that count, by falling score."""


@dataclass(frozen=True)
class MatchedDetections:
    """Detections of some images, matched to people at each of IOUS as COCO does.

    Detections of all images are in one array; those of image i are at starts[i] to starts[i + 1].
    """

    scores: Float[np.ndarray, "D"]
    correct: Bool[np.ndarray, "10 D"]
    """Matched to a person."""
    false: Bool[np.ndarray, "10 D"]
    """Matched to nothing; a detection in a crowd region is neither correct nor false."""
    starts: Int[np.ndarray, "N+1"]
    people: Int[np.ndarray, "N"]
    """People of each image, without crowd regions."""

    @classmethod
    def of(cls, scenes: Sequence[Scene], detections: Sequence[Detections]) -> MatchedDetections:
        """Match the detections of each scene to its people."""
        images = [_match(scene.truth, found) for scene, found in zip(scenes, detections, strict=True)]
        scores, correct, false = (np.concatenate(parts, axis=-1) for parts in zip(*images, strict=True))
        starts = np.cumsum([0, *(len(image[0]) for image in images)])
        people = np.array([int((~scene.truth.crowd).sum()) for scene in scenes])
        return cls(scores, correct, false, starts, people)

    def average_precision(self, images: Int[np.ndarray, "M"]) -> float:
        """AP over IoU 0.50:0.95 of some of the images, which may repeat, in [0, 1]; NaN without people.

        The value is that of `campro.metrics.detection.average_precision` for the same list of images.
        """
        people = self.people[images].sum()
        if not people:
            return float("nan")
        chosen = np.concatenate([np.arange(self.starts[i], self.starts[i + 1]) for i in images])
        chosen = chosen[np.argsort(-self.scores[chosen], kind="stable")]
        if not len(chosen):
            return 0.0
        correct, false = self.correct[:, chosen].cumsum(1), self.false[:, chosen].cumsum(1)
        precision = correct / np.maximum(correct + false, 1)
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        levels = np.zeros((len(IOUS), len(RECALLS)))
        for level, recall, values in zip(levels, correct / people, precision, strict=True):
            places = np.searchsorted(recall, RECALLS)
            reached = places < len(values)
            level[reached] = values[places[reached]]
        return float(levels.mean())


def _match(
    truth: Detections, found: Detections
) -> tuple[Float[np.ndarray, "D"], Bool[np.ndarray, "10 D"], Bool[np.ndarray, "10 D"]]:
    """Scores by falling score, and which detections are correct and false at each of IOUS.

    Each detection is matched to the free person of largest IoU; only where there is none, to a crowd region, of which
    it need cover no more than itself. Of equal IoU the last counts, as in COCO.
    """
    scores = found.scores.double().numpy()
    order = np.argsort(-scores, kind="stable")[:LARGEST_NUMBER]
    crowd = truth.crowd.numpy()
    boxes = _corners(found)[order]
    overlap = _iou(boxes, _corners(truth), crowd)
    free = np.ones((len(IOUS), int((~crowd).sum())), bool)
    correct = np.zeros((len(IOUS), len(order)), bool)
    for detection, ious in enumerate(overlap[:, ~crowd]):
        if not (ious >= IOUS[0]).any():
            continue
        candidates = np.where(free & (ious >= IOUS[:, None]), ious, -1)[:, ::-1]
        best = free.shape[1] - 1 - candidates.argmax(1)
        correct[:, detection] = candidates.max(1) >= 0
        free[correct[:, detection], best[correct[:, detection]]] = False
    ignored = overlap[:, crowd].max(1, initial=0) >= IOUS[:, None]
    ignored |= (boxes[:, 2:] - boxes[:, :2]).prod(1) < 0  # as COCO, whose areas begin at 0
    return scores[order], correct, ~correct & ~ignored


def _corners(boxes: Detections) -> Float[np.ndarray, "D 4"]:
    """x0, y0 and, as COCO's sides are rounded, x0 + width, y0 + height."""
    corners = boxes.boxes.double().numpy().copy()
    corners[:, 2:] = corners[:, :2] + (corners[:, 2:] - corners[:, :2])
    return corners


def _iou(
    boxes: Float[np.ndarray, "D 4"], others: Float[np.ndarray, "G 4"], crowd: Bool[np.ndarray, "G"]
) -> Float[np.ndarray, "D G"]:
    """Intersection over union; with a crowd region, over the area of the box alone."""
    sides = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    shared = np.where((sides > 0).all(2), sides.prod(2), 0)
    area, other = (boxes[:, 2:] - boxes[:, :2]).prod(1)[:, None], (others[:, 2:] - others[:, :2]).prod(1)
    return shared / np.maximum(np.where(crowd, area, area + other - shared), np.finfo(float).tiny)
