"""Any face embedder in an ONNX file, described by a card; for judging only, since no gradient passes through it."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

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
    """Runs outside torch, on the CPU."""

    differentiable = False

    def __init__(self, card: EmbedderCard, path: Path) -> None:
        super().__init__(card)
        import onnxruntime  # takes a while, and only this family needs it

        try:
            self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime has its own error classes for each way a file can be broken
            reason = " ".join(str(error).split())[:160]
            raise CamproError(str(path), "an ONNX network", reason, "the file is damaged or of another kind") from error
        self.input = self.session.get_inputs()[0].name

    @torch.no_grad()
    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, h, w) to (B, dim)."""
        rows = np.asarray(self.session.run(None, {self.input: prepared.cpu().numpy()})[0]).reshape(len(prepared), -1)
        if rows.shape[1] != self.card.dim:
            raise CamproError(self.card.name, f"{self.card.dim} numbers a face", str(rows.shape[1]), "mend the card")
        return torch.from_numpy(rows).to(prepared)


def load_onnx(weights: Path | str | None, card: EmbedderCard | Path | str | None = None) -> OnnxEmbedder:
    """An ONNX file and its card; a card may be a JSON file with the fields of `EmbedderCard`."""
    if weights is None or weights == "auto":
        raise CamproError("ONNX embedder", "a file", "none", "name it by weights=PATH")
    if card is None:
        raise CamproError("ONNX embedder", "a card for the file", "none", "write a JSON with size, dim, mean, std, ...")
    path = Path(weights)
    if not path.is_file():
        raise CamproError(str(path), "an ONNX file", "no such file")
    known = card if isinstance(card, EmbedderCard) else read_card(Path(card))
    return OnnxEmbedder(replace(known, weights_sha256=file_sha256(path)), path).eval()


def read_card(path: Path) -> EmbedderCard:
    """The card of a JSON file: name, size, dim, mean, std, template and, if known, order, licence, source."""
    try:
        told: dict[str, Any] = json.loads(path.read_text())
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
        }
        return EmbedderCard(**values)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        wanted = "a JSON object of " + ", ".join(field.name for field in fields(EmbedderCard))
        raise CamproError(str(path), wanted, " ".join(str(error).split())) from error


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
