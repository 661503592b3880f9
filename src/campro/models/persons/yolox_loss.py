"""The training loss of YOLOX for one class, and a distillation loss between two YOLOX networks.

Source: "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430); SimOTA after OTA (arXiv 2103.14259).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from campro.core.types import Detections
from campro.models.persons.yolox_cells import Cells

CENTRE_RADIUS = 1.5
"""A cell is a candidate for a person if its centre is within so many strides of the centre of the person's box."""
TOP_IOUS = 10
"""The sum of so many largest overlaps gives the number of cells that are assigned to a person."""
IOU_COST, IOU_WEIGHT = 3.0, 5.0
EPS = 1e-8
MIN_TEACHER_SCORE = 0.05
"""Boxes of the teacher below this score do not enter the distillation loss."""


class Assignment(NamedTuple):
    """Pairs of cell and person: entry i assigns cell `cell[i]` to person `person[i]`."""

    cell: Int[Tensor, "F"]
    person: Int[Tensor, "F"]
    iou: Float[Tensor, "F"]
    """Intersection over union of the cell's box and the person's box."""


def yolox_loss(cells: Cells, truth: Sequence[Detections]) -> Float[Tensor, ""]:
    """Box, objectness and class loss of assigned cells, and score loss of all others, per assigned cell.

    Assigned cells: 5 x (1 - IoU^2), binary cross-entropy of objectness with 1, and of the class with the IoU.
    In all other cells the target 0 applies to the *score* (objectness x person), unlike YOLOX, which applies it to the
    objectness: in a network for 80 classes objectness is high for other classes too, and must stay so.
    Cells whose centre lies in a crowd region count only if they are assigned to a person. Boxes of `truth` are in
    pixels of the network's input.
    """
    total = cells.objectness.new_zeros(())
    assigned = 0
    for i, image_truth in enumerate(truth):
        device = cells.boxes.device
        people = image_truth.boxes[~image_truth.crowd].to(device)
        crowds = image_truth.boxes[image_truth.crowd].to(device)
        match = assign(cells, i, people)
        assigned += len(match.cell)
        background = ~_inside(cells.centres, crowds)
        background[match.cell] = False
        total = total - _log_score(cells.objectness[i][background], cells.person[i][background])[1].sum()
        total = total + _entropy(cells.objectness[i][match.cell], torch.ones_like(match.iou))
        total = total + _entropy(cells.person[i][match.cell], match.iou)
        overlap = paired_iou(cells.boxes[i][match.cell], people[match.person])
        total = total + IOU_WEIGHT * (1 - overlap**2).sum()
    return total / max(assigned, 1)


@torch.no_grad()
def assign(cells: Cells, image: int, people: Float[Tensor, "P 4"]) -> Assignment:
    """SimOTA: assign to each person the candidate cells of lowest cost; their number is the sum of the top overlaps.

    `image` is the index in the batch; `people` are boxes (x0, y0, x1, y1) in pixels of the network's input.
    """
    near = _near(cells, people)
    candidates = near.any(0).nonzero()[:, 0]
    if len(candidates) == 0:
        none = torch.zeros(0, dtype=torch.long, device=people.device)
        return Assignment(none, none, torch.zeros(0, device=people.device))
    boxes = cells.boxes[image][candidates].detach()
    iou = paired_iou(boxes[None], people[:, None])
    score = (cells.objectness[image].sigmoid() * cells.person[image].sigmoid())[candidates].sqrt()
    score_cost = -score.clamp(min=EPS).log()
    cost = score_cost[None] - IOU_COST * (iou + EPS).log() + 1e6 * ~near[:, candidates]
    return _cheapest(cost, iou, near[:, candidates], candidates)


def _cheapest(
    cost: Float[Tensor, "P C"], iou: Float[Tensor, "P C"], near: Bool[Tensor, "P C"], candidates: Int[Tensor, "C"]
) -> Assignment:
    """Select the cells of each person; a cell selected for several persons goes to the one of lowest cost."""
    count = iou.topk(min(TOP_IOUS, iou.shape[1]), 1).values.sum(1).int().clamp(min=1)
    place = cost.argsort(dim=1, stable=True).argsort(1)
    selected = (place < count[:, None]) & near
    person_of_cell = torch.where(selected, cost, torch.inf).argmin(0)
    taken = selected.any(0)
    person, column = person_of_cell[taken], taken.nonzero()[:, 0]
    return Assignment(candidates[column], person, iou[person, column])


def _near(cells: Cells, people: Float[Tensor, "P 4"]) -> Bool[Tensor, "P cells"]:
    middle = (people[:, :2] + people[:, 2:]) / 2
    distance = (cells.centres[None] - middle[:, None]).abs().amax(2)
    return distance < CENTRE_RADIUS * cells.strides


def _inside(points: Float[Tensor, "N 2"], boxes: Float[Tensor, "R 4"]) -> Bool[Tensor, "N"]:
    after = (points[:, None] >= boxes[None, :, :2]).all(2)
    before = (points[:, None] <= boxes[None, :, 2:]).all(2)
    return (after & before).any(1)


def paired_iou(a: Float[Tensor, "*b 4"], b: Float[Tensor, "*b 4"]) -> Float[Tensor, "*b"]:
    """Intersection over union, in [0, 1], of boxes (x0, y0, x1, y1) at equal indices of both tensors (broadcast).

    >>> float(paired_iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2])).mul(3).round())
    1.0
    """
    size = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    common = size.prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return common / (areas - common + EPS)


def imitation_loss(cells: Cells, teacher: Cells) -> Float[Tensor, ""]:
    """Distillation loss between the outputs of two detectors for the same scenes, cell by cell.

    Cross-entropy of the scores in all cells, plus 5 x (1 - IoU^2) weighted by the teacher's score, divided by the sum
    of the teacher's scores. Needs no labels; its minimum is a detector that equals the teacher.
    """
    score = teacher.scores().detach()
    present, absent = _log_score(cells.objectness, cells.person)
    likely = score > MIN_TEACHER_SCORE
    overlap = paired_iou(cells.boxes[likely], teacher.boxes[likely].detach())
    entropy = -(score * present + (1 - score) * absent).sum()
    return (entropy + IOU_WEIGHT * (score[likely] * (1 - overlap**2)).sum()) / score.sum().clamp(min=1)


def _log_score(objectness: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of the score, sigmoid(objectness) x sigmoid(person), and of 1 - score, without underflow."""
    present = F.logsigmoid(objectness) + F.logsigmoid(person)
    # 1 - 1 / ((1 + e^-o)(1 + e^-p)) = (e^-o + e^-p + e^-(o+p)) / ((1 + e^-o)(1 + e^-p))
    return present, present + torch.stack([-objectness, -person, -objectness - person]).logsumexp(0)


def _entropy(logits: Float[Tensor, "N"], target: Float[Tensor, "N"]) -> Float[Tensor, ""]:
    return F.binary_cross_entropy_with_logits(logits, target, reduction="sum")
