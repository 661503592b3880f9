"""Accuracy of person detection: COCO average precision, and precision and recall at a fixed score."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Float
from torch import Tensor

from campro.core.boxes import box_iou
from campro.core.errors import CamproError
from campro.core.types import Detections, Scene
from campro.metrics.ap_bootstrap import MatchedDetections
from campro.metrics.rates import Ratio

THRESHOLD = 0.25
"""Lowest score of a detection that counts for precision, recall and F1; never tuned on the evaluated scenes."""
MATCH_IOU = 0.5
"""Lowest intersection over union of a correct detection, for precision, recall and F1."""
PERSON = 1
"""Category id in the COCO dictionaries."""


@dataclass(frozen=True)
class DetectionScores:
    """Scores of one detector, all in [0, 1]; NaN if the scenes contain no person.

    `ap` is COCO's average precision over IoU 0.50:0.95, `ap50` and `ap75` at IoU 0.5 and 0.75; `precision`, `recall`
    and `f1` are at THRESHOLD and MATCH_IOU.
    """

    ap: float
    ap50: float
    ap75: float
    precision: float
    recall: float
    f1: float
    ap_low: float
    """Lower bound of the 95 % interval of `ap`: percentile bootstrap over images."""
    ap_high: float
    """Upper bound of this interval."""


def score_detections(
    scenes: Sequence[Scene], detections: Sequence[Detections], resamples: int = 200, seed: int = 0
) -> DetectionScores:
    """Score the detections of each scene, in pixels of the photograph.

    Args:
        scenes: photographs with ground truth.
        detections: one entry per scene.
        resamples: bootstrap samples of the images for the interval of `ap`; with 0 the interval is `ap` itself.
        seed: of the bootstrap.

    Raises:
        CamproError: if the numbers of scenes and entries differ, or a box or score is not finite.
    """
    ap, ap50, ap75 = average_precision(scenes, detections)
    low = high = ap
    if resamples:
        rng, matched = np.random.default_rng(seed), MatchedDetections.of(scenes, detections)
        samples = [matched.average_precision(rng.integers(0, len(scenes), len(scenes))) for _ in range(resamples)]
        low, high = np.nanquantile(samples, (0.025, 0.975)).tolist()
    return DetectionScores(ap, ap50, ap75, *precision_recall_f1(scenes, detections), low, high)


def average_precision(scenes: Sequence[Scene], detections: Sequence[Detections]) -> tuple[float, float, float]:
    """COCO's AP over IoU 0.50:0.95, at IoU 0.5 and at 0.75, of at most 100 boxes per image; crowd regions are ignored.

    All in [0, 1]; NaN if the scenes contain no person. A test compares the values with the reference implementation.
    Source: T.-Y. Lin et al., Microsoft COCO (ECCV 2014).

    Raises:
        CamproError: if the numbers of scenes and entries differ, or a box or score is not finite.
    """
    if len(scenes) != len(detections):
        raise CamproError("average precision", f"detections of {len(scenes)} images", str(len(detections)))
    if not all(image.scores.isfinite().all() and image.boxes.isfinite().all() for image in detections):
        raise CamproError("average precision", "finite boxes and scores", "NaN or infinity", "check the detector")
    results = coco_results(detections)
    if not results:
        return (0.0, 0.0, 0.0) if any(bool((~s.truth.crowd).any()) for s in scenes) else (float("nan"),) * 3
    return coco_precision(coco_truth(scenes), results, "bbox")


def coco_precision(
    truth: dict[str, Any], results: list[dict[str, Any]], kind: Literal["bbox", "keypoints"]
) -> tuple[float, float, float]:
    """AP over thresholds 0.50:0.95 of IoU or OKS, at 0.5 and at 0.75, of at least one result; NaN without people.

    Args:
        truth: a COCO dictionary, as of `coco_truth`.
        results: COCO results with its image ids.
        kind: boxes, compared by IoU, or key points, by OKS.
    """
    with contextlib.redirect_stdout(io.StringIO()):  # the library prints its progress
        index = COCO(truth)
        evaluation = COCOeval_faster(index, index.loadRes(results), iouType=kind, extra_calc=False)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    ap, ap50, ap75 = (float(value) if value >= 0 else float("nan") for value in evaluation.stats[:3])
    return ap, ap50, ap75


def kept_precision(
    scenes: Sequence[Scene],
    detections: Sequence[Detections],
    reference: Sequence[Detections],
    resamples: int = 200,
    seed: int = 0,
) -> Ratio:
    """Ratio of the AP of `detections` to that of `reference` on the same images, and its 95 % interval.

    Paired bootstrap: both APs are computed on the same resampled images. Resamples on which the reference detects
    nothing are left out. The ratio may be above 1.

    Raises:
        CamproError: where the reference detects nothing at all; and as `average_precision`.
    """
    raw = average_precision(scenes, reference)[0]
    if not raw > 0:
        raise CamproError("ratio of average precisions", "a reference that detects people", f"AP {raw:.3f}")
    mean = average_precision(scenes, detections)[0] / raw
    matched, below = MatchedDetections.of(scenes, detections), MatchedDetections.of(scenes, reference)
    rng, ratios = np.random.default_rng(seed), []
    for _ in range(resamples):
        images = rng.integers(0, len(scenes), len(scenes))
        if (divisor := below.average_precision(images)) > 0:
            ratios.append(matched.average_precision(images) / divisor)
    low, high = np.quantile(ratios, (0.025, 0.975)).tolist()
    return Ratio(mean, low, high)


def coco_truth(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Ground truth as a COCO dictionary with one category; image ids are positions in `scenes`, from 1."""
    images = [{"id": i, "width": scene.width, "height": scene.height} for i, scene in enumerate(scenes, 1)]
    boxes = [
        {"image_id": i, "category_id": PERSON, "bbox": _xywh(box), "area": area, "iscrowd": int(crowd)}
        for i, scene in enumerate(scenes, 1)
        for box, area, crowd in zip(scene.truth.boxes.tolist(), scene.areas, scene.truth.crowd.tolist(), strict=True)
    ]
    annotations = [{"id": i, **box} for i, box in enumerate(boxes, 1)]
    return {"images": images, "annotations": annotations, "categories": [{"id": PERSON, "name": "person"}]}


def coco_results(detections: Sequence[Detections]) -> list[dict[str, Any]]:
    """Detections as COCO results, with the image ids of `coco_truth`."""
    return [
        {"image_id": i, "category_id": PERSON, "bbox": _xywh(box), "score": score}
        for i, image in enumerate(detections, 1)
        for box, score in zip(image.boxes.tolist(), image.scores.tolist(), strict=True)
    ]


def _xywh(box: list[float]) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def precision_recall_f1(scenes: Sequence[Scene], detections: Sequence[Detections]) -> tuple[float, float, float]:
    """Precision, recall and F1 at THRESHOLD and MATCH_IOU, each in [0, 1]; NaN if the scenes contain no person.

    Detections in a crowd region count neither as correct nor as false. Without detections the precision is 0.
    """
    correct = false = persons = 0
    for scene, image in zip(scenes, detections, strict=True):
        image_correct, image_false = match_people(scene.truth, image)
        correct, false = correct + image_correct, false + image_false
        persons += int((~scene.truth.crowd).sum())
    if not persons:
        return (float("nan"),) * 3
    precision, recall = correct / max(correct + false, 1), correct / persons
    return precision, recall, 2 * correct / max(correct + false + persons, 1)


def match_people(truth: Detections, detections: Detections) -> tuple[int, int]:
    """(correct, false) detections of one image: by falling score, each is matched to the free person of largest IoU."""
    kept = detections.scores >= THRESHOLD
    boxes = detections.boxes[kept][detections.scores[kept].argsort(descending=True, stable=True)]
    overlap = box_iou(boxes, truth.boxes[~truth.crowd])
    in_crowd = (_covered(boxes, truth.boxes[truth.crowd]) >= MATCH_IOU).any(1)
    correct = false = 0
    for ious, ignored in zip(overlap, in_crowd.tolist()):
        if len(ious) and float(ious.max()) >= MATCH_IOU:
            correct += 1
            overlap[:, int(ious.argmax())] = 0  # this person is matched
        elif not ignored:
            false += 1
    return correct, false


def _covered(boxes: Float[Tensor, "N 4"], regions: Float[Tensor, "R 4"]) -> Float[Tensor, "N R"]:
    """The share of each box's area that is inside each region, in [0, 1]."""
    low = torch.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6).prod(1)
    return (high - low).clamp(min=0).prod(2) / area[:, None]
