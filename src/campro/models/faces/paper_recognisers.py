"""Recognisers of the paper (NDSS 2024, VI-A) by name, for users who have their weight files.

The files have no address that can be fetched without asking; preprocessing is that of the authors' code.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256
from campro.models.faces.checkpoint import load_into, read_checkpoint
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.inception_resnet import InceptionResnet
from campro.models.faces.ir_se import IrNetwork, renamed_ir
from campro.models.faces.iresnet import IResNet, renamed_iresnet
from campro.models.preprocessing import Order

Factory = Callable[..., FaceEmbedder]
HEAD = ("fc.weight", "head.kernel", "kernel", "logits.weight", "logits.bias")
"""Weights of the classifier of the training set, which some files hold beside those of the network."""


def _card(name: str, source: str, mean: float, std: float, order: Order) -> EmbedderCard:
    return EmbedderCard(name, (112, 112), 512, mean, std, "arcface-112", order, source=source)


FACENET = EmbedderCard(
    "facenet", (160, 160), 512, 127.5 / 255, 128 / 255, "facenet-160", source="FaceNet, VGGFace2 (facenet-pytorch)"
)


def _loader(card: EmbedderCard, build: Callable[[EmbedderCard], FaceEmbedder], rename: Callable[[str], str]) -> Factory:
    """A factory of one recogniser; weights None: random."""

    def make(weights: Path | str | None = "auto") -> FaceEmbedder:
        if weights is None:
            return build(card).eval()
        path = Path(weights)
        if weights == "auto" or not path.is_file():
            remedy = f"name the authors' file: --face-weights {card.name}=PATH"
            raise CamproError(
                card.name, "a weight file", "none" if weights == "auto" else f"{path}: no such file", remedy
            )
        model = build(replace(card, weights_sha256=file_sha256(path)))
        tensors = {rename(name): value.float() for name, value in read_checkpoint(path).items()}
        known = model.state_dict()
        extra = [name for name in tensors if name not in known and name in HEAD]
        counters = {name: value for name, value in known.items() if name.endswith("num_batches_tracked")}
        load_into(model, counters | {name: value for name, value in tensors.items() if name not in extra}, path)
        return model.eval()

    return make


def _iresnet(name: str, depth: int, source: str, mean: float, std: float, order: Order) -> Factory:
    return _loader(_card(name, source, mean, std, order), lambda card: IResNet(card, depth), renamed_iresnet)


def _ir(name: str, depth: int, source: str, excited: bool, order: Order) -> Factory:
    return _loader(_card(name, source, 0.5, 0.5, order), lambda card: IrNetwork(card, depth, excited), renamed_ir)


PAPER_RECOGNISERS: dict[str, Factory] = {
    "arcface-iresnet18": _iresnet("arcface-iresnet18", 18, "ArcFace (insightface, arcface_torch)", 0.5, 0.5, "rgb"),
    "arcface-irse50": _ir("arcface-irse50", 50, "ArcFace, IR-SE (InsightFace_Pytorch)", True, "rgb"),
    "arcface-irse152": _ir("arcface-irse152", 152, "ArcFace, IR-SE", True, "rgb"),
    **{
        f"magface-iresnet{depth}": _iresnet(f"magface-iresnet{depth}", depth, "MagFace", 0.0, 1.0, "bgr")
        for depth in (18, 50, 100)
    },
    **{f"adaface-ir{depth}": _ir(f"adaface-ir{depth}", depth, "AdaFace", False, "bgr") for depth in (18, 50, 100)},
    "facenet": _loader(FACENET, InceptionResnet, lambda name: name),
}
"""Factories by name; see `campro.models.faces.load_embedder`."""
