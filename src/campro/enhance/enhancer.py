"""What an enhancer is: a network from captured to enhanced pictures, with the loss that trains it."""

from __future__ import annotations

from collections.abc import Iterable

from jaxtyping import Float
from torch import Tensor, nn

from campro.core.types import Images
from campro.enhance.objective import Background, enhancement_loss


class Enhancer(nn.Module):
    """Base of all enhancers: pictures of any size in [0, 1] in, the same size out."""

    lr = 3e-4
    """Learning rate that it is trained at, unless told otherwise: the paper's."""

    def prepare(self, pairs: Iterable[tuple[Images, Images]]) -> None:
        """Start from (captured, raw) pairs of the training photographs; nothing by default."""

    def finish(self) -> None:
        """Called once, after training; nothing by default."""

    def forward(self, captured: Images) -> Images:
        """Enhanced pictures; may overshoot [0, 1] in training."""
        raise NotImplementedError

    def loss(self, captured: Images, raw: Images, background: Background) -> Float[Tensor, ""]:
        """Training loss (eq. 7)."""
        return enhancement_loss(self(captured), raw, background)
