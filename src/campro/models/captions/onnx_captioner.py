"""Captioners in two ONNX files, an encoder and a decoder, with a card: greedy search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.onnx_session import onnx_session
from campro.core.types import Images
from campro.models.captions.captioner import LONGEST, CaptionerCard
from campro.models.onnx_network import OnnxNetwork
from campro.models.persons.person_detector import checked_images
from campro.models.preprocessing import PictureCard, read_picture_card


@dataclass(frozen=True)
class OnnxCaptionerCard(PictureCard):
    """Metadata and preprocessing; the picture is resized to `size` without keeping its aspect ratio.

    The encoder has one input, the picture, and gives the features first. The decoder has two inputs, the numbers of the
    words so far (B, L) in int64 and the features, and gives the logits (B, L, words).
    """

    encoder: str = "encoder.onnx"
    """File beside the card."""
    decoder: str = "decoder.onnx"
    """File beside the card."""
    words: tuple[str, ...] = ()
    """Vocabulary in the order of the numbers. A word that starts with "##" continues the one before it."""
    start: int = 0
    """Number of the word that starts a caption."""
    end: int = 1
    """Number of the word that ends it."""

    def _problem(self) -> str:
        if found := super()._problem():
            return found
        if len(self.words) < 3 or not all(isinstance(word, str) for word in self.words):
            return "words that are not a list of at least three texts"
        if not all(isinstance(n, int) and 0 <= n < len(self.words) for n in (self.start, self.end)):
            return f"start {self.start!r:.20} or end {self.end!r:.20} outside the vocabulary"
        return ""


class OnnxCaptioner:
    """See `Captioner`; both networks run in ONNX Runtime on the CPU.

    Raises:
        CamproError: For a missing or damaged file, or a decoder with other inputs.
    """

    def __init__(self, details: OnnxCaptionerCard, folder: Path) -> None:
        self.details = details
        self.encoder = OnnxNetwork(details, folder / details.encoder)
        self.decoder = onnx_session(folder / details.decoder)
        inputs: list[Any] = self.decoder.get_inputs()
        integers = [one.name for one in inputs if one.type == "tensor(int64)"]
        if len(inputs) != 2 or len(integers) != 1:
            got = ", ".join(f"{one.name} {one.type}" for one in inputs)
            raise CamproError(details.decoder, "two inputs, words in int64 and features", got)
        self._words = integers[0]
        self._features = next(one.name for one in inputs if one.name != self._words)
        digest = json_digest([file_sha256(folder / name) for name in (details.encoder, details.decoder)])
        self.card = CaptionerCard(details.name, details.licence, details.source, digest)

    def caption(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[str]:
        """The most likely word at each step; see `Captioner.caption`."""
        return [self._caption(picture) for picture in checked_images(images, self.card.name)]

    def _caption(self, picture: Float[Tensor, "3 H W"]) -> str:
        resized = F.interpolate(picture[None], self.details.size, mode="bilinear", antialias=True).clamp(0, 1)
        (features, *_) = self.encoder(resized)
        numbers = [self.details.start]
        for _ in range(2 * LONGEST):  # parts of words
            feed = {self._words: np.array([numbers], np.int64), self._features: features}
            try:
                logits = np.asarray(self.decoder.run(None, feed)[0])
            except Exception as error:  # onnxruntime raises errors of many classes
                raise CamproError(self.card.name, "a decoder that accepts its input", str(error)[:160]) from error
            best = int(logits[0, -1].argmax())
            if best == self.details.end or best >= len(self.details.words):
                break
            numbers.append(best)
        return " ".join(self.details.words[number] for number in numbers[1:]).replace(" ##", "")


def load_onnx_captioner(card: Path) -> OnnxCaptioner:
    """A captioner from a JSON file with the fields of `OnnxCaptionerCard` and the two files beside it.

    Raises:
        CamproError: if a file is missing or malformed.
    """
    return OnnxCaptioner(read_picture_card(card, OnnxCaptionerCard), card.parent)
