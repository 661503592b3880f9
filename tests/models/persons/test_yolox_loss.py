"""YOLOX's loss and the distillation loss."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from campro.core.errors import CamproError
from campro.core.types import Detections
from campro.models.persons import load_detector
from campro.models.persons.yolox_loss import assign, paired_iou, yolox_loss


@pytest.fixture(scope="module")
def person():
    """The detector that the package contains."""
    return load_detector("campro-person")


def test_iou_equals_the_one_computed_by_hand():
    first, second = torch.tensor([[0.0, 0, 4, 4]]), torch.tensor([[2.0, 0, 6, 4]])
    assert float(paired_iou(first, second)) == pytest.approx(8 / 24)
    assert float(paired_iou(first, first + 10)) == 0


@pytest.mark.slow
def test_loss_falls_during_training_and_ignores_crowd_regions():
    torch.manual_seed(0)  # training is slow from this start: with two of eight seeds 20 steps are too few
    detector = load_detector("campro-person", weights=None).train()
    detector.card = replace(detector.card, size=(160, 160))
    images, truth = torch.rand(2, 3, 160, 160), [Detections.truth([[20, 20, 70, 130]]), Detections.truth([])]
    optimiser = torch.optim.Adam(detector.parameters(), lr=1e-3)
    losses = []
    for _ in range(40):
        loss = detector.loss(images, truth)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    everywhere = [Detections.truth([[0, 0, 160, 160]], [True])] * 2
    assert float(detector.loss(images, everywhere)) == 0  # inside a crowd region nothing is correct or false
    with pytest.raises(CamproError, match="truth for 2"):
        detector.loss(images, truth[:1])


def test_background_cells_are_penalised_by_score_not_by_objectness(person):
    cells = person.cells(torch.rand(1, 3, 64, 64))
    certain_of_another_class = cells._replace(
        objectness=torch.full_like(cells.objectness, 9.0), person=torch.full_like(cells.person, -30.0)
    )
    assert float(yolox_loss(certain_of_another_class, [Detections.truth([])])) == pytest.approx(0, abs=1e-6)


def test_assigned_cells_are_near_the_centre_of_their_person_and_unique(person):
    cells = person.cells(torch.rand(1, 3, 128, 128))
    people = torch.tensor([[20.0, 20, 60, 100], [30.0, 20, 70, 100]])
    match = assign(cells, 0, people)
    assert set(match.person.tolist()) == {0, 1}
    assert len(match.cell.unique()) == len(match.cell)
    middle = (people[:, :2] + people[:, 2:])[match.person] / 2
    distance = (cells.centres[match.cell] - middle).abs().amax(1)
    assert (distance < 1.5 * cells.strides[match.cell]).all()
    assert len(assign(cells, 0, torch.zeros(0, 4)).cell) == 0


def test_distillation_loss_is_minimal_for_the_teacher_itself(person):
    images = torch.rand(1, 3, 320, 320)
    learner = deepcopy(person).eval()
    learner.imitate(images, images, person).backward()
    largest = max(float(p.grad.abs().max()) for p in learner.parameters() if p.grad is not None)
    other = deepcopy(person).eval()
    other.imitate(1 - images, images, person).backward()
    assert largest < 1e-3 * max(float(p.grad.abs().max()) for p in other.parameters() if p.grad is not None)
