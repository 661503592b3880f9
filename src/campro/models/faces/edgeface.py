"""EdgeFace-XS: an embedder of the EdgeNeXt family, through the package timm (a dependency of frbench).

Source: George et al., EdgeFace (IEEE T-BIOM 2024).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.checkpoint import load_into, read_checkpoint
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

CARD = EmbedderCard(
    name="edgeface-xs",
    size=(112, 112),
    dim=512,
    mean=127.5 / 255,
    std=127.5 / 255,
    template="arcface-112",
    source="EdgeFace-XS (Idiap)",
)


class EdgeFace(FaceEmbedder):
    """timm's `edgenext_x_small` with a linear head of 512 outputs.

    Raises:
        CamproError: Without the optional package timm.
    """

    def __init__(self, card: EmbedderCard = CARD) -> None:
        super().__init__(card)
        try:
            import timm
        except ImportError as error:
            remedy = "pip install 'campro[frbench]'"
            raise CamproError("edgeface-xs", "the optional package timm", "not installed", remedy) from error
        self.net = timm.create_model("edgenext_x_small", num_classes=card.dim)

    def features(self, prepared: Tensor) -> Tensor:
        """(B, 3, 112, 112) -> (B, 512)."""
        return self.net(prepared)


def load_edgeface(weights: Path | None) -> EdgeFace:
    """The network in evaluation mode with the weights of a checkpoint file, or random weights if None.

    Raises:
        CamproError: if timm is not installed, or the file is damaged or holds another network.
    """
    if weights is None:
        return EdgeFace().eval()
    model = EdgeFace(replace(CARD, weights_sha256=file_sha256(weights)))
    tensors = {name.removeprefix("model."): value.float() for name, value in read_checkpoint(weights).items()}
    load_into(model.net, tensors, weights)
    return model.eval()
