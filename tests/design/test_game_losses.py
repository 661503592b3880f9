"""The losses against their plain formulas, and where the plain formulas fail."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from campro.design.game_losses import attacker_loss, protector_face_loss, protector_loss

LOGITS = arrays("float64", (3, 4), elements=st.floats(-5, 5))


@given(LOGITS)
def test_losses_equal_the_formulas_on_softmax_probabilities(values) -> None:
    logits, person = torch.from_numpy(values), torch.tensor([0, 3, 1])
    p = logits.softmax(1).gather(1, person[:, None]).squeeze(1)
    torch.testing.assert_close(attacker_loss(logits, person), -p.log().mean())
    torch.testing.assert_close(protector_face_loss(logits, person), -(1 - p).log().mean())


def test_protector_loss_stays_finite_where_the_attacker_is_certain() -> None:
    logits = torch.tensor([[200.0, 0.0, 0.0]], requires_grad=True)
    loss = protector_face_loss(logits, torch.tensor([0]))  # 1 - p_y underflows to 0 in float32
    loss.backward()
    torch.testing.assert_close(loss.item(), 200 - torch.log(torch.tensor(2.0)).item())
    torch.testing.assert_close(logits.grad, torch.tensor([[1.0, -0.5, -0.5]]))


def test_gradient_is_largest_where_the_attacker_is_surest() -> None:
    """The point of the non-saturating form: cross-entropy turned round would saturate the other way."""
    logits = torch.tensor([[4.0, 0.0], [0.0, 0.0]], requires_grad=True)
    protector_face_loss(logits, torch.tensor([0, 0])).backward()
    sure, unsure = logits.grad[:, 0]
    assert sure > unsure > 0


def test_objective_gradcheck() -> None:
    logits = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: protector_face_loss(x, torch.tensor([0, 2, 4])), (logits,))


def test_omega_weighs_the_detection_loss() -> None:
    assert protector_loss(torch.tensor(1.0), torch.tensor(5.0), 0.2).item() == 2.0
