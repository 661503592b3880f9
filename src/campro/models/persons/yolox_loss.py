"""The loss that YOLOX is trained with, for one class: who is responsible for which person, and how wrong they are.

Source: "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430), SimOTA from OTA (arXiv 2103.14259).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from campro.core.types import Detections

if TYPE_CHECKING:
    from campro.models.persons.yolox import Cells

CENTRE_RADIUS = 1.5
"""A cell may answer for a person if its centre is within so many strides of the person's."""
TOP_IOUS = 10
"""So many best overlaps, summed up, say how many cells answer for a person."""
IOU_COST, IOU_WEIGHT = 3.0, 5.0
EPS = 1e-8
LIKELY = 0.05
"""Cells of a model detector below this score say nothing about boxes."""


class Assignment(NamedTuple):
    """Which cells answer for which person."""

    cell: Int[Tensor, "F"]
    person: Int[Tensor, "F"]
    iou: Float[Tensor, "F"]
    """Overlap of the cell's box with its person."""


def yolox_loss(cells: Cells, truth: Sequence[Detections]) -> Float[Tensor, ""]:
    """5 x (1 - IoU^2) + objectness + class entropy, per responsible cell, and the score's entropy on all others.

    Away from people we differ from YOLOX: the *score* (objectness x person) should be 0 there, not the objectness.
    In a network for 80 classes objectness stands for horses and cars too, and unlearning these ruins it.
    Cells whose centre lies in a crowd region count only if they answer for a person.
    """
    total = cells.objectness.new_zeros(())
    responsible = 0
    for i, one in enumerate(truth):
        device = cells.boxes.device
        people, crowds = one.boxes[~one.crowd].to(device), one.boxes[one.crowd].to(device)
        found = assign(cells, i, people)
        responsible += len(found.cell)
        background = ~_inside(cells.centres, crowds)
        background[found.cell] = False
        total = total - _log_score(cells.objectness[i][background], cells.person[i][background])[1].sum()
        total = total + _entropy(cells.objectness[i][found.cell], torch.ones_like(found.iou))
        total = total + _entropy(cells.person[i][found.cell], found.iou)
        overlap = paired_iou(cells.boxes[i][found.cell], people[found.person])
        total = total + IOU_WEIGHT * (1 - overlap**2).sum()
    return total / max(responsible, 1)


@torch.no_grad()
def assign(cells: Cells, image: int, people: Float[Tensor, "P 4"]) -> Assignment:
    """SimOTA: each person gets the cheapest of the cells near its centre, as many as its overlaps add up to."""
    near = _near(cells, people)
    candidates = near.any(0).nonzero()[:, 0]
    if len(candidates) == 0:
        none = torch.zeros(0, dtype=torch.long, device=people.device)
        return Assignment(none, none, torch.zeros(0, device=people.device))
    boxes = cells.boxes[image][candidates].detach()
    iou = paired_iou(boxes[None], people[:, None])
    score = (cells.objectness[image].sigmoid() * cells.person[image].sigmoid())[candidates].sqrt()
    doubt = -score.clamp(min=EPS).log()
    cost = doubt[None] - IOU_COST * (iou + EPS).log() + 1e6 * ~near[:, candidates]
    return _cheapest(cost, iou, near[:, candidates], candidates)


def _cheapest(
    cost: Float[Tensor, "P C"], iou: Float[Tensor, "P C"], near: Bool[Tensor, "P C"], candidates: Int[Tensor, "C"]
) -> Assignment:
    """Pick the cells of each person; a cell that several want goes to the one it is cheapest for."""
    many = iou.topk(min(TOP_IOUS, iou.shape[1]), 1).values.sum(1).int().clamp(min=1)
    place = cost.argsort(dim=1, stable=True).argsort(1)
    wanted = (place < many[:, None]) & near
    owner = torch.where(wanted, cost, torch.inf).argmin(0)
    taken = wanted.any(0)
    person, column = owner[taken], taken.nonzero()[:, 0]
    return Assignment(candidates[column], person, iou[person, column])


def _near(cells: Cells, people: Float[Tensor, "P 4"]) -> Bool[Tensor, "P cells"]:
    middle = (people[:, :2] + people[:, 2:]) / 2
    away = (cells.centres[None] - middle[:, None]).abs().amax(2)
    return away < CENTRE_RADIUS * cells.strides


def _inside(points: Float[Tensor, "N 2"], boxes: Float[Tensor, "R 4"]) -> Bool[Tensor, "N"]:
    after = (points[:, None] >= boxes[None, :, :2]).all(2)
    before = (points[:, None] <= boxes[None, :, 2:]).all(2)
    return (after & before).any(1)


def paired_iou(a: Float[Tensor, "*b 4"], b: Float[Tensor, "*b 4"]) -> Float[Tensor, "*b"]:
    """Intersection over union of boxes that stand at the same place in both tensors (broadcast).

    >>> float(paired_iou(torch.tensor([0.0, 0, 2, 2]), torch.tensor([1.0, 0, 3, 2])).mul(3).round())
    1.0
    """
    size = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
    common = size.prod(-1)
    areas = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1)
    return common / (areas - common + EPS)


def imitation_loss(cells: Cells, model: Cells) -> Float[Tensor, ""]:
    """How far `cells` are from what a model detector says of the same scenes, cell by cell, per expected person cell.

    Cross-entropy of the scores everywhere, and box overlap weighted by the model's score. No labels are needed, and a
    detector that equals its model is at the minimum.
    """
    score = model.scores().detach()
    present, absent = _log_score(cells.objectness, cells.person)
    likely = score > LIKELY
    overlap = paired_iou(cells.boxes[likely], model.boxes[likely].detach())
    entropy = -(score * present + (1 - score) * absent).sum()
    return (entropy + IOU_WEIGHT * (score[likely] * (1 - overlap**2)).sum()) / score.sum().clamp(min=1)


def _log_score(objectness: Tensor, person: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of the score, sigmoid(objectness) x sigmoid(person), and of 1 - score, without underflow."""
    present = F.logsigmoid(objectness) + F.logsigmoid(person)
    # 1 - 1 / ((1 + e^-o)(1 + e^-p)) = (e^-o + e^-p + e^-(o+p)) / ((1 + e^-o)(1 + e^-p))
    return present, present + torch.stack([-objectness, -person, -objectness - person]).logsumexp(0)


def _entropy(logits: Float[Tensor, "N"], wanted: Float[Tensor, "N"]) -> Float[Tensor, ""]:
    return F.binary_cross_entropy_with_logits(logits, wanted, reduction="sum")
