"""The table of face recognisers: to add one, write one file and add one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from campro.core.catalogue import locate
from campro.core.errors import CamproError
from campro.faces.card import FaceEmbedder
from campro.faces.dlib_resnet import load_dlib_resnet
from campro.faces.mobilefacenet import load_mobilefacenet

Weights = Path | str | None
Factory = Callable[..., FaceEmbedder]


def _from_file(load: Callable[[Path | None], FaceEmbedder], asset: str) -> Factory:
    """A factory whose weights are one file: the catalogue's ("auto"), the caller's, or none (random)."""

    def make(weights: Weights = "auto") -> FaceEmbedder:
        if weights is None:
            return load(None)
        return load(locate(asset) if weights == "auto" else Path(weights))

    return make


FACE_EMBEDDERS: dict[str, Factory] = {
    "dlib-resnet29": _from_file(load_dlib_resnet, "dlib_face_recognition_resnet_model_v1.dat"),
    "mobilefacenet": _from_file(load_mobilefacenet, "mobilefacenet-casia"),
}


def load_embedder(name: str, weights: Weights = "auto", **options: Any) -> FaceEmbedder:
    """A recogniser of the table in eval mode.

    `weights`: "auto" takes the ones that the package, the catalogue or the model's own package has; a path takes that
    file; None draws random ones (for tests). `options` go to the model's factory.
    """
    if name not in FACE_EMBEDDERS:
        raise CamproError("face embedder", f"one of {', '.join(FACE_EMBEDDERS)}", repr(name))
    return FACE_EMBEDDERS[name](weights, **options)
