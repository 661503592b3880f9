"""Attackers of the game, against cases by hand and reference libraries."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from support.tiny_recogniser import TinyRecogniser
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.design import attackers
from campro.design.attackers import ATTACKERS, RIDGE, ridge, stretched_along
from campro.models.faces import load_embedder

PEOPLE = 3


def _rng():
    return np.random.default_rng(5)


def _attacker(name, embedder=None):
    torch.manual_seed(0)
    embedder = embedder or load_embedder("mobilefacenet", weights=None).eval()
    return ATTACKERS[name](embedder, F.normalize(torch.randn(PEOPLE, embedder.card.dim)))


@pytest.fixture(scope="module")
def faces():
    """Raw faces, their negatives, and the index of the person in each."""
    size = load_embedder("mobilefacenet", weights=None).card.size
    smooth = F.interpolate(torch.rand(6, 3, 6, 6, generator=torch.Generator().manual_seed(1)), size, mode="bilinear")
    return smooth, 1 - smooth, torch.arange(6) % PEOPLE


@pytest.mark.parametrize("name", ["recogniser", "filters", "colours", "distilled"])
def test_training_lowers_the_loss(name, faces):
    attacker, person = _attacker(name, TinyRecogniser()), faces[2]
    raw, captured = (F.interpolate(part, attacker.embedder.card.size, mode="area") for part in faces[:2])
    optimiser = torch.optim.Adam([p for p in attacker.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(20):
        loss = attacker(captured, raw, person, _rng()).loss
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.slow
def test_gradients_reach_the_captured_faces(faces):
    for name in ATTACKERS:
        attacker, captured = _attacker(name), faces[1].clone().requires_grad_()
        logits = attacker.logits(captured, _rng())
        logits.sum().backward()
        assert logits.shape == (6, PEOPLE), name
        assert captured.grad.abs().sum() > 0, name


def test_the_colour_network_starts_at_the_identity(faces):
    plain, colours = _attacker("recogniser"), _attacker("colours")
    torch.testing.assert_close(colours.embeddings(faces[0], _rng()), plain.embeddings(faces[0], _rng()))


@pytest.mark.slow
def test_distillation_ignores_identities_and_keeps_its_teacher(faces):
    attacker, (raw, captured, person) = _attacker("distilled"), faces
    teacher = {name: value.clone() for name, value in attacker.teacher.state_dict().items()}
    on_raw = attacker(raw, raw, person, _rng())
    torch.testing.assert_close(on_raw.loss, torch.tensor(0.0), atol=1e-6, rtol=0)
    other_people = attacker(captured, raw, person.flip(0), _rng())
    torch.testing.assert_close(attacker(captured, raw, person, _rng()).loss, other_people.loss)
    attacker(captured, raw, person, _rng()).loss.backward()
    assert all(torch.equal(value, teacher[name]) for name, value in attacker.teacher.state_dict().items())


def test_ridge_is_that_of_scikit_learn():
    x, y = torch.randn(40, 5, dtype=torch.float64), torch.randn(40, 4, dtype=torch.float64)
    weight = RIDGE * float((x.T @ x).diagonal().mean())
    from sklearn.linear_model import Ridge  # slow to import

    expected = Ridge(alpha=weight, fit_intercept=False).fit(x.numpy(), y.numpy()).coef_.T
    np.testing.assert_allclose(ridge(x, y).numpy(), expected, rtol=1e-8)


@pytest.mark.slow
def test_the_ridge_attacker_fits_in_one_step_and_has_a_bounded_memory(faces, monkeypatch):
    memory = 2 * len(faces[0])
    monkeypatch.setattr(attackers, "MEMORY_SIZE", memory)
    attacker, (raw, captured, person) = _attacker("ridge"), faces
    first, second = (attacker(captured, raw, person, _rng()).loss for _ in range(2))
    assert second < 0.5 * first
    assert len(attacker.memory) == memory
    attacker(raw, raw, person, _rng())
    assert attacker.memory.shape == (memory, 2, attacker.embedder.card.dim)
    again = _attacker("ridge")
    again.load_state_dict(attacker.state_dict())
    torch.testing.assert_close(again.logits(captured, _rng()), attacker.logits(captured, _rng()))


def test_a_stretched_axis_by_hand():
    """Along the red axis a ramp of red from .2 to .6 spans black to white; its negative, white to black."""
    ramp = torch.zeros(2, 3, 1, 101)
    ramp[:, 0, 0] = torch.linspace(0.2, 0.6, 101)
    red = torch.tensor([[1.0, 0, 0], [-1.0, 0, 0]])
    grey = stretched_along(ramp, red)
    wanted = ((torch.linspace(0, 1, 101) - 0.01) / 0.98).clamp(0, 1)
    for channel in range(3):
        torch.testing.assert_close(grey[0, channel, 0], wanted, atol=1e-5, rtol=0)
        torch.testing.assert_close(grey[1, channel, 0], 1 - wanted, atol=1e-5, rtol=0)
    flat = stretched_along(torch.full((1, 3, 4, 4), 0.5), red[:1])
    assert torch.isfinite(flat).all()


def test_recognisers_without_gradients_are_refused():
    class Onnx:
        differentiable, card = False, load_embedder("mobilefacenet", weights=None).card

    with pytest.raises(CamproError, match="differentiable"):
        ATTACKERS["recogniser"](Onnx(), torch.zeros(2, 4))
