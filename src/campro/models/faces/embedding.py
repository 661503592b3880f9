"""Crops and embeddings of many photographs as a camera shows them; each is embedded once per (weights, view)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from campro.core.atomic_io import replacing
from campro.core.catalogue import cache_root
from campro.core.compilation import compiled
from campro.core.device import device_of, native_bfloat16
from campro.core.errors import CamproError
from campro.core.hashing import file_sha256, json_digest, tensors_sha256
from campro.core.images import read_image, to_tensor
from campro.core.prefetch import prefetch
from campro.core.progress import Progress
from campro.core.types import ImageTransform
from campro.models.faces.align import TEMPLATES, crop_with
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder
from campro.models.faces.landmarks import Landmarks

BATCH = 32
COMPILES = 1500
"""Photographs from which on a recogniser is compiled first."""
SAVE_EVERY = 1024
"""Photographs after which finished embeddings are put on disk, so that a kill costs little."""

Rows = Float32[np.ndarray, "N D"]


def crop_photos(
    photos: Sequence[Path], landmarks: Landmarks, card: EmbedderCard, view: ImageTransform | None = None
) -> UInt8[np.ndarray, "N h w 3"]:
    """The face of every photograph, cut from what `view` makes of the whole picture (raw if None)."""
    crops = np.empty((len(photos), *card.size, 3), np.uint8)
    for row, photo in enumerate(photos):
        rgb = read_image(photo)
        seen = rgb if view is None else view(rgb)
        crops[row] = crop_with(seen, landmarks.found[photo], landmarks.scheme, card)
    return crops


def embed_photos(
    embedder: FaceEmbedder,
    photos: Sequence[Path],
    landmarks: Landmarks,
    view: ImageTransform,
    cache: Path | None = None,
    bfloat16: bool = False,
) -> Float[Tensor, "N D"]:
    """Unit-norm embeddings of every photograph under `view`, a row each; all must be in `landmarks.found`.

    Rows are kept in `cache` (the user's cache folder by default) by the content of photograph, weights, view and
    landmarks, so that nothing is embedded twice, whatever the files are called. `bfloat16` embeds in bfloat16 where the
    processor has it: twice as fast and more, rows of cosine 0.9996 and more with the exact ones.
    """
    store = _Store(cache or cache_root(), embedder, landmarks, view, bfloat16)
    names = [store.name_of(photo, landmarks) for photo in photos]
    todo = [(photo, name) for photo, name in zip(photos, names) if name not in store.rows]
    compiles = embedder.differentiable and len(todo) >= COMPILES and device_of(embedder).type == "cpu"
    quick = compiled(embedder, worth_it=compiles)

    def cut(some: Sequence[tuple[Path, str]]) -> UInt8[np.ndarray, "N h w 3"]:
        return crop_photos([photo for photo, _ in some], landmarks, embedder.card, view)

    with Progress(f"embed by {embedder.card.name}, {view.name}", len(todo)) as progress:
        batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
        for number, (some, crops) in enumerate(prefetch(cut, batches), start=1):
            rows = _embed(quick if len(some) == BATCH else embedder, crops, bfloat16)  # compiled for one size alone
            store.rows |= dict(zip((name for _, name in some), rows))
            if number % (SAVE_EVERY // BATCH) == 0 or number == len(batches):
                store.save()
            progress.advance(len(some))
    return torch.from_numpy(np.stack([store.rows[name] for name in names]))


@torch.inference_mode()
def _embed(embedder: FaceEmbedder, crops: UInt8[np.ndarray, "N h w 3"], bfloat16: bool) -> Rows:
    with native_bfloat16(bfloat16):
        return embedder(to_tensor(crops, device_of(embedder))).float().cpu().numpy()


class _Store:
    """The embeddings of one (weights, view, landmark detector), by content, in one file."""

    def __init__(
        self, cache: Path, embedder: FaceEmbedder, landmarks: Landmarks, view: ImageTransform, bfloat16: bool
    ) -> None:
        card = embedder.card
        weights = card.weights_sha256 or tensors_sha256(embedder.state_dict())
        template = TEMPLATES[card.template, landmarks.scheme].tolist()
        key = [card.name, weights, view.digest, landmarks.digest, template]
        key += ["bfloat16"] * bfloat16
        self.file = cache / "embeddings" / f"{json_digest(key)}.npz"
        self.rows: dict[str, Float32[np.ndarray, "D"]] = self._read()

    @staticmethod
    def name_of(photo: Path, landmarks: Landmarks) -> str:
        """Content of the photograph; refuses one in which no face was found."""
        if photo not in landmarks.found:
            raise CamproError(str(photo), "a photograph with landmarks", "none", "leave it out, and count it")
        return file_sha256(photo)

    def _read(self) -> dict[str, Float32[np.ndarray, "D"]]:
        if not self.file.exists():
            return {}
        try:
            with np.load(self.file, allow_pickle=False) as stored:
                return dict(zip(stored["names"].tolist(), stored["rows"]))
        except Exception as error:  # a damaged zip can raise anything
            raise CamproError(
                str(self.file), "cached embeddings", "a damaged file", "delete it and run again"
            ) from error

    def save(self) -> None:
        """Replace the file by one with everything known so far."""
        with replacing(self.file) as part:
            np.savez(part, names=np.array(list(self.rows)), rows=np.stack(list(self.rows.values())))
