"""A captioner without a language model: it repeats a caption of similar photographs.

Source: Devlin et al., Exploring Nearest Neighbor Approaches for Image Captioning (2015): the consensus caption.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from campro.core.types import Images
from campro.metrics.captions import ngrams, tokenise
from campro.models.captions.captioner import CaptionerCard
from campro.models.captions.object_scores import object_scores
from campro.models.persons.yolox import YoloxDetector

NEIGHBOURS = 5


class RetrievalCaptioner:
    """See `Captioner`. Photographs are compared by the objects that a detector finds.

    Args:
        detector: a YOLOX of COCO's classes.
        features: object scores of the photographs to learn from.
        captions: captions of each of them.
    """

    def __init__(
        self, detector: YoloxDetector, features: Float[Tensor, "N classes"], captions: Sequence[Sequence[str]]
    ) -> None:
        self.card = CaptionerCard("retrieval", detector.card.licence, f"nearest photographs by {detector.card.name}")
        self.detector, self.captions = detector, captions
        self.features = F.normalize(features, dim=1)

    def caption(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[str]:
        """See `Captioner.caption`."""
        found = F.normalize(object_scores(self.detector, images), dim=1)
        nearest = (found @ self.features.T).topk(min(NEIGHBOURS, len(self.features))).indices.tolist()
        return [consensus([text for row in rows for text in self.captions[row]]) for rows in nearest]


def consensus(texts: Sequence[str]) -> str:
    """The text that has most n-grams in common with the others: mean of shared to all n-grams of both."""
    grams = [ngrams(tokenise(text)) for text in texts]
    shares = [
        sum((own & other).total() / max(1, (own | other).total()) for other in grams if other is not own)
        for own in grams
    ]
    return texts[int(np.argmax(shares))]


def learn_retrieval(
    detector: YoloxDetector, images: Sequence[Float[Tensor, "3 H W"]], captions: Sequence[Sequence[str]]
) -> RetrievalCaptioner:
    """A captioner that repeats `captions` of `images`."""
    return RetrievalCaptioner(detector, torch.cat([object_scores(detector, [one]) for one in images]), captions)
