"""Face embedders in ONNX files, described by a card; with gradients where their layers are common ones."""

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
from campro.core.onnx_session import onnx_session
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.onnx_graph import OnnxGraph
from campro.models.faces.onnx_signature import embedding_output, picture_input

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

SFACE = EmbedderCard(
    name="sface",
    size=(112, 112),
    dim=128,
    mean=0.0,
    std=1 / 255,
    template="arcface-112",
    licence="Apache-2.0",
    source="SFace, OpenCV Zoo, December 2021",
)
AGREEMENT = 0.9999
"""Least cosine between the embeddings of ONNX Runtime and of torch."""


class OnnxEmbedder(FaceEmbedder):
    """A network that ONNX Runtime runs on the CPU; not differentiable.

    Order of the axes, data type, and a fixed batch size are read from the file.

    Raises:
        CamproError: For a missing or damaged ONNX file, or one that does not suit the card.
    """

    differentiable = False
    card_of_file = True

    def __init__(self, card: EmbedderCard, path: Path) -> None:
        super().__init__(card)
        self.session = onnx_session(path)
        self.input = picture_input(self.session, card, path)
        self.output = embedding_output(self.session, card, path)

    @torch.no_grad()
    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, dim), on the device of the input.

        Raises:
            CamproError: if the network fails, its output is not of length `card.dim`, or is a softmax.
        """
        pictures = self.input.convert(prepared.cpu().numpy())
        size = self.input.batch or len(pictures)
        parts = [self._run(pictures[start : start + size], size) for start in range(0, len(pictures), size)]
        output = np.concatenate(parts)
        if output.shape[1] != self.card.dim:
            wrong = str(output.shape[1])
            raise CamproError(self.card.name, f"{self.card.dim} values per face", wrong, "correct `dim` in the card")
        if self.card.dim > 1 and output.min() >= 0 and np.abs(output.sum(1) - 1).max() < 1e-3:
            remedy = "name the embedding by `output` in the card"
            raise CamproError(self.card.name, "embeddings", "probabilities of classes (a softmax)", remedy)
        return torch.from_numpy(output).to(prepared)

    def _run(self, pictures: np.ndarray, size: int) -> np.ndarray:
        """Outputs (b, dim) of at most `size` pictures; a batch of a fixed size is filled up with the last picture."""
        missing = size - len(pictures)
        batch = np.concatenate([pictures, pictures[-1:].repeat(missing, 0)]) if missing else pictures
        try:
            output = np.asarray(self.session.run([self.output], {self.input.name: batch})[0], np.float32)
            return output.reshape(size, -1)[: len(pictures)]
        except Exception as error:  # onnxruntime raises errors of many classes
            reason = " ".join(str(error).split())[:160]
            raise CamproError(self.card.name, "a network that accepts its crops", reason) from error


class GraphEmbedder(FaceEmbedder):
    """A network from an ONNX file as torch operations; see `onnx_graph`."""

    card_of_file = True

    def __init__(self, card: EmbedderCard, graph: OnnxGraph) -> None:
        super().__init__(card)
        self.graph = graph

    def features(self, prepared: Tensor) -> Tensor:
        """See `FaceEmbedder.features`."""
        output: Tensor = self.graph(prepared)
        return output.flatten(1)


def _differentiable(card: EmbedderCard, path: Path, plain: OnnxEmbedder) -> FaceEmbedder:
    """The network as torch operations if its layers allow that and its embeddings are the same, else `plain`."""
    if plain.input.channels_last or plain.input.dtype is not np.float32:
        return plain
    try:
        embedder = GraphEmbedder(card, OnnxGraph(path, plain.input.name, plain.output)).eval()
        crops = torch.rand(2, 3, *card.size, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            agreement = (embedder(crops) * plain(crops)).sum(1)
    except CamproError:
        return plain
    return embedder if bool((agreement > AGREEMENT).all()) else plain


def load_onnx(weights: Path | str | None, card: EmbedderCard | Path | str | None = None) -> FaceEmbedder:
    """Load an embedder from an ONNX file.

    A network of common layers (`onnx_graph.OPERATORS`) becomes a torch module, with gradients; ONNX Runtime runs the
    others.

    Args:
        weights: the ONNX file. Its input is (B, 3, h, w) or (B, h, w, 3) in float32, float16, float64 or uint8, its
            output (B, dim); of several outputs the card names one.
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
    described = replace(metadata, weights_sha256=file_sha256(path))
    return _differentiable(described, path, OnnxEmbedder(described, path).eval())


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
        return EmbedderCard(**values)
    except CamproError as error:
        raise error.within(str(path)) from error
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        expected = "a JSON object of " + ", ".join(field.name for field in fields(EmbedderCard))
        raise CamproError(str(path), expected, " ".join(str(error).split())) from error
