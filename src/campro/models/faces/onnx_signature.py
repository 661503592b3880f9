"""Input of a network, and output of a recogniser, as its file states them: axes, data type, size, batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from campro.core.errors import CamproError
from campro.models.faces.embedder_card import EmbedderCard
from campro.models.preprocessing import PictureCard

TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}
"""Data types of inputs: ONNX Runtime's name, and numpy's."""


@dataclass(frozen=True)
class PictureInput:
    """What a network is given."""

    name: str
    dtype: type
    channels_last: bool
    """(B, h, w, 3) instead of (B, 3, h, w)."""
    batch: int | None
    """The only batch size that the network accepts; None: any."""

    def convert(self, prepared: np.ndarray) -> np.ndarray:
        """Prepared crops (B, 3, h, w) with the axes and the data type of the network."""
        if self.dtype is np.uint8:
            prepared = np.floor(prepared + 0.5).clip(0, 255)
        pictures = prepared.transpose(0, 2, 3, 1) if self.channels_last else prepared
        return np.ascontiguousarray(pictures, dtype=self.dtype)


def picture_input(session: Any, card: EmbedderCard | PictureCard, path: Path) -> PictureInput:
    """The network's one input.

    Args:
        session: an `onnxruntime.InferenceSession`.
        card: states the size, and mean and standard deviation.
        path: of the file, for messages.

    Raises:
        CamproError: for several inputs, or one that is no picture, of another size or of an unknown type.
    """
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs) or "none"
        raise CamproError(str(path), "one input, the picture", names, "export the network with the others as constants")
    shape, kind = list(inputs[0].shape), inputs[0].type
    if kind not in TYPES:
        raise CamproError(str(path), f"an input of {', '.join(TYPES)}", kind)
    return checked_input(inputs[0].name, shape, TYPES[kind], card, path)


def checked_input(
    name: str, shape: Sequence[Any], dtype: type, card: EmbedderCard | PictureCard, path: Path
) -> PictureInput:
    """The input that a file states, if it is a picture of the size of the card.

    Args:
        name: of the input.
        shape: its axes; those that are no positive whole number are open.
        dtype: its data type.
        card: states the size, and mean and standard deviation.
        path: of the file, for messages.

    Raises:
        CamproError: if it is no picture, or of another size.
    """
    if len(shape) != 4:
        raise CamproError(str(path), "an input of 4 axes: batch, channels, height, width", f"{len(shape)} axes")
    known = [side if isinstance(side, int) and side > 0 else None for side in shape]
    channels_last = known[3] == 3 and known[1] != 3
    channels, *size = (known[3], *known[1:3]) if channels_last else known[1:]
    if channels not in (3, None):
        raise CamproError(str(path), "an input of 3 channels", " x ".join(map(str, shape)))
    if any(side not in (wanted, None) for side, wanted in zip(size, card.size, strict=True)):
        got = f"an input of {size[0]} x {size[1]}"
        wanted = f"the size {card.size[0]} x {card.size[1]} of its card"
        raise CamproError(str(path), wanted, got, "correct `size` in the card")
    if dtype is np.uint8:
        _check_uint8(card, path)
    return PictureInput(name, dtype, channels_last, known[0])


def _check_uint8(card: EmbedderCard | PictureCard, path: Path) -> None:
    """A network for whole numbers normalises them itself."""
    channels = [value if isinstance(value, tuple) else (value,) for value in (card.mean, card.std)]
    means, stds = ([one / card.scale * 255 for one in side] for side in channels)
    if any(abs(mean) > 1e-6 for mean in means) or any(abs(std - 1) > 1e-6 for std in stds):
        got = f"mean {card.mean} and std {card.std} for an input of uint8"
        raise CamproError(str(path), "pixel values from 0 to 255", got, 'write "scale": 255, "mean": 0, "std": 1')


def embedding_output(session: Any, card: EmbedderCard, path: Path) -> str:
    """Name of the output with the embedding: that of the card, or the only one.

    Raises:
        CamproError: if the card names none of several outputs, one that does not exist, or one of another length.
    """
    outputs = {each.name: list(each.shape) for each in session.get_outputs()}
    if card.output is None and len(outputs) != 1:
        raise CamproError(str(path), "`output` in the card, one of several", ", ".join(outputs)[:200])
    name = next(iter(outputs)) if card.output is None else card.output
    if name not in outputs:
        raise CamproError(str(path), f"an output {name!r}, as the card states", ", ".join(outputs)[:200])
    sides = outputs[name][1:]
    if sides and all(isinstance(side, int) and side > 0 for side in sides) and np.prod(sides) != card.dim:
        wanted = f"{card.dim} values per face"
        raise CamproError(
            str(path), wanted, f"output {name} of {np.prod(sides)}", "correct `dim` or `output` in the card"
        )
    return name
