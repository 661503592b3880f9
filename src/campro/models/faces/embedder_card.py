"""The interface of face embedders: a card with the preprocessing, and a network from crops to unit-norm embeddings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.hashing import json_digest
from campro.core.types import Embeddings, Images

Template = Literal["arcface-112", "arcface-112x96", "facenet-160", "dlib-150"]
"""Positions of the landmarks in an aligned crop; see `campro.models.faces.align.TEMPLATES`."""

MOST_STD = 1.01
"""Largest standard deviation for values in [0, 1]; dlib divides values up to 255 by 256."""
LEAST_STD = 3e-3
"""Smallest; 1 / 255 is that of a network for values up to 255."""

PerChannel = float | tuple[float, float, float]
"""One value for all channels, or one per channel in the channel order of the network."""


@dataclass(frozen=True)
class EmbedderCard:
    """Metadata of a face embedder, and its preprocessing.

    Callers pass aligned sRGB crops in the channel order red, green, blue with values in [0, 1]. `prepare` converts
    them to the channel order and scale that the network was trained with: (scale * crop - mean) / std.

    Raises:
        CamproError: for a field with a value that no network could use, or a mean that does not suit the scale.
    """

    name: str
    """Name in `FACE_EMBEDDERS`, in tables, in messages and in the key of cached embeddings."""
    size: tuple[int, int]
    """Height and width of a crop in pixels."""
    dim: int
    """Length of an embedding."""
    mean: PerChannel
    """Mean that is subtracted, for values in [0, scale], in the channel order of the network."""
    std: PerChannel
    """Standard deviation that is divided by, for values in [0, scale], in the channel order of the network."""
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
    scale: float = 1.0
    """Largest value of a pixel for `mean` and `std`: 1, or 255 where these are, for example, 127.5."""
    output: str | None = None
    """Name of the network's output with the embedding, for ONNX files with several outputs."""

    def __post_init__(self) -> None:
        if isinstance(self.order, str):
            object.__setattr__(self, "order", self.order.lower())
        try:
            _check(self)
        except ValueError as error:
            label = self.name if isinstance(self.name, str) and self.name else "card of a recogniser"
            raise CamproError(f"{label[:80]!r}", "a card with usable fields", str(error)) from error

    @property
    def preprocessing(self) -> str:
        """Hash of all fields that change an embedding, beside the weights: users edit the cards of ONNX files."""
        return json_digest([self.size, self.mean, self.std, self.template, self.order, self.scale, self.output])

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
        mean, std = (
            torch.as_tensor(_in_units(value, self.scale)).to(ordered).view(-1, 1, 1) for value in (self.mean, self.std)
        )
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
    channels_last: bool = True
    """Whether `load_embedder` lays the weights channels-last, which is 1.7 times as fast. False for networks of other
    packages, whose code may demand tensors in the usual layout."""
    card_of_file: bool = False
    """Whether the card is a file of the user's: then it, too, is part of the key of cached embeddings."""

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


def _in_units(value: PerChannel, scale: float) -> PerChannel:
    """A mean or standard deviation for values in [0, 1] instead of [0, scale]."""
    if scale == 1:
        return value
    return (value[0] / scale, value[1] / scale, value[2] / scale) if isinstance(value, tuple) else value / scale


def _check(card: EmbedderCard) -> None:
    """Raise a ValueError if a field has a value that no network could use."""
    for field in ("name", "licence", "source", "output", "weights_sha256"):
        text = getattr(card, field)
        missing = text is None and field in ("output", "weights_sha256")
        if not missing and not (isinstance(text, str) and ((text.isprintable() and text) or field == "source")):
            raise ValueError(f"{field} {_short(text)} instead of text in one line")
    if not (isinstance(card.size, tuple) and len(card.size) == 2 and all(_is_count(side) for side in card.size)):
        raise ValueError(f"size {_short(card.size)} instead of height and width in pixels")
    if not _is_count(card.dim):
        raise ValueError(f"dim {_short(card.dim)} instead of the length of an embedding")
    if card.template not in get_args(Template):
        raise ValueError(f"template {_short(card.template)} instead of {', '.join(get_args(Template))}")
    if card.order not in ("rgb", "bgr"):
        raise ValueError(f"order {_short(card.order)} instead of rgb or bgr")
    if not _is_number(card.scale) or not 1 <= card.scale <= 65535:
        raise ValueError(f"scale {_short(card.scale)} instead of the largest pixel value, 1 or 255")
    _check_range("mean", card.mean, 0.0, 1.0, card.scale)
    _check_range("std", card.std, LEAST_STD, MOST_STD, card.scale)


def _check_range(field: str, value: Any, low: float, high: float, scale: float) -> None:
    channels = value if isinstance(value, tuple) else (value,) * 3
    if len(channels) != 3 or not all(_is_number(channel) for channel in channels):
        raise ValueError(f"{field} {_short(value)} instead of a number, or three")
    if not all(low <= channel / scale <= high for channel in channels):
        large = scale == 1 and all(1 <= channel <= 255 for channel in channels)
        remedy = '; with "scale": 255 it is for values up to 255' if large else ""
        raise ValueError(f"{field} {_short(value)} outside [{low:g}, {high:g}] times the scale {scale:g}{remedy}")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)


def _short(value: Any) -> str:
    """The value in at most 60 characters; a number of thousands of digits has no text in Python."""
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number of very many digits"
    return repr(value)[:60]
