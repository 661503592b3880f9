"""Captioners of the package transformers (an extra), from a folder that its `save_pretrained` wrote."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest
from campro.core.images import to_rgb8
from campro.core.types import Images
from campro.models.captions.captioner import LONGEST, CaptionerCard
from campro.models.persons.person_detector import checked_images

INSTALL = "pip install 'campro[captions]'"


class TransformersCaptioner:
    """See `Captioner`; BLIP, GIT, ViT-GPT2 and other image-to-text models."""

    def __init__(self, card: CaptionerCard, processor: Any, model: Any) -> None:
        self.card, self.processor, self.model = card, processor, model.eval()

    @torch.no_grad()
    def caption(self, images: Images | Sequence[Float[Tensor, "3 H W"]]) -> list[str]:
        """Greedy search; see `Captioner.caption`."""
        found = []
        for picture in checked_images(images, self.card.name):
            inputs = self.processor(images=to_rgb8(picture[None])[0], return_tensors="pt")
            numbers = self.model.generate(**inputs, max_new_tokens=2 * LONGEST, num_beams=1, do_sample=False)
            found.append(self.processor.batch_decode(numbers, skip_special_tokens=True)[0].strip())
        return found


def load_transformers_captioner(folder: Path) -> TransformersCaptioner:
    """A captioner from a folder; nothing is downloaded, and no code of the folder is run.

    Raises:
        CamproError: without the package transformers, or for a folder that is missing or holds another model.
    """
    if not folder.is_dir():
        raise CamproError(str(folder), "a folder written by transformers", "no such folder")
    try:
        from transformers import AutoModelForImageTextToText, AutoProcessor
    except ImportError as error:
        raise CamproError("captioner", "the optional package transformers", "not installed", INSTALL) from error
    try:
        options = {"local_files_only": True, "trust_remote_code": False}
        processor = AutoProcessor.from_pretrained(str(folder), **options)
        model = AutoModelForImageTextToText.from_pretrained(str(folder), use_safetensors=True, **options)
    except Exception as error:  # transformers raises errors of many classes
        raise CamproError(str(folder), "an image-to-text model", " ".join(str(error).split())[:160]) from error
    files = sorted(folder.glob("*.safetensors"))
    card = CaptionerCard(folder.name, "that of its folder", str(folder), json_digest([file_sha256(f) for f in files]))
    return TransformersCaptioner(card, processor, model)
