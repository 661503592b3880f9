"""The interface of face embedders: a card with the preprocessing, and a network from crops to unit-norm embeddings."""

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
"""Positions of the landmarks in an aligned crop; see `campro.models.faces.align.TEMPLATES`."""

PerChannel = float | tuple[float, float, float]
"""One value for all channels, or one per channel in the channel order of the network."""


@dataclass(frozen=True)
class EmbedderCard:
    """Metadata of a face embedder, and its preprocessing.

    Callers pass aligned sRGB crops in the channel order red, green, blue with values in [0, 1]. `prepare` converts
    them to the channel order and scale that the network was trained with: (crop - mean) / std.
    """

    name: str
    """Name in `FACE_EMBEDDERS`, in tables, in messages and in the key of cached embeddings."""
    size: tuple[int, int]
    """Height and width of a crop in pixels."""
    dim: int
    """Length of an embedding."""
    mean: PerChannel
    """Mean that is subtracted, for values in [0, 1], in the channel order of the network."""
    std: PerChannel
    """Standard deviation that is divided by, for values in [0, 1], in the channel order of the network."""
    template: Template
    """Where the landmarks lie in the crop."""
    order: Literal["rgb", "bgr"] = "rgb"
    """Channel order of the network's input."""
    licence: str = "not stated"
    """SPDX identifier of the licence of the weights."""
    source: str = ""
    """Paper, package or training set that the network comes from."""
    weights_sha256: str | None = None
    """SHA-256 of the weight file; None for random or changed weights."""

    def prepare(self, crops: Images) -> Float[Tensor, "B 3 h w"]:
        """Convert crops (B, 3, h, w), RGB in [0, 1], to the input of the network. Differentiable.

        Raises:
            CamproError: if the crops have another shape.

        >>> card = EmbedderCard("toy", (1, 1), 2, mean=0.5, std=0.25, template="arcface-112", order="bgr")
        >>> card.prepare(torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)).flatten().tolist()
        [-2.0, 0.0, 2.0]
        """
        if crops.ndim != 4 or tuple(crops.shape[1:]) != (3, *self.size):
            expected = f"crops (B, 3, {self.size[0]}, {self.size[1]})"
            raise CamproError(self.name, expected, str(tuple(crops.shape)), "use campro.align")
        ordered = crops if self.order == "rgb" else crops.flip(1)
        mean, std = (torch.as_tensor(value).to(ordered).view(-1, 1, 1) for value in (self.mean, self.std))
        return (ordered - mean) / std


class FaceEmbedder(nn.Module):
    """Base class of all face embedders: aligned crops (B, 3, h, w) -> embeddings (B, dim) of unit norm.

    A subclass calls `super().__init__(card)` and defines `features`; `forward` does preprocessing and normalisation.
    It need not be trained: a loader returns it in evaluation mode with its weights.

    `differentiable` is True by default, which is correct for every network whose `features` are torch operations:
    gradients then reach the crops and the weights, the network may be compiled, and white-box attacks can use it. A
    subclass that computes outside torch (ONNX Runtime, for example) sets `differentiable = False`.
    """

    differentiable: bool = True

    def __init__(self, card: EmbedderCard) -> None:
        super().__init__()
        self.card = card

    def features(self, prepared: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D"]:
        """The output of the network, not normalised, for input from `EmbedderCard.prepare`; D is `card.dim`.

        Must treat the B crops independently in evaluation mode, and return a tensor on the device of the input.
        """
        raise NotImplementedError

    def forward(self, crops: Images) -> Embeddings:
        """Embeddings (B, dim) of unit norm of crops (B, 3, h, w), sRGB in [0, 1]; float32 also in mixed precision.

        Raises:
            CamproError: if the crops are not of the size of the card.
        """
        if len(crops) == 0:
            return crops.new_zeros(0, self.card.dim)
        output = self.features(self.card.prepare(crops))
        return F.normalize(output.to(torch.promote_types(output.dtype, torch.float32)))
