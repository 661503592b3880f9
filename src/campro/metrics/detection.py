"""How well persons are found: COCO average precision, and precision and recall at a fixed threshold."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from faster_coco_eval import COCO, COCOeval_faster
from jaxtyping import Float, Int
from torch import Tensor
from torchvision.ops import box_iou

from campro.core.errors import CamproError
from campro.core.types import Detections, Scene

THRESHOLD = 0.25
"""Score from which a detection counts in precision, recall and F1; fixed, never tuned on the audited scenes."""
MATCH_IOU = 0.5
"""Overlap from which a detection finds a person, in precision, recall and F1."""
PERSON = 1


@dataclass(frozen=True)
class DetectionScores:
    """COCO averages over IoU 0.50:0.95 (`ap`), at 0.5 and 0.75; the others at THRESHOLD and MATCH_IOU. All in [0, 1].

    A figure that does not exist (no persons at all) is NaN.
    """

    ap: float
    ap50: float
    ap75: float
    precision: float
    recall: float
    f1: float
    ap_low: float
    ap_high: float
    """95 % interval of `ap`: percentile bootstrap over images."""


def score_detections(
    scenes: Sequence[Scene], found: Sequence[Detections], draws: int = 200, seed: int = 0
) -> DetectionScores:
    """Judge the detections of each scene; `draws` bootstrap samples of the images give the interval."""
    ap, ap50, ap75 = average_precision(scenes, found)
    rng = np.random.default_rng(seed)
    samples = [_sampled_ap(scenes, found, rng.integers(0, len(scenes), len(scenes))) for _ in range(draws)]
    low, high = np.nanquantile(samples, (0.025, 0.975)).tolist() if draws else (ap, ap)
    return DetectionScores(ap, ap50, ap75, *precision_recall_f1(scenes, found), low, high)


def average_precision(scenes: Sequence[Scene], found: Sequence[Detections]) -> tuple[float, float, float]:
    """COCO's AP over IoU 0.50:0.95, at 0.5 and at 0.75, of at most 100 boxes an image; crowds are ignored.

    Source: T.-Y. Lin et al., Microsoft COCO (ECCV 2014), and its reference evaluation, to which this is equal.
    """
    if len(scenes) != len(found):
        raise CamproError("average precision", f"detections of {len(scenes)} images", str(len(found)))
    if not all(one.scores.isfinite().all() and one.boxes.isfinite().all() for one in found):
        raise CamproError("average precision", "finite boxes and scores", "NaN or infinity", "check the detector")
    with contextlib.redirect_stdout(io.StringIO()):  # it reports its progress by print
        truth = COCO(coco_truth(scenes))
        rows = coco_results(found)
        if not rows:
            return (0.0, 0.0, 0.0) if any(bool((~s.truth.crowd).any()) for s in scenes) else (float("nan"),) * 3
        judged = COCOeval_faster(truth, truth.loadRes(rows), iouType="bbox", extra_calc=False)
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    ap, ap50, ap75 = (float(value) if value >= 0 else float("nan") for value in judged.stats[:3])
    return ap, ap50, ap75


def _sampled_ap(scenes: Sequence[Scene], found: Sequence[Detections], rows: Int[np.ndarray, "N"]) -> float:
    return average_precision([scenes[i] for i in rows], [found[i] for i in rows])[0]


def coco_truth(scenes: Sequence[Scene]) -> dict[str, Any]:
    """Scenes as a COCO dictionary of one category; image ids are positions, from 1."""
    images = [{"id": i, "width": scene.width, "height": scene.height} for i, scene in enumerate(scenes, 1)]
    boxes = [
        {"image_id": i, "category_id": PERSON, "bbox": _xywh(box), "area": area, "iscrowd": int(crowd)}
        for i, scene in enumerate(scenes, 1)
        for box, area, crowd in zip(scene.truth.boxes.tolist(), scene.areas, scene.truth.crowd.tolist(), strict=True)
    ]
    annotations = [{"id": i, **box} for i, box in enumerate(boxes, 1)]
    return {"images": images, "annotations": annotations, "categories": [{"id": PERSON, "name": "person"}]}


def coco_results(found: Sequence[Detections]) -> list[dict[str, Any]]:
    """Detections as COCO result rows, matching `coco_truth`."""
    return [
        {"image_id": i, "category_id": PERSON, "bbox": _xywh(box), "score": score}
        for i, one in enumerate(found, 1)
        for box, score in zip(one.boxes.tolist(), one.scores.tolist(), strict=True)
    ]


def _xywh(box: list[float]) -> list[float]:
    x0, y0, x1, y1 = box
    return [x0, y0, x1 - x0, y1 - y0]


def precision_recall_f1(scenes: Sequence[Scene], found: Sequence[Detections]) -> tuple[float, float, float]:
    """At THRESHOLD: the share of detections that are persons, of persons that are found, and their harmonic mean.

    Detections that lie in a crowd region count neither way. Without detections precision is 0.
    """
    right = wrong = persons = 0
    for scene, one in zip(scenes, found, strict=True):
        hits, misses = _match(scene.truth, one)
        right, wrong, persons = right + hits, wrong + misses, persons + int((~scene.truth.crowd).sum())
    if not persons:
        return (float("nan"),) * 3
    precision, recall = right / max(right + wrong, 1), right / persons
    return precision, recall, 2 * right / max(right + wrong + persons, 1)


def _match(truth: Detections, found: Detections) -> tuple[int, int]:
    """(right, wrong) detections of one image: best score first, each takes the free person it overlaps most."""
    sure = found.scores >= THRESHOLD
    boxes = found.boxes[sure][found.scores[sure].argsort(descending=True, stable=True)]
    overlap = box_iou(boxes, truth.boxes[~truth.crowd])
    in_crowd = (_covered(boxes, truth.boxes[truth.crowd]) >= MATCH_IOU).any(1)
    right = wrong = 0
    for row, ignored in zip(overlap, in_crowd.tolist()):
        if len(row) and float(row.max()) >= MATCH_IOU:
            right += 1
            overlap[:, int(row.argmax())] = 0  # taken
        elif not ignored:
            wrong += 1
    return right, wrong


def _covered(boxes: Float[Tensor, "N 4"], regions: Float[Tensor, "R 4"]) -> Float[Tensor, "N R"]:
    """The part of each box that lies inside each region."""
    low = torch.maximum(boxes[:, None, :2], regions[None, :, :2])
    high = torch.minimum(boxes[:, None, 2:], regions[None, :, 2:])
    area = (boxes[:, 2:] - boxes[:, :2]).clamp(min=1e-6).prod(1)
    return (high - low).clamp(min=0).prod(2) / area[:, None]
