"""The interface of captioners: from a photograph to a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Tensor

from campro.core.types import Images

LONGEST = 20
"""Words of a caption at most."""


@dataclass(frozen=True)
class CaptionerCard:
    """Metadata of a captioner."""

    name: str
    licence: str = "not stated"
    source: str = ""
    weights_sha256: str | None = None
    """SHA-256 of the weights; None for a captioner that is trained in the run."""


class Captioner(Protocol):
    """Describes photographs in English."""

    card: CaptionerCard

    def caption(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[str]:
        """One sentence per image; images are sRGB in [0, 1], of any sizes.

        Raises:
            CamproError: if an image has another shape, or values outside [0, 1].
        """
        ...
