"""The table of face embedders. To add one, write a file with its loader and add a line to `FACE_EMBEDDERS`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.models.faces.dlib_resnet import load_dlib_resnet
from campro.models.faces.edgeface import load_edgeface
from campro.models.faces.embedder_card import FaceEmbedder
from campro.models.faces.frbench_embedder import load_frbench
from campro.models.faces.mobilefacenet import load_mobilefacenet
from campro.models.faces.onnx_embedder import MOBILEFACENET_CAT, SFACE, load_onnx
from campro.models.faces.paper_recognisers import PAPER_RECOGNISERS

Weights = Path | str | None
"""See `load_embedder`."""
Factory = Callable[..., FaceEmbedder]


def _from_file(load: Callable[[Path | None], FaceEmbedder], asset: str) -> Factory:
    """A factory whose weights are one file: that of the catalogue ("auto"), that of the caller, or none (random)."""

    def make(weights: Weights = "auto") -> FaceEmbedder:
        if weights is None:
            return load(None)
        path = locate(asset) if weights == "auto" else Path(weights)
        if not path.is_file():
            raise CamproError(str(path), "a weight file", "no such file")
        return load(path)

    return make


def _cat(weights: Weights = "auto") -> FaceEmbedder:
    return load_onnx(locate("mobilefacenet-cat") if weights == "auto" else weights, MOBILEFACENET_CAT)


def _sface(weights: Weights = "auto") -> FaceEmbedder:
    return load_onnx(locate("sface") if weights == "auto" else weights, SFACE)


FACE_EMBEDDERS: dict[str, Factory] = {
    "dlib-resnet29": _from_file(load_dlib_resnet, "dlib_face_recognition_resnet_model_v1.dat"),
    "mobilefacenet": _from_file(load_mobilefacenet, "mobilefacenet"),
    "edgeface-xs": _from_file(load_edgeface, "edgeface-xs"),
    "mobilefacenet-cat": _cat,
    "sface": _sface,
    **PAPER_RECOGNISERS,
    "frbench": load_frbench,
    "onnx": load_onnx,
}
"""Factories by name. A factory takes `weights` (see `load_embedder`) and returns an embedder in evaluation mode.
The families "frbench" and "onnx" have many members, named after a slash: "frbench/irse-50_arcface_ms1m"."""


def load_embedder(name: str, weights: Weights = "auto", **options: Any) -> FaceEmbedder:
    """Load a face embedder in evaluation mode.

    Args:
        name: a key of `FACE_EMBEDDERS`, "frbench/BACKBONE_LOSS_DATASET", or "onnx/CARD.json", which reads the ONNX
            file of the same name in the same folder.
        weights: "auto" for the weights of the package, the catalogue or the library that the model comes from; a path
            for a weight file; None for random weights (for tests).
        options: arguments of the embedder's factory.

    Raises:
        CamproError: if the name is unknown, or the weights are missing, damaged or of another network.
    """
    family, _, member = name.partition("/")
    if family not in FACE_EMBEDDERS or bool(member) > (family in ("frbench", "onnx")):
        raise CamproError("face embedder", f"one of {', '.join(FACE_EMBEDDERS)}", repr(name))
    if member and family == "frbench":
        options["model"] = member
    if member and family == "onnx":
        options["card"] = Path(member)
        weights = Path(member).with_suffix(".onnx") if weights == "auto" else weights
    embedder = FACE_EMBEDDERS[family](weights, **options)
    return embedder.to(memory_format=torch.channels_last) if embedder.channels_last else embedder
