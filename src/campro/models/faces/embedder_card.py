"""What a face embedder is: a card that owns the preprocessing, and a network from crops to unit-norm rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.types import Embeddings, Images

Template = Literal["arcface-112", "arcface-112x96", "dlib-150"]
"""Where the landmarks of an aligned crop lie; see `campro.models.faces.align`."""

PerChannel = float | tuple[float, float, float]


@dataclass(frozen=True)
class EmbedderCard:
    """Facts about an embedder. Callers pass sRGB crops in [0, 1]; channel order, mean and std are its own business."""

    name: str
    size: tuple[int, int]
    """Height and width of a crop."""
    dim: int
    mean: PerChannel
    std: PerChannel
    """Mean and standard deviation on the scale of [0, 1], in the order of `order`."""
    template: Template
    order: Literal["rgb", "bgr"] = "rgb"
    licence: str = "not stated"
    source: str = ""
    weights_sha256: str | None = None
    """None for random weights."""

    def prepare(self, crops: Images) -> Float[Tensor, "B 3 h w"]:
        """Channel order and scale as the network was trained with."""
        if crops.ndim != 4 or tuple(crops.shape[1:]) != (3, *self.size):
            wanted = f"crops (B, 3, {self.size[0]}, {self.size[1]})"
            raise CamproError(self.name, wanted, str(tuple(crops.shape)), "use campro.align")
        ordered = crops if self.order == "rgb" else crops.flip(1)
        mean, std = (torch.as_tensor(value).to(ordered).view(-1, 1, 1) for value in (self.mean, self.std))
        return (ordered - mean) / std


class FaceEmbedder(nn.Module):
    """Crops (B, 3, h, w) of the card's size, sRGB in [0, 1] -> rows of unit norm (B, dim).

    A family defines `features`; normalising here means that none can forget it.
    """

    differentiable = True
    """Whether gradients reach the crops; False for models that run outside torch."""

    def __init__(self, card: EmbedderCard) -> None:
        super().__init__()
        self.card = card

    def features(self, prepared: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D"]:
        """The network's own output for prepared crops."""
        raise NotImplementedError

    def forward(self, crops: Images) -> Embeddings:
        if len(crops) == 0:
            return crops.new_zeros(0, self.card.dim)
        found = self.features(self.card.prepare(crops))
        return F.normalize(found.to(torch.promote_types(found.dtype, torch.float32)))  # in mixed precision, too
