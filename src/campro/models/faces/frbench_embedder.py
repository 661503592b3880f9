"""The embedders of the package frbench (an extra): some forty combinations of network, loss and training set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.checkpoint import load_into, read_checkpoint
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

INSTALL = "pip install 'campro[frbench]'"


class FrbenchEmbedder(FaceEmbedder):
    """One of frbench's backbones."""

    channels_last = False
    """Several backbones flatten their features by `Tensor.view`, which needs the usual layout."""

    def __init__(self, card: EmbedderCard, backbone: nn.Module) -> None:
        super().__init__(card)
        self.backbone = backbone

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, dim)."""
        return self.backbone(prepared)


def load_frbench(weights: Path | str | None = "auto", model: str = "") -> FrbenchEmbedder:
    """Load an embedder of frbench in evaluation mode.

    Args:
        weights: "auto" for frbench's own weights, which frbench downloads and verifies; a path for a weight file of the
            same backbone; None for random weights.
        model: frbench's key, BACKBONE_LOSS_DATASET; for random weights BACKBONE is enough.

    Raises:
        CamproError: if frbench is not installed, the key is unknown, or the weights are missing or damaged.
    """
    try:
        from frbench import FRBenchError, get_asset
        from frbench.backbones import BACKBONE_REGISTRY
    except ImportError as error:
        raise CamproError("frbench", "the optional package frbench", "not installed", INSTALL) from error
    backbone = model.split("_")[0]
    if backbone not in BACKBONE_REGISTRY:
        raise CamproError("frbench", "frbench/BACKBONE_LOSS_DATASET", repr(model), "see frbench.list_models()")
    if weights is not None and weights == "auto":
        try:
            asset = get_asset(model)
        except (FRBenchError, OSError) as error:
            remedy = "fetch it once where there is a network, or name the file by weights=PATH"
            raise CamproError(f"frbench/{model}", "frbench's weights", str(error).split("\n")[0], remedy) from error
        folder = Path(asset["path"])
        return _make(model, folder / asset["contents"]["weight"], _config(folder / asset["contents"]["config"]))
    plain = {"backbone": {"name": backbone, "kwargs": {"input_size": [112, 112], "num_features": 512}}}
    return _make(model, None if weights is None else Path(weights), plain)


def _config(path: Path) -> dict[str, Any]:
    import yaml  # a dependency of frbench

    return yaml.safe_load(path.read_text())


def _make(model: str, weights: Path | None, config: dict[str, Any]) -> FrbenchEmbedder:
    from frbench.backbones import build_backbone

    preprocessing, network = config.get("input", {}), config["backbone"]
    height, width = preprocessing.get("size", (112, 112))
    card = EmbedderCard(
        name=f"frbench/{model}",
        size=(int(height), int(width)),
        dim=int(network.get("kwargs", {}).get("num_features", 512)),
        mean=_three(preprocessing.get("mean", 0.5)),
        std=_three(preprocessing.get("var", preprocessing.get("std", 0.5))),
        template="arcface-112",
        order="bgr" if preprocessing.get("channel", "rgb") == "bgr" else "rgb",
        source="frbench",
        weights_sha256=None if weights is None else file_sha256(weights),
    )
    backbone = build_backbone(network["name"], network.get("kwargs", {}), "cpu")
    if weights is not None:
        load_into(backbone, read_checkpoint(weights), weights)
    return FrbenchEmbedder(card, backbone).eval()


def _three(value: float | list[float]) -> tuple[float, float, float]:
    red, green, blue = value if isinstance(value, (list, tuple)) else (value,) * 3
    return float(red), float(green), float(blue)
