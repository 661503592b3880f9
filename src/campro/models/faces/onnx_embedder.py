"""Face embedders in ONNX files, described by a card; for evaluation only, because they have no gradients."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder, Template

MOBILEFACENET_CAT = EmbedderCard(
    name="mobilefacenet-cat",
    size=(112, 112),
    dim=512,
    mean=127.5 / 255,
    std=127.5 / 255,
    template="arcface-112",
    licence="MIT",
    source="MobileFaceNet variant 1.2 M",
)


class OnnxEmbedder(FaceEmbedder):
    """A network that ONNX Runtime runs on the CPU; not differentiable.

    Raises:
        CamproError: For a missing or damaged ONNX file.
    """

    differentiable = False

    def __init__(self, card: EmbedderCard, path: Path) -> None:
        super().__init__(card)
        import onnxruntime  # imported here because it is slow to import

        try:
            self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises errors of many classes
            reason = " ".join(str(error).split())[:160]
            raise CamproError(str(path), "an ONNX network", reason, "the file is damaged or of another kind") from error
        self.input = self.session.get_inputs()[0].name

    @torch.no_grad()
    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, dim), on the device of the input.

        Raises:
            CamproError: if the output of the network is not of length `card.dim`.
        """
        output = np.asarray(self.session.run(None, {self.input: prepared.cpu().numpy()})[0]).reshape(len(prepared), -1)
        if output.shape[1] != self.card.dim:
            wrong = str(output.shape[1])
            raise CamproError(self.card.name, f"{self.card.dim} values per face", wrong, "correct `dim` in the card")
        return torch.from_numpy(output).to(prepared)


def load_onnx(weights: Path | str | None, card: EmbedderCard | Path | str | None = None) -> OnnxEmbedder:
    """Load an embedder from an ONNX file.

    Args:
        weights: the ONNX file; its input is (B, 3, h, w), its first output (B, dim).
        card: the card, or a JSON file with the fields of `EmbedderCard`.

    Raises:
        CamproError: if the file or the card is missing or malformed.
    """
    if weights is None or weights == "auto":
        raise CamproError("ONNX embedder", "a file", "none", "name it by weights=PATH")
    if card is None:
        raise CamproError("ONNX embedder", "a card for the file", "none", "write a JSON with size, dim, mean, std, ...")
    path = Path(weights)
    if not path.is_file():
        raise CamproError(str(path), "an ONNX file", "no such file")
    metadata = card if isinstance(card, EmbedderCard) else read_card(Path(card))
    return OnnxEmbedder(replace(metadata, weights_sha256=file_sha256(path)), path).eval()


def read_card(path: Path) -> EmbedderCard:
    """Read a card from a JSON object with the fields of `EmbedderCard`: name, size, dim, mean, std, template, ...

    Raises:
        CamproError: if the file cannot be read, is not a JSON object, or has missing, unknown or wrong fields.
    """
    try:
        entries: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in entries.items()
        }
        card = EmbedderCard(**values)
        _check_card(card)
        return card
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        expected = "a JSON object of " + ", ".join(field.name for field in fields(EmbedderCard))
        raise CamproError(str(path), expected, " ".join(str(error).split())) from error


def _check_card(card: EmbedderCard) -> None:
    """Raise a ValueError if a field has a value that the network could not use."""
    if not (isinstance(card.size, tuple) and len(card.size) == 2 and all(_is_count(side) for side in card.size)):
        raise ValueError(f"size {card.size!r} instead of height and width in pixels")
    if not _is_count(card.dim):
        raise ValueError(f"dim {card.dim!r} instead of a length")
    for name, value in (("mean", card.mean), ("std", card.std)):
        channels = value if isinstance(value, tuple) else (value,) * 3
        if len(channels) != 3 or not all(_is_number(channel) for channel in channels):
            raise ValueError(f"{name} {value!r} instead of a number or three")
        if name == "std" and not all(channels):
            raise ValueError("std 0")
    if card.template not in get_args(Template):
        raise ValueError(f"template {card.template!r} instead of {', '.join(get_args(Template))}")
    if card.order not in ("rgb", "bgr"):
        raise ValueError(f"order {card.order!r} instead of rgb or bgr")
    if not isinstance(card.name, str):
        raise ValueError(f"name {card.name!r} instead of text")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 255
