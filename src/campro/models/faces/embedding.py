"""Crops and embeddings of many photographs under a view; each embedding is computed once per (weights, view)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from campro.core.atomic_io import replacing
from campro.core.cache_file import unless_read_only
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
"""Photographs per pass through the network."""
COMPILE_FROM = 1500
"""Number of photographs from which on the network is compiled first, which takes up to a minute."""
SAVE_EVERY = 1024
"""Number of photographs after which the embeddings are written to the cache."""


def crop_photos(
    photos: Sequence[Path], landmarks: Landmarks, card: EmbedderCard, view: ImageTransform | None = None
) -> UInt8[np.ndarray, "N h w 3"]:
    """Aligned 8-bit sRGB crops of the main face of each photograph, cut from `view` of the whole photograph.

    `view` None is the raw photograph. All photographs must be keys of `landmarks.found`.

    Raises:
        CamproError: if a photograph cannot be read.
    """
    crops = np.empty((len(photos), *card.size, 3), np.uint8)
    for index, photo in enumerate(photos):
        rgb = read_image(photo)
        viewed = rgb if view is None else view(rgb)
        crops[index] = crop_with(viewed, landmarks.found[photo], landmarks.scheme, card, landmarks.interpolation)
    return crops


def embed_photos(
    embedder: FaceEmbedder,
    photos: Sequence[Path],
    landmarks: Landmarks,
    view: ImageTransform,
    cache: Path | None = None,
    bfloat16: bool = False,
) -> Float[Tensor, "N D"]:
    """Embeddings of unit norm (float32) of the main face of each photograph under `view`, in the order of `photos`.

    Embeddings are kept on disk, keyed by the contents of photograph and weights, the view and the landmarks, so that
    none is computed twice, also if files are renamed.

    Args:
        embedder: in evaluation mode.
        photos: must all be keys of `landmarks.found`.
        landmarks: of `find_landmarks`.
        view: the camera or another image transform, applied to the whole photograph.
        cache: folder of stored embeddings; by default the user's cache folder.
        bfloat16: compute in bfloat16 if the processor supports it natively. At least twice as fast; the cosine
            between such an embedding and the one in float32 is above 0.9996. Both are stored separately.

    Raises:
        CamproError: if a photograph has no landmarks or cannot be read, or the cache file is damaged.
    """
    store = _Store(cache or cache_root(), embedder, landmarks, view, bfloat16)
    names = [store.name_of(photo, landmarks) for photo in photos]
    todo = [(photo, name) for photo, name in zip(photos, names) if name not in store.embeddings]
    compile_first = embedder.differentiable and len(todo) >= COMPILE_FROM and device_of(embedder).type == "cpu"
    fast = compiled(embedder, enabled=compile_first)

    def crops_of(batch: Sequence[tuple[Path, str]]) -> UInt8[np.ndarray, "N h w 3"]:
        return crop_photos([photo for photo, _ in batch], landmarks, embedder.card, view)

    with Progress(f"embed by {embedder.card.name}, {view.name}", len(todo)) as progress:
        batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
        for number, (batch, crops) in enumerate(prefetch(crops_of, batches), start=1):
            # a compiled network is fast for one batch size only
            embeddings = embed_crops(fast if len(batch) == BATCH else embedder, crops, bfloat16)
            store.embeddings |= dict(zip((name for _, name in batch), embeddings))
            if number % (SAVE_EVERY // BATCH) == 0 or number == len(batches):
                store.save()
            progress.advance(len(batch))
    return torch.from_numpy(np.stack([store.embeddings[name] for name in names]))


@torch.inference_mode()
def embed_crops(
    embedder: FaceEmbedder, crops: UInt8[np.ndarray, "N h w 3"], bfloat16: bool = False
) -> Float32[np.ndarray, "N D"]:
    """Embeddings of unit norm of aligned crops; `bfloat16` as in `embed_photos`."""
    with native_bfloat16(bfloat16):
        return embedder(to_tensor(crops, device_of(embedder))).float().cpu().numpy()


class _Store:
    """The embeddings of one (weights, view, landmark detector) in one file, keyed by the content of the photograph."""

    def __init__(
        self, cache: Path, embedder: FaceEmbedder, landmarks: Landmarks, view: ImageTransform, bfloat16: bool
    ) -> None:
        card = embedder.card
        weights = card.weights_sha256 or tensors_sha256(embedder.state_dict())
        template = TEMPLATES[card.template, landmarks.scheme].tolist()
        key = [card.name, weights, view.digest, landmarks.digest, template]
        key += ["bfloat16"] * bfloat16
        key += [card.preprocessing] if embedder.card_of_file else []
        self.file = cache / "embeddings" / f"{json_digest(key)}.npz"
        self.embeddings: dict[str, Float32[np.ndarray, "D"]] = self._read()

    @staticmethod
    def name_of(photo: Path, landmarks: Landmarks) -> str:
        """SHA-256 of a photograph that has landmarks."""
        if photo not in landmarks.found:
            raise CamproError(str(photo), "a photograph with landmarks", "none", "leave it out, and count it")
        return file_sha256(photo)

    def _read(self) -> dict[str, Float32[np.ndarray, "D"]]:
        if not self.file.exists():
            return {}
        try:
            with np.load(self.file, allow_pickle=False) as stored:
                names, rows = stored["names"].tolist(), stored["rows"]
            if rows.dtype != np.float32 or rows.ndim != 2 or not np.isfinite(rows).all():
                raise ValueError(f"embeddings of type {rows.dtype} and shape {rows.shape}, or not finite")
            return dict(zip(names, rows, strict=True))
        except Exception as error:  # damaged files raise errors of many classes
            raise CamproError(
                str(self.file), "cached embeddings", "a damaged file", "delete it and run again"
            ) from error

    def save(self) -> None:
        """Replace the file by one with all embeddings; the array names "names" and "rows" are its format.

        The file is a ZIP archive, which holds a CRC-32 of each array; `_read` checks it.
        """
        unless_read_only(self.file, self._write)

    def _write(self) -> None:
        with replacing(self.file) as part:
            np.savez(part, names=np.array(list(self.embeddings)), rows=np.stack(list(self.embeddings.values())))
