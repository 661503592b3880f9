"""The table of face recognisers: to add one, write one file and add one line here."""

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
from campro.models.faces.onnx_embedder import MOBILEFACENET_CAT, load_onnx

Weights = Path | str | None
Factory = Callable[..., FaceEmbedder]


def _from_file(load: Callable[[Path | None], FaceEmbedder], asset: str) -> Factory:
    """A factory whose weights are one file: the catalogue's ("auto"), the caller's, or none (random)."""

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


FACE_EMBEDDERS: dict[str, Factory] = {
    "dlib-resnet29": _from_file(load_dlib_resnet, "dlib_face_recognition_resnet_model_v1.dat"),
    "mobilefacenet": _from_file(load_mobilefacenet, "mobilefacenet-casia"),
    "edgeface-xs": _from_file(load_edgeface, "edgeface-xs"),
    "mobilefacenet-cat": _cat,
    "frbench": load_frbench,
    "onnx": load_onnx,
}
"""Families with many members take the member behind a slash: "frbench/irse-50_arcface_ms1m"."""


def load_embedder(name: str, weights: Weights = "auto", **options: Any) -> FaceEmbedder:
    """A recogniser of the table in eval mode.

    `weights`: "auto" takes the ones that the package, the catalogue or the model's own package has; a path takes that
    file; None draws random ones (for tests). `options` go to the model's factory.
    "onnx/CARD.json" reads the ONNX file of the same name beside that card.
    """
    family, _, member = name.partition("/")
    if family not in FACE_EMBEDDERS or bool(member) > (family in ("frbench", "onnx")):
        raise CamproError("face embedder", f"one of {', '.join(FACE_EMBEDDERS)}", repr(name))
    if member and family == "frbench":
        options["model"] = member
    if member and family == "onnx":
        options["card"] = Path(member)
        weights = Path(member).with_suffix(".onnx") if weights == "auto" else weights
    made = FACE_EMBEDDERS[family](weights, **options)
    return made.to(memory_format=torch.channels_last)  # 1.7 times as fast
