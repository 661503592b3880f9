"""Cards of networks that take a picture: size, channel order and scale of the input; and reading them from JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.types import Images

PerChannel = float | tuple[float, float, float]
"""One value for all channels, or one per channel in the channel order of the network."""
Order = Literal["rgb", "bgr"]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LARGEST = 4096
"""Longest side of an input in pixels that a card may state."""


@dataclass(frozen=True)
class PictureCard:
    """Metadata of a network, and its preprocessing: (scale * picture - mean) / std in the network's channel order.

    Raises:
        CamproError: for a field with a value that no network could use.
    """

    name: str
    """In tables and messages."""
    size: tuple[int, int]
    """Height and width of the input in pixels."""
    mean: PerChannel = 0.0
    """For values in [0, scale]."""
    std: PerChannel = 1.0
    """For values in [0, scale]."""
    order: Order = "rgb"
    scale: float = 1.0
    """Largest value of a pixel: 1 or 255."""
    licence: str = "not stated"
    """SPDX identifier of the licence of the weights."""
    source: str = ""
    """Paper, package or repository that the network comes from."""
    weights_sha256: str | None = None
    """SHA-256 of the weight file; None for random weights."""

    def __post_init__(self) -> None:
        if problem := self._problem():
            raise CamproError(f"{str(self.name)[:80]!r}", "a card with usable fields", problem)

    def _problem(self) -> str:
        """What is wrong with the fields; empty if nothing is."""
        if not (isinstance(self.name, str) and self.name.isprintable() and self.name):
            return f"name {self.name!r:.60} instead of text in one line"
        sides = self.size if isinstance(self.size, tuple) else ()
        if len(sides) != 2 or not all(isinstance(side, int) and 0 < side <= LARGEST for side in sides):
            return f"size {self.size!r:.60} instead of height and width in pixels"
        if self.order not in ("rgb", "bgr"):
            return f"order {self.order!r:.60} instead of rgb or bgr"
        values = [self.scale, *_channels(self.mean), *_channels(self.std)]
        if len(values) != 7 or not all(_is_number(value) for value in values):
            return "scale, mean or std that are not one number, or three for the channels"
        if not (1 <= self.scale <= 65535 and all(value > 0 for value in _channels(self.std))):
            return "a scale below 1 or a std of 0"
        return ""

    def prepare(self, pictures: Images) -> Float[Tensor, "B 3 h w"]:
        """Convert pictures (B, 3, h, w) of the card's size, RGB in [0, 1], to the input of the network.

        >>> card = PictureCard("toy", (1, 1), mean=0.5, std=0.25, order="bgr")
        >>> card.prepare(torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)).flatten().tolist()
        [-2.0, 0.0, 2.0]
        """
        ordered = pictures if self.order == "rgb" else pictures.flip(1)
        mean, std = (torch.tensor(_channels(value)).to(ordered).view(3, 1, 1) for value in (self.mean, self.std))
        return (ordered * self.scale - mean) / std


def _channels(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,) * 3


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9


Card = TypeVar("Card")


def read_picture_card(path: Path, kind: type[Card]) -> Card:
    """Read a card from a JSON object with the fields of `kind`; lists become tuples.

    Raises:
        CamproError: if the file cannot be read, is not a JSON object, or has missing, unknown or wrong fields.
    """
    try:
        entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in entries.items()})
    except CamproError as error:
        raise error.within(str(path)) from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        expected = "a JSON object of " + ", ".join(field.name for field in fields(kind))  # type: ignore[arg-type]
        raise CamproError(str(path), expected, " ".join(str(error).split())[:200]) from error
