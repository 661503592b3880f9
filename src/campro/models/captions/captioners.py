"""The table of captioners that are read from files. The tiny ones that a run trains: `retrieval_captioner`,
`gru_captioner`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from campro.core.errors import CamproError
from campro.models.captions.captioner import Captioner
from campro.models.captions.onnx_captioner import load_onnx_captioner
from campro.models.captions.transformers_captioner import load_transformers_captioner

CAPTIONERS: dict[str, Callable[[Path], Captioner]] = {
    "onnx": load_onnx_captioner,
    "transformers": load_transformers_captioner,
}
"""Families by name; a factory takes the card or the folder."""


def load_captioner(name: str) -> Captioner:
    """Load a captioner: "onnx/CARD.json" or "transformers/FOLDER".

    Raises:
        CamproError: if the name is unknown, or a file is missing or damaged.
    """
    family, _, place = name.partition("/")
    if family not in CAPTIONERS or not place:
        raise CamproError("captioner", "onnx/CARD.json or transformers/FOLDER", repr(name))
    return CAPTIONERS[family](Path(place))
